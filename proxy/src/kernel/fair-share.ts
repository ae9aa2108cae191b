/**
 * How much of a total one owner may take: half of what the others leave, and no more than `perOwner` (dynamic
 * thresholds, Choudhury and Hahne 1998). However many owners take all that they may,
 * the next one finds room: half of what is left.
 */
export const fairShare = (
  { total, perOwner }: { readonly total: number; readonly perOwner: number },
  takenByOthers: number,
): number => Math.min(perOwner, Math.floor((total - takenByOthers) / 2))
