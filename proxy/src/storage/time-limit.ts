/** Ends what takes too long. One timer for all of them, since one each costs more than most units of work. */
export interface TimeLimit {
  /** `over` is called once, when the time has passed, unless the function that this returns was called before. */
  begin(over: () => void): () => void
}

interface Watched {
  readonly until: number
  over(): void
}

export function createTimeLimit(ms: number): TimeLimit {
  /** In the order in which they end. */
  const watched = new Set<Watched>()
  let isWaiting = false

  const look = (): void => {
    isWaiting = false
    for (const each of watched) {
      const left = each.until - performance.now()
      if (left > 0) {
        wait(left)
        return
      }
      watched.delete(each)
      each.over()
    }
  }
  const wait = (left: number): void => {
    if (isWaiting) return
    isWaiting = true
    setTimeout(look, Math.ceil(left)).unref()
  }

  return {
    begin(over) {
      const each: Watched = { until: performance.now() + ms, over }
      watched.add(each)
      wait(ms)
      return () => void watched.delete(each)
    },
  }
}
