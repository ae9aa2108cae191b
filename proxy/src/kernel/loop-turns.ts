import { createFairQueue } from './fair-queue.ts'

/** Whether a piece of work has to stop and go on later. */
export interface Turn {
  isOver(): boolean
}

/**
 * Cooperative scheduling, against starvation of the event loop: in each of its turns work has so many milliseconds together,
 * and what is not begun or done by then goes on in a later one, owners (agents) one after the other. However much one owner
 * has to do, another one's work begins a turn later at most.
 */
export interface LoopTurns extends Turn {
  /** Undefined where the owner's work may begin at once, which costs no turn; else resolves when it may. */
  wait(owner: string): Promise<void> | undefined
  /** Calls back in one of the next turns, with some time of it left. */
  later(owner: string, goOn: () => void): void
}

/** Long enough for what comes at once on a busy day; short beside what a person or an LLM takes. */
const TURN_MS = 4

export function createLoopTurns(now: () => number = () => performance.now()): LoopTurns {
  /** Each piece of work waits once at most, so there are no more of them than pieces under way. */
  const queue = createFairQueue<() => void>({
    perOwner: Number.POSITIVE_INFINITY,
    total: Number.POSITIVE_INFINITY,
  })
  /** When the first work of this turn began; null where none did. */
  let begunAt: number | null = null

  const isOver = (): boolean => {
    if (begunAt !== null) return now() - begunAt >= TURN_MS
    begunAt = now()
    setImmediate(turnOver)
    return false
  }
  const turnOver = (): void => {
    begunAt = null
    if (queue.size > 0) next()
  }
  const next = (): void => {
    if (isOver()) return
    try {
      queue.shift()?.item()
    } finally {
      // Once all that follows from it at once was done, its time is known.
      if (queue.size > 0) queueMicrotask(() => process.nextTick(next))
    }
  }

  return {
    isOver,
    wait(owner) {
      if (!isOver() && queue.sizeOf(owner) === 0) return undefined
      return new Promise((resolve) => void queue.push(owner, resolve))
    },
    later(owner, goOn) {
      queue.push(owner, goOn)
      // Where nothing has begun in this turn, its end is still to be heard of.
      isOver()
    },
  }
}

/** There is one event loop. */
export const loopTurns = createLoopTurns()
