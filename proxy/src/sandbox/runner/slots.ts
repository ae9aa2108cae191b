/** Resolves with what the task does, once it has had its turn. */
export type Slots = <T>(task: () => Promise<T>) => Promise<T>

/** Lets at most `limit` tasks run at once; the others wait in order. */
export function createSlots(limit: number): Slots {
  const waiting: (() => void)[] = []
  let taken = 0
  return async (task) => {
    if (taken >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else taken += 1
    try {
      return await task()
    } finally {
      // The slot passes straight to the next in line, so nobody can slip in between.
      const next = waiting.shift()
      if (next === undefined) taken -= 1
      else next()
    }
  }
}
