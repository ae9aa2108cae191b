import type { Transactor } from '../audit/index.ts'
import type { ProviderAsk } from './ports.ts'

/** Requests that wait for an answer to an ask; they hear of it once it is on disk. */
export interface Waiting {
  /** Inside the transaction that settled the ask. */
  settled(ask: ProviderAsk): void
  /** Resolves when the ask is settled, the time is over or the signal is aborted. */
  wait(askId: string, ms: number, signal: AbortSignal): Promise<void>
}

/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function createWaiting(transactor: Pick<Transactor, 'afterCommit'>): Waiting {
  const waiting = new Map<string, Set<() => void>>()
  return {
    settled({ id }) {
      transactor.afterCommit(() => {
        for (const resolve of waiting.get(id) ?? []) resolve()
      })
    },
    async wait(askId, ms, signal) {
      if (!(ms > 0) || signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const all = waiting.get(askId) ?? new Set()
      waiting.set(askId, all.add(resolve))
      const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS))
      const leave = (): void => resolve()
      signal.addEventListener('abort', leave, { once: true })
      try {
        await promise
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        all.delete(resolve)
        if (all.size === 0 && waiting.get(askId) === all) waiting.delete(askId)
      }
    },
  }
}
