/** Something that writes. */
export interface Flushing {
  flush(): void
  /** What it would write cannot be written. */
  breakOff(): void
}

let waiting: Flushing[] = []
/** Of this turn, and of the last one in which anything was to be written. */
let count = 0
let lastCount = 0

/**
 * Once everything that came in this turn of the event loop has been looked at, all writes follow one another: whoever
 * waits for them is woken once for many, and small pieces leave together. One that fails breaks off alone.
 */
export function flushAtTurnEnd(flushing: Flushing): void {
  begin()
  waiting.push(flushing)
}

/** The same for what leaves whole: where the last turn had one alone to write, the next one waits for no others. */
export function flushSoon(flushing: Flushing): void {
  if (begin() && lastCount === 1) flushOne(flushing)
  else waiting.push(flushing)
}

/** Whether it is the first of its turn. */
function begin(): boolean {
  count += 1
  if (count === 1) setImmediate(flushAll)
  return count === 1
}

function flushAll(): void {
  const all = waiting
  waiting = []
  lastCount = count
  count = 0
  for (const one of all) flushOne(one)
}

function flushOne(one: Flushing): void {
  try {
    one.flush()
  } catch {
    one.breakOff()
  }
}
