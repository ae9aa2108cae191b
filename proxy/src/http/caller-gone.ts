import type { ServerResponse } from 'node:http'

/** Aborts when the caller goes away before its answer is complete. */
export function callerGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}
