/** One at a time, first come, first served. */
export interface Lane {
  /** Resolves when it is the caller's turn; `release` ends it, once. */
  enter(): Promise<void>
  release(): void
  /** Whether nobody is in it or waits for it. */
  readonly isFree: boolean
}

export function createLane(): Lane {
  let isTaken = false
  const waiting: (() => void)[] = []
  return {
    enter() {
      if (isTaken) return new Promise((resolve) => void waiting.push(resolve))
      isTaken = true
      return Promise.resolve()
    },
    release() {
      const next = waiting.shift()
      if (next === undefined) isTaken = false
      else next()
    },
    get isFree() {
      return !isTaken
    },
  }
}
