/** Backpressure by time: what a machine says comes as fast as the machine likes, and reading it is the daemon's work. */

/** What is read of one machine before others have their turn, in milliseconds of work. */
const TURN_MS = 5
/** So many times as long as reading took the machine waits. */
const REST = 4

export interface ReadingPace {
  /** Reading begins, or goes on after others had their turn. */
  begin(): void
  /** How long nothing is read from now on, in milliseconds: 0 while its turn is not over, and reading goes on. */
  lap(): number
}

/** A leaky bucket of work: pieces that take next to nothing each add up, and a pause in what comes pays for them. */
export function createReadingPace(now: () => number = () => performance.now()): ReadingPace {
  let debtMs = 0
  let at = now()
  return {
    begin() {
      const time = now()
      debtMs = Math.max(0, debtMs - (time - at) / REST)
      at = time
    },
    lap() {
      const time = now()
      debtMs += time - at
      at = time
      return debtMs < TURN_MS ? 0 : debtMs * REST
    },
  }
}
