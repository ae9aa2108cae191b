/** So many a second, and a burst of as many (a token bucket). */
export function createAllowance(perSecond: number, now: () => number = () => performance.now()) {
  let left = perSecond
  let atMs = now()
  return {
    /** Takes one and returns 0, or the milliseconds until there is one again. */
    take(): number {
      const nowMs = now()
      left = Math.min(perSecond, left + ((nowMs - atMs) * perSecond) / 1_000)
      atMs = nowMs
      if (left < 1) return Math.ceil(((1 - left) * 1_000) / perSecond)
      left -= 1
      return 0
    },
  }
}
