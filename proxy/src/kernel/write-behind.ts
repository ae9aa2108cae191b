import { AsyncLocalStorage } from 'node:async_hooks'

/** A write that follows what memory says already: begun beside what made it needful, one at a time, repeated until it stands. */
export interface WriteBehind {
  /** Begins it, or does it once more after what is under way. Never throws: what fails is left for `settle`. */
  begin(): void
  /** Does what is left; rejects when it still cannot. */
  settle(): Promise<void>
}

/** To be made outside of every unit of work: `work` runs in the async context of this call. */
export function createWriteBehind(work: () => Promise<void>): WriteBehind {
  // It may be begun on the way of a unit of work, inside which no other one can be opened.
  const outside = AsyncLocalStorage.snapshot()
  let isNeeded = false
  let running: Promise<void> | undefined

  const run = async (): Promise<void> => {
    try {
      while (isNeeded) {
        isNeeded = false
        try {
          await work()
        } catch (error) {
          isNeeded = true
          throw error
        }
      }
    } finally {
      running = undefined
    }
  }
  const start = (): Promise<void> => {
    running ??= outside(run)
    return running
  }

  return {
    begin() {
      isNeeded = true
      start().catch(() => {})
    },
    async settle() {
      if (isNeeded || running !== undefined) await start()
    },
  }
}
