import { setTimeout as delay } from 'node:timers/promises'
import { type ObjectStore, StoreFault } from './object-store.ts'

export interface RetryOptions {
  readonly attempts?: number
  /** Before the second attempt; then twice as long each time. */
  readonly pauseMs?: number
  /** Of one attempt. */
  readonly timeoutMs?: number
  readonly wait?: (ms: number, options: { readonly signal: AbortSignal }) => Promise<unknown>
  readonly random?: () => number
}

const MAX_PAUSE_MS = 10_000

/**
 * Tries again what may pass, with jitter, so that machines which sleep at once do not come back at once. Names are written once, so a
 * repeat of what succeeded unseen changes nothing.
 */
export function withRetries(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  const {
    attempts = 6,
    pauseMs = 250,
    timeoutMs = 60_000,
    random = Math.random,
    wait = (ms, { signal }) => delay(ms, undefined, { signal }),
  } = options

  async function repeat<T>(signal: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const timeout = AbortSignal.timeout(timeoutMs)
      try {
        return await act(AbortSignal.any([signal, timeout]))
      } catch (error) {
        signal.throwIfAborted()
        const isPassing = timeout.aborted || (error instanceof StoreFault && error.isPassing)
        if (timeout.aborted && attempt >= attempts)
          throw new StoreFault('The store did not answer in time.', true, error)
        if (!isPassing || attempt >= attempts) throw error
      }
      await wait(Math.min(MAX_PAUSE_MS, pauseMs * 2 ** (attempt - 1)) * (0.5 + random()), { signal })
    }
  }

  return {
    kind: store.kind,
    where: store.where,
    put: (name, bytes, { ifAbsent = false, signal }) =>
      repeat(signal, (each) => store.put(name, bytes, { ifAbsent, signal: each })),
    get: (name, part, signal) => repeat(signal, (each) => store.get(name, part, each)),
    remove: (name, signal) => repeat(signal, (each) => store.remove(name, each)),
    // A page that fails ends the list: whoever asks for one tries later.
    list: (prefix, signal) => store.list(prefix, signal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
