/** Rate limits by owner. A bucket may be overdrawn by what cannot be divided, and is paid back before the next is taken. */
export interface TokenBuckets {
  /**
   * Takes so much from the owner's bucket, also what is not in it. For so many milliseconds nothing more is to be taken; 0
   * for none.
   */
  take(owner: string, amount: number): number
  /** Whether the owner has taken more than there was. */
  isOverdrawn(owner: string): boolean
}

/** Token buckets (RFC 2697 has the form), one an owner: `perSecond` units flow in, up to `burst`. */
export function createTokenBuckets(
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  now: () => number = () => performance.now(),
): TokenBuckets {
  const buckets = new Map<string, { left: number; at: number }>()
  const refilled = (owner: string): { left: number; at: number } => {
    const at = now()
    const bucket = buckets.get(owner) ?? { left: burst, at }
    bucket.left = Math.min(burst, bucket.left + ((at - bucket.at) / 1_000) * perSecond)
    bucket.at = at
    return bucket
  }
  return {
    take(owner, amount) {
      const bucket = refilled(owner)
      bucket.left -= amount
      buckets.set(owner, bucket)
      return bucket.left >= 0 ? 0 : Math.ceil((-bucket.left / perSecond) * 1_000)
    },
    isOverdrawn: (owner) => buckets.has(owner) && refilled(owner).left < 0,
  }
}
