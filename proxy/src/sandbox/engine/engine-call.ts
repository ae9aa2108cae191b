/** Calls of the container engine, none of which may be waited for without end. */
import { setTimeout as delay } from 'node:timers/promises'

/** What an engine may take for anything but a launch. */
export const CALL_TIMEOUT_MS = 10_000

export class EngineTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`no answer in ${timeoutMs} ms`)
    this.name = 'EngineTimeout'
  }
}

/** What the engine answered a call that it refused; undefined where it did not answer. */
export const engineStatus = (error: unknown): number | undefined =>
  (error as { statusCode?: number }).statusCode

/** Rejects once the signal aborts. */
export type Wait = (ms: number, options: { readonly signal: AbortSignal }) => Promise<unknown>

const waitOfClock: Wait = (ms, options) => delay(ms, undefined, options)

/**
 * Rejects with EngineTimeout once the time is up. A call that takes the signal lets go of its connection then;
 * one that does not goes on, and its maker has to clear away what comes of it.
 */
export async function answered<T>(
  timeoutMs: number,
  call: (abortSignal: AbortSignal) => Promise<T>,
  wait: Wait = waitOfClock,
): Promise<T> {
  const timeout = new AbortController()
  const settled = new AbortController()
  try {
    return await Promise.race([
      call(timeout.signal),
      wait(timeoutMs, { signal: settled.signal }).then(() => {
        throw new EngineTimeout(timeoutMs)
      }),
    ])
  } catch (error) {
    if (error instanceof EngineTimeout) timeout.abort()
    throw error
  } finally {
    settled.abort()
  }
}
