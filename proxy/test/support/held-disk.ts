import type { fdatasync } from 'node:fs'

/** A disk that takes what is committed in groups when the test lets it; in the end it does, so that a daemon can stop. */
export interface HeldDisk extends Disposable {
  /** For `compose()`. */
  readonly toDisk: typeof fdatasync
  hold(): void
  /** Takes what waits, and what comes. */
  release(): void
  /** How many writes wait. */
  readonly waiting: number
}

export function createHeldDisk(): HeldDisk {
  let isHeld = false
  let waiting: ((error: null) => void)[] = []
  const release = (): void => {
    isHeld = false
    const taken = waiting
    waiting = []
    for (const done of taken) done(null)
  }
  return {
    toDisk: ((_file: number, done: (error: null) => void) => {
      if (isHeld) waiting.push(done)
      else setImmediate(done, null)
    }) as unknown as typeof fdatasync,
    hold() {
      isHeld = true
    },
    release,
    [Symbol.dispose]: release,
    get waiting() {
      return waiting.length
    },
  }
}
