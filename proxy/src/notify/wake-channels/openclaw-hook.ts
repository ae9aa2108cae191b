import type { WakeChannel, WakeReceipt } from '../wake/index.ts'
import { type HttpAnswer, httpUrl, NOT_AN_ADDRESS, postJson, refusal } from './post-json.ts'

/**
 * OpenClaw's gateway: `POST /hooks/wake` with the bearer token of its `hooks.token`. A 200 means that the event is
 * queued in the gateway's memory, not that an agent saw it.
 */
export function createOpenclawHookChannel(): WakeChannel {
  return {
    async deliver(target, token, message, signal) {
      const url = hookUrl(target.target)
      if (!url) return NOT_AN_ADDRESS
      const body = JSON.stringify({
        text: message.text,
        mode: 'now',
        ...(message.sessionKey === null ? {} : { sessionKey: message.sessionKey }),
      })
      const answer = await postJson(
        url,
        token === null ? {} : { authorization: `Bearer ${token}` },
        body,
        signal,
      )
      return 'problem' in answer ? { delivered: false, message: answer.problem } : receiptOf(answer)
    },
  }
}

/** The gateway's address, or already that of its hooks or of the wake hook itself. */
function hookUrl(target: string): URL | undefined {
  const url = httpUrl(target)
  if (!url) return undefined
  const path = url.pathname.replace(/\/+$/, '')
  if (path.endsWith('/hooks/wake')) url.pathname = path
  else url.pathname = path.endsWith('/hooks') ? `${path}/wake` : `${path}/hooks/wake`
  return url
}

const MEANING: Readonly<Record<number, string>> = {
  400: 'the gateway refused the text or the session key',
  401: 'the hook token is wrong',
  403: 'the gateway forbids it',
  404: 'no wake hook there: are hooks enabled, is the address right?',
  405: 'that address does not take POST',
  413: 'the text is too large',
  429: 'too many wrong tokens from here; the gateway asks for a pause',
}

function receiptOf(answer: HttpAnswer): WakeReceipt {
  const json = parse(answer.text)
  if (answer.status === 200) {
    if (json?.ok === true) return { delivered: true, message: `200 ${String(json.eventOutcome ?? 'ok')}` }
    return {
      delivered: false,
      message: '200, but it is not the answer of an OpenClaw gateway',
      permanent: true,
    }
  }
  const own = MEANING[answer.status] ?? 'unexpected answer'
  const detail = typeof json?.error === 'string' ? json.error : answer.text
  return refusal(answer, `${answer.status} ${own}${detail.trim() === '' ? '' : `: ${detail}`}`)
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
