import { currentOwner, loopTurns, onBehalfOf, type Turn } from '../kernel/index.ts'
/** Searches share the turns of the event loop with all other work that can be cut. */

/** For short texts, and those of which the caller can wait for nothing. */
export const ENDLESS_TURN: Turn = { isOver: () => false }

/** The turn of the event loop that is now. */
export const loopTurn: Turn = loopTurns

/** Calls back in one of the next turns of the event loop, on behalf of whoever asks now. */
export function inLaterTurn(goOn: () => void): void {
  const owner = currentOwner()
  loopTurns.later(owner, () => onBehalfOf(owner, goOn))
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
