import { createTokenBuckets, type TokenBuckets } from '../../kernel/index.ts'

/** A tenant's agents together have what so many of them may take alone, while there are other tenants. */
const AGENTS_WORTH = 4

/**
 * Against starvation between tenants: a bucket for each agent of one tenant, and one for all of them that counts while the event
 * loop is shared with other tenants, so that no number of agents buys a tenant more of it.
 */
export function createTenantBuckets(
  pace: { readonly perSecond: number; readonly burst: number },
  isShared: () => boolean,
  now?: () => number,
): TokenBuckets {
  const agents = createTokenBuckets(pace, now)
  const together = { perSecond: pace.perSecond * AGENTS_WORTH, burst: pace.burst * AGENTS_WORTH }
  const tenant = createTokenBuckets(together, now)
  const ALL = 'all'
  return {
    take(agent, amount) {
      const own = agents.take(agent, amount)
      // What it took while it was alone is nobody's loss.
      return isShared() ? Math.max(own, tenant.take(ALL, amount)) : own
    },
    isOverdrawn: (agent) => agents.isOverdrawn(agent) || (isShared() && tenant.isOverdrawn(ALL)),
  }
}
