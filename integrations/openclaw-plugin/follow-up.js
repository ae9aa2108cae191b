// Requests that wait for a person, each with the session that asked. Kept in a file, since OpenClaw forgets its events when it ends: an
// entry goes once its session has fetched the outcome.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const FINAL = new Set(['success', 'failed', 'denied', 'expired', 'cancelled'])
const WAIT_SECONDS = 60
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
const MAX_ENTRIES = 1_000

export const isFinal = (execution) => FINAL.has(execution?.status)

/** `wake(origin, text, requestId)` puts a line into the session of the origin, `{ sessionKey, agentId }`, and begins a turn. */
export function createFollowUp({ daemon, file, wake, log }) {
  let entries
  let closing = new AbortController()
  const following = new Set()

  const all = () => {
    entries ??= new Map(Object.entries(read(file())))
    return entries
  }
  const keep = () => {
    const path = file()
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(all())), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  async function follow(requestId) {
    if (following.has(requestId)) return
    following.add(requestId)
    const { signal } = closing
    try {
      for (let pauseMs = FIRST_PAUSE_MS; all().has(requestId) && !signal.aborted; ) {
        const { status, json } = await outcome(requestId, signal)
        // The daemon knows it no more, or the token is another's: nobody will ever answer.
        if (status === 404 || status === 401) return void drop(requestId)
        if (status === 200 && isFinal(json)) {
          // Its session may have fetched it meanwhile.
          const origin = all().get(requestId)
          if (origin !== undefined)
            wake(origin, `OAuth3: ${requestId} is ${json.status}. Fetch it with oauth3_status.`, requestId)
          return
        }
        if (status === 200 || status === 202) pauseMs = FIRST_PAUSE_MS
        else {
          await delay(pauseMs, undefined, { signal }).catch(() => {})
          pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
        }
      }
    } catch (error) {
      log(`oauth3: ${requestId} is not followed any more: ${error.message}`)
    } finally {
      following.delete(requestId)
    }
  }

  const outcome = (requestId, signal) =>
    daemon
      .call('GET', `/execute/${requestId}?wait=${WAIT_SECONDS}`, {
        signal,
        patienceMs: (WAIT_SECONDS + 15) * 1_000,
      })
      .catch(() => ({ status: 0 }))

  function drop(requestId) {
    if (all().delete(requestId)) keep()
  }

  return {
    /** Whatever was left when OpenClaw ended last is followed again; what is over by now wakes its session. */
    start() {
      closing = new AbortController()
      for (const requestId of all().keys()) void follow(requestId)
    },
    stop: () => closing.abort(),
    add(requestId, origin) {
      if (all().has(requestId)) return
      const oldest = all().size >= MAX_ENTRIES ? all().keys().next().value : undefined
      if (oldest !== undefined) all().delete(oldest)
      all().set(requestId, origin)
      keep()
      void follow(requestId)
    },
    /** That session has the outcome; another that looked at it changes nothing. */
    fetched(requestId, sessionKey) {
      if (all().get(requestId)?.sessionKey === sessionKey) drop(requestId)
    },
  }
}

function read(path) {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
