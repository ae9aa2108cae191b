/**
 * Requests of the last minute, in steps of a second: a request counts for at least sixty seconds, and until the
 * sixtieth second after its own is over. A fixed place for each second, so it takes the same room for any number of
 * requests.
 */
export interface MinuteWindow {
  count(nowMs: number): number
  add(nowMs: number): void
  /** Takes a request back that was added then. */
  remove(addedAtMs: number, nowMs: number): void
  /** Until fewer than `limit` count. */
  secondsUntilBelow(limit: number, nowMs: number): number
}

/** One more than a minute has: the second that a request came in was not whole. */
const SECONDS = 61

export function createMinuteWindow(): MinuteWindow {
  const counts = new Uint32Array(SECONDS)
  let total = 0
  let newest = 0

  /** Empties the places of the seconds that have passed. */
  function moveTo(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000)
    const passed = second - newest
    if (passed === 0) return
    if (Math.abs(passed) >= SECONDS) {
      counts.fill(0)
      total = 0
    } else if (passed < 0) {
      // The clock was set back a little: what is counted stays in its last second.
      return
    } else {
      for (let one = newest + 1; one <= second; one += 1) {
        total -= counts[one % SECONDS] ?? 0
        counts[one % SECONDS] = 0
      }
    }
    newest = second
  }

  return {
    count(nowMs) {
      moveTo(nowMs)
      return total
    },
    add(nowMs) {
      moveTo(nowMs)
      counts[newest % SECONDS] = (counts[newest % SECONDS] ?? 0) + 1
      total += 1
    },
    remove(addedAtMs, nowMs) {
      moveTo(nowMs)
      const second = Math.min(Math.floor(addedAtMs / 1_000), newest)
      const place = second % SECONDS
      if (newest - second >= SECONDS || (counts[place] ?? 0) === 0) return
      counts[place] = (counts[place] ?? 0) - 1
      total -= 1
    },
    secondsUntilBelow(limit, nowMs) {
      moveTo(nowMs)
      let left = total
      for (let second = newest - SECONDS + 1; second <= newest; second += 1) {
        if (left < limit) return Math.max(1, second - 1 + SECONDS - newest)
        left -= counts[second % SECONDS] ?? 0
      }
      return SECONDS
    },
  }
}
