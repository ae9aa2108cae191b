import { createFairQueue } from './fair-queue.ts'

/**
 * Who goes next on the event loop: in each of its turns work begins for so long, and what came after that waits for the
 * next turn, owners one after the other. However much one owner sends, another one's work begins a turn later at most.
 */
export interface LoopTurns {
  /** Undefined where the work may begin at once, which costs no turn; else resolves when it may. */
  wait(owner: string): Promise<void> | undefined
}

/** Long enough for what comes at once on a busy day; short beside what a person or an LLM takes. */
const TURN_MS = 2

export function createLoopTurns(now: () => number = () => performance.now()): LoopTurns {
  const queue = createFairQueue<() => void>({
    perOwner: Number.POSITIVE_INFINITY,
    total: Number.POSITIVE_INFINITY,
  })
  /** When the first work of this turn began; null where none did. */
  let begunAt: number | null = null

  const begin = (): number => {
    if (begunAt === null) {
      begunAt = now()
      setImmediate(turnOver)
    }
    return begunAt
  }
  const turnOver = (): void => {
    begunAt = null
    if (queue.size > 0) next()
  }
  const next = (): void => {
    if (now() - begin() >= TURN_MS) return
    queue.shift()?.item()
    // Once all that follows from it at once was done, its time is known.
    if (queue.size > 0) queueMicrotask(() => process.nextTick(next))
  }

  return {
    wait(owner) {
      if (now() - begin() < TURN_MS && queue.sizeOf(owner) === 0) return undefined
      return new Promise((resolve) => void queue.push(owner, resolve))
    },
  }
}
