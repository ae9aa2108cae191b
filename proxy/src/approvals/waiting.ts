import type { Tx } from '../kernel/index.ts'

/** Whoever waits for an answer to a request for approval; they hear of it once it is committed. */
export interface Waiting {
  /** Inside the unit of work that settled it. */
  settled(tx: Tx, id: string): void
  /** A place among them: it hears of what is settled from now on, so that the request can be read after it is taken. */
  enter(id: string): WaitingPlace
}

interface WaitingPlace extends Disposable {
  /** Resolves when it is settled, the time is over or the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function createWaiting(): Waiting {
  const waiting = new Map<string, Set<() => void>>()
  return {
    settled(tx, id) {
      tx.afterCommit(() => {
        for (const resolve of waiting.get(id) ?? []) resolve()
      })
    },
    enter(id) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const all = waiting.get(id) ?? new Set()
      waiting.set(id, all.add(resolve))
      return {
        async wait(ms, signal) {
          if (!(ms > 0) || signal.aborted) return
          const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS))
          const leave = (): void => resolve()
          signal.addEventListener('abort', leave, { once: true })
          try {
            await promise
          } finally {
            clearTimeout(timer)
            signal.removeEventListener('abort', leave)
          }
        },
        [Symbol.dispose]() {
          all.delete(resolve)
          if (all.size === 0 && waiting.get(id) === all) waiting.delete(id)
        },
      }
    },
  }
}
