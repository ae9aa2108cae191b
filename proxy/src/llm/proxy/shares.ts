import { createSharedTotal, type TokenBuckets } from '../../kernel/index.ts'
import { createHeldRequests, type HeldRequests } from './held-requests.ts'
import { createInFlight, type InFlight } from './in-flight.ts'
import { createListPace, type ListPace } from './list-pace.ts'
import { type BodyBudget, createBodyBudget } from './request-body.ts'
import { createTenantBuckets } from './tenant-pace.ts'
import { READING_TIME } from './whole-body.ts'

/**
 * What requests of all tenants share: memory, places and the event loop's time, between tenants first and between the agents of
 * each then.
 */
export interface LlmShares {
  join(): TenantShares
}

/** Of one tenant. */
export interface TenantShares {
  readonly inFlight: InFlight
  readonly budget: BodyBudget
  readonly held: HeldRequests
  readonly lists: ListPace
  readonly readingTime: TokenBuckets
  /** It counts as one of the tenants no longer. */
  leave(): void
}

export function createLlmShares(): LlmShares {
  const tenants = { count: 0 }
  const totals = {
    inFlight: createSharedTotal(tenants),
    budget: createSharedTotal(tenants),
    held: { places: createSharedTotal(tenants), bytes: createSharedTotal(tenants) },
  }
  const isShared = (): boolean => tenants.count > 1
  return {
    join() {
      tenants.count += 1
      let isIn = true
      return {
        lists: createListPace(isShared),
        readingTime: createTenantBuckets(READING_TIME, isShared),
        inFlight: createInFlight(undefined, totals.inFlight),
        budget: createBodyBudget(undefined, totals.budget),
        held: createHeldRequests(totals.held),
        leave() {
          if (isIn) tenants.count -= 1
          isIn = false
        },
      }
    },
  }
}
