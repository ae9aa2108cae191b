import type { Tx } from '../../kernel/index.ts'

/** Requests that wait for an answer to an ask; they hear of it once it is on disk. */
export interface Waiting {
  /** Inside the unit of work that settled the ask. */
  settled(tx: Tx, askId: string): void
  /** A place among them: it hears of what is settled from now on, so that the ask can be read after it is taken. */
  enter(askId: string): WaitingPlace
}

interface WaitingPlace extends Disposable {
  /** Resolves when the ask is settled, the time is over or the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function createWaiting(): Waiting {
  const waiting = new Map<string, Set<() => void>>()
  return {
    settled(tx, askId) {
      tx.afterCommit(() => {
        for (const resolve of waiting.get(askId) ?? []) resolve()
      })
    },
    enter(askId) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const all = waiting.get(askId) ?? new Set()
      waiting.set(askId, all.add(resolve))
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
          if (all.size === 0 && waiting.get(askId) === all) waiting.delete(askId)
        },
      }
    },
  }
}
