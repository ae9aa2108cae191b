// What the supervisor asks OpenClaw's gateway, over loopback.
import { request } from 'node:http'

export const GATEWAY_PORT = 18_789
const ANSWER_MS = 5_000
const MAX_ANSWER_BYTES = 65_536

/** Resolves to `{ status, json }`; `json` is undefined for what is none. Rejects when no answer comes in time. */
function call(method, path, headers = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: GATEWAY_PORT, method, path, headers, timeout: ANSWER_MS, agent: false },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part) => {
          text += part
          if (text.length > MAX_ANSWER_BYTES) answer.destroy(new Error('too long an answer'))
        })
        answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode, json: parsed(text) }))
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('no answer in time'))).on('error', reject)
    sent.end(body)
  })
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Health is an answer that comes back, not a port that is open. Null: ready; else why not. */
export async function whyNotReady() {
  try {
    const { status, json } = await call('GET', '/readyz')
    if (status === 200 && json?.ready === true) return null
    return json?.failing?.map?.(String).join(', ').slice(0, 200) || `status ${status}`
  } catch (error) {
    return error.message
  }
}

/** Puts a line into a session and begins a turn of it; resolves to the hook's own words. */
export async function wake(hookToken, text, session) {
  try {
    const { status, json } = await call(
      'POST',
      '/hooks/wake',
      { authorization: `Bearer ${hookToken}`, 'content-type': 'application/json' },
      JSON.stringify({ text, mode: 'now', ...(session == null ? {} : { sessionKey: session }) }),
    )
    return { status, outcome: String(json?.eventOutcome ?? json?.error ?? '').slice(0, 200) }
  } catch (error) {
    return { status: 0, outcome: error.message }
  }
}
