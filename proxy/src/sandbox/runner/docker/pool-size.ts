/** How many containers shall wait: as many as were claimed while one was made anew, within bounds. */
export interface PoolSize {
  claimed(): void
  readonly wanted: number
  /** When it may want fewer than now, in milliseconds; undefined where it wants the fewest. */
  readonly fewerInMs: number | undefined
}

/** What was claimed within so long had to be there already: about what a refill takes on a busy machine. */
const REFILL_MS = 2_000
/** How long a burst is remembered. */
const MEMORY_MS = 60_000
/** Of what always waits; each takes some 24 MiB. */
const MOST_TIMES = 4

/** `least` always wait, and at most `mostTimes` as many; with none it stays at none. `now` in milliseconds. */
export function createPoolSize(
  least: number,
  now: () => number = () => performance.now(),
  mostTimes = MOST_TIMES,
): PoolSize {
  const most = least * mostTimes
  /** At most as many as are of interest. */
  let recent: number[] = []
  let burst = 0
  let burstAt = 0

  const look = (): void => {
    const at = now()
    recent = recent.filter((time) => at - time < REFILL_MS)
    if (recent.length < burst && at - burstAt < MEMORY_MS) return
    burst = recent.length
    burstAt = at
  }

  return {
    claimed() {
      if (most === 0) return
      recent = [...recent, now()].slice(-most)
      look()
    },
    get wanted() {
      look()
      return Math.min(most, Math.max(least, burst))
    },
    get fewerInMs() {
      look()
      return burst > least ? Math.max(0, burstAt + MEMORY_MS - now()) : undefined
    },
  }
}
