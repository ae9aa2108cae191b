import { setTimeout as delay } from 'node:timers/promises'
import { createTokenBuckets } from '../../kernel/index.ts'
import type { Exchange } from './exchange.ts'

/** Refusals of one agent that are answered at once: far more than clients that wait between their tries come to. */
const PACE = { perSecond: 4, burst: 40 }
/** No client gives up by then. */
const LONGEST_MS = 5_000

/** Paces the refusals of an agent that does not heed them (a tarpit): who asks again at once is answered later. */
export interface RefusalPace {
  /**
   * Undefined where the refusal may be told at once; else resolves when it may, or when nobody waits for it. Nothing of the request
   * is read meanwhile, so what waits is bounded by the requests that an agent may have under way.
   */
  wait(agentId: string, exchange: Exchange): Promise<void> | undefined
}

export function createRefusalPace(closing: AbortSignal, now?: () => number): RefusalPace {
  const buckets = createTokenBuckets(PACE, now)
  return {
    wait(agentId, exchange) {
      // What is owed already is the longest there is: whoever stops is soon served as any other.
      const owed = buckets.take(agentId, 0)
      const ms = owed < LONGEST_MS ? buckets.take(agentId, 1) : owed
      // A stream has begun to be answered: its client has waited for the owner already.
      if (ms === 0 || exchange.stream !== null || closing.aborted) return undefined
      exchange.request.pause()
      const signal = AbortSignal.any([exchange.gone(), closing])
      return delay(Math.min(ms, LONGEST_MS), undefined, { signal }).catch(() => {})
    },
  }
}
