/**
 * Searches share the event loop with everything else: in each of its turns they have so many milliseconds together, and
 * what is not read through by then goes on in a later one. Owners (agents) take turns at that, whatever number of
 * texts each of them has.
 */
import { createFairQueue, currentOwner, onBehalfOf } from '../../kernel/index.ts'

/** Whether a piece of work has to stop and go on later. */
export interface Turn {
  isOver(): boolean
}

/** For short texts, and those of which the caller can wait for nothing. */
export const ENDLESS_TURN: Turn = { isOver: () => false }

const TURN_MS = 4

/** Each waits once at most, so there are no more of them than texts that are being read. */
const waiting = createFairQueue<() => void>({
  perOwner: Number.POSITIVE_INFINITY,
  total: Number.POSITIVE_INFINITY,
})
/** Of the first question in this turn of the event loop; 0 before it. */
let begunAt = 0
let isScheduled = false

/** The turn of the event loop that is now. */
export const loopTurn: Turn = {
  isOver() {
    const now = performance.now()
    if (begunAt === 0) {
      begunAt = now
      schedule()
      return false
    }
    return now - begunAt >= TURN_MS
  },
}

/** Calls back in one of the next turns of the event loop, with some time of it left. */
export function inLaterTurn(goOn: () => void): void {
  waiting.push(currentOwner(), goOn)
  schedule()
}

/** The same as a promise. */
export const laterTurn = (): Promise<void> => new Promise((resolve) => inLaterTurn(resolve))

/** Does work that yields now and then, as the turns of the event loop allow; gives what it returns. */
export async function doneInTurns<T>(work: Iterator<unknown, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    if (loopTurn.isOver()) await laterTurn()
  }
}

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(nextTurn)
}

function nextTurn(): void {
  isScheduled = false
  begunAt = 0
  if (waiting.size > 0) serveNext()
}

/** One after the other, with what it resolves in between: whoever is served uses the turn up, or leaves some of it. */
function serveNext(): void {
  const next = loopTurn.isOver() ? undefined : waiting.shift()
  if (next === undefined) {
    if (waiting.size > 0) schedule()
    return
  }
  try {
    onBehalfOf(next.owner, next.item)
  } finally {
    queueMicrotask(serveNext)
  }
}
