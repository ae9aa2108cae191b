import { setTimeout as delay } from 'node:timers/promises'
import { createFairSlots } from '../../kernel/index.ts'
import { createTenantBuckets } from './tenant-pace.ts'

/**
 * Whose lists of models are put together, and how often: each one reads what every provider tells, which takes the event loop
 * longer than any other request (OpenRouter's list alone has half a megabyte). An agent has one at a time, and its next one waits until
 * what it has read is paid for. Agents of one tenant wait for each other only while there are other tenants (see tenant-pace.ts).
 */
export interface ListPace {
  /** Undefined when too many of this agent wait already. */
  turn(agentId: string, signal: AbortSignal): Promise<ListTurn | undefined>
}

interface ListTurn extends Disposable {
  /** Books what a provider told. */
  read(bytes: number): void
}

/** As many as agents that would ever list at once. */
const SLOTS = { total: 1_024, perOwner: 1, waiting: { perOwner: 16, total: 4_096 } }
/** Of one agent: some ten milliseconds of the event loop in a second, after every provider's list once. */
const PACE = { perSecond: 1_048_576, burst: 8 * 1_048_576 }

/** Of one tenant. `isShared`: there are others. */
export function createListPace(isShared: () => boolean, pace = PACE): ListPace {
  const slots = createFairSlots(SLOTS)
  const buckets = createTenantBuckets(pace, isShared)
  return {
    async turn(agentId, signal) {
      const slot = await slots.take(agentId, signal)
      if (slot === undefined) return undefined
      try {
        // The agent owes nothing by itself, or it would have its place still.
        for (let ms = buckets.take(agentId, 0); ms > 0; ms = buckets.take(agentId, 0))
          await delay(ms, undefined, { signal })
      } catch (error) {
        slot[Symbol.dispose]()
        throw error
      }
      let owedMs = 0
      return {
        read(bytes) {
          owedMs = buckets.take(agentId, bytes)
        },
        [Symbol.dispose]() {
          if (owedMs === 0) slot[Symbol.dispose]()
          else setTimeout(() => slot[Symbol.dispose](), owedMs).unref()
        },
      }
    },
  }
}
