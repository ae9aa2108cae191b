/** Something that writes. */
export interface Flushing {
  flush(): void
  /** What it would write cannot be written. */
  breakOff(): void
}

let waiting: Flushing[] = []

/**
 * Once everything that came in this turn of the event loop has been looked at, all writes follow one another: whoever
 * waits for them is woken once for many, and small pieces leave together. One that fails breaks off alone.
 */
export function flushAtTurnEnd(flushing: Flushing): void {
  if (waiting.length === 0) setImmediate(flushAll)
  waiting.push(flushing)
}

function flushAll(): void {
  const all = waiting
  waiting = []
  for (const one of all) {
    try {
      one.flush()
    } catch {
      one.breakOff()
    }
  }
}
