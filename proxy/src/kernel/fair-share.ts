/**
 * Dynamic thresholds (Choudhury and Hahne 1998), against one owner exhausting a shared total: an owner may take half of what
 * the others leave, and no more than `perOwner`. However many owners take all that they may, the next one finds room: half
 * of what is left.
 */
export const fairShare = (
  { total, perOwner }: { readonly total: number; readonly perOwner: number },
  takenByOthers: number,
): number => Math.min(perOwner, Math.floor((total - takenByOthers) / 2))

/** What several groups of owners (tenants) take of one total. */
export interface SharedTotal {
  taken: number
  /** How many groups there are. */
  readonly groups: { count: number }
}

export const createSharedTotal = (groups = { count: 1 }): SharedTotal => ({ taken: 0, groups })

/**
 * The shares of the owners of one group, which has taken `own`: groups share the total by dynamic thresholds before the owners of
 * each do, so a group with many owners leaves the others as much as one with few. Of one group alone they are `shares` as they are.
 */
export const groupShares = <S extends { readonly total: number; readonly perOwner: number }>(
  shares: S,
  { taken, groups }: SharedTotal,
  own: number,
): Pick<S, 'total' | 'perOwner'> =>
  groups.count < 2
    ? shares
    : { total: Math.floor((shares.total - (taken - own)) / 2), perOwner: shares.perOwner }
