/** Runs pieces of work one after the other, in the order in which they came; one that fails holds up none behind it. */
export type OneAtATime = <T>(work: () => Promise<T>) => Promise<T>

/** Mutual exclusion across awaits, within this process. */
export function createOneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
}

/** The same for each key alone; nothing is kept of a key that no work is under way for. */
export function createOneAtATimeEach<Key>(): <T>(key: Key, work: () => Promise<T>) => Promise<T> {
  const lanes = new Map<Key, { readonly inTurn: OneAtATime; underWay: number }>()
  return async (key, work) => {
    const lane = lanes.get(key) ?? { inTurn: createOneAtATime(), underWay: 0 }
    lanes.set(key, lane)
    lane.underWay += 1
    try {
      return await lane.inTurn(work)
    } finally {
      lane.underWay -= 1
      if (lane.underWay === 0) lanes.delete(key)
    }
  }
}
