import type { ProviderGrant } from './ports.ts'

/**
 * How many requests went out under grants for a number of them. Memory counts first, so that of many at once no more are let through
 * than are left; the disk follows before the request goes out, so that a crash gives none of them twice.
 */
export interface RequestCounts {
  /** Of memory and disk the higher: what could not be written stays counted until a restart. */
  used(grant: ProviderGrant): number
  isUsedUp(grant: ProviderGrant): boolean
  /** Whether one that was counted is not over yet. */
  isUnderWay(id: number): boolean
  /** One more of each, or of none: false where one of them has none left. */
  take(grants: readonly ProviderGrant[]): boolean
  /** It is over, however it went: none is given back. */
  over(id: number): void
  keepOnly(ids: ReadonlySet<number>): void
}

interface Count {
  used: number
  underWay: number
}

export function createRequestCounts(): RequestCounts {
  const counts = new Map<number, Count>()
  const used = ({ id, requestsUsed }: ProviderGrant): number =>
    Math.max(requestsUsed, counts.get(id)?.used ?? 0)
  const isUsedUp = (grant: ProviderGrant): boolean =>
    grant.limits.requests !== null && used(grant) >= grant.limits.requests

  return {
    used,
    isUsedUp,
    isUnderWay: (id) => (counts.get(id)?.underWay ?? 0) > 0,
    take(grants) {
      if (grants.some(isUsedUp)) return false
      for (const grant of grants) {
        const { underWay } = counts.get(grant.id) ?? { underWay: 0 }
        counts.set(grant.id, { used: used(grant) + 1, underWay: underWay + 1 })
      }
      return true
    },
    over(id) {
      const count = counts.get(id)
      if (count !== undefined) count.underWay -= 1
    },
    keepOnly(ids) {
      for (const id of counts.keys()) if (!ids.has(id)) counts.delete(id)
    },
  }
}
