import { createSharedTotal, type SharedTotal } from '../../kernel/index.ts'
import { createInFlight } from './in-flight.ts'
import { createBodyBudget } from './request-body.ts'

/**
 * Requests that wait for the owner. Each keeps a connection, and what was read of its body, for as long as its client waits:
 * they are few beside those under way, and so are their bytes.
 */
export interface HeldRequests {
  /** Null when this agent, or all together, have too much waiting: the request is answered at once instead. */
  take(agentId: string, bodyBytes: number): Disposable | null
}

const PLACES = { total: 512, perOwner: 64 }
const BYTES = { total: 64 * 1_048_576, perOwner: 16 * 1_048_576 }

/** Over all tenants. */
export interface HeldTotals {
  readonly places: SharedTotal
  readonly bytes: SharedTotal
}

export function createHeldRequests(
  totals: HeldTotals = { places: createSharedTotal(), bytes: createSharedTotal() },
): HeldRequests {
  const places = createInFlight(PLACES, totals.places)
  const memory = createBodyBudget(BYTES, totals.bytes)
  return {
    take(agentId, bodyBytes) {
      const place = places.take(agentId)
      if (place === null) return null
      const hold = memory.open(agentId)
      const held = new DisposableStack()
      held.use(place)
      held.use(hold)
      if (hold.grow(bodyBytes)) return held
      held.dispose()
      return null
    },
  }
}
