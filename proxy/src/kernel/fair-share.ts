/**
 * Dynamic thresholds (Choudhury and Hahne 1998), against one owner exhausting a shared total: an owner may take half of what
 * the others leave, and no more than `perOwner`. However many owners take all that they may, the next one finds room: half
 * of what is left.
 */
export const fairShare = (
  { total, perOwner }: { readonly total: number; readonly perOwner: number },
  takenByOthers: number,
): number => Math.min(perOwner, Math.floor((total - takenByOthers) / 2))
