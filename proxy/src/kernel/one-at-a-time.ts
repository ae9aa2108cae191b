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
