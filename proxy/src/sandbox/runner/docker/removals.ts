import type { Slots } from '../slots.ts'

/**
 * Removals of containers that have ended, some at a time: each is work for the engine, which at that very moment makes another
 * container ready, or is asked to.
 */
export interface Removals {
  /** `work` is begun with others, soon. */
  later(work: () => Promise<void>): Promise<void>
  readonly now: Slots
}

const BATCH = 4
const LONGEST_WAIT_MS = 500

/** `slot`: how many go at once. Once `closing` is aborted nothing waits for others. */
export function createRemovals(slot: Slots, closing: AbortSignal): Removals {
  let waiting: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined

  const begin = (): void => {
    clearTimeout(timer)
    timer = undefined
    const batch = waiting
    waiting = []
    for (const go of batch) go()
  }

  closing.addEventListener('abort', begin)
  return {
    async later(work) {
      if (!closing.aborted) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          timer ??= setTimeout(begin, LONGEST_WAIT_MS)
          if (waiting.length >= BATCH) begin()
        })
      }
      await slot(work)
    },
    now: slot,
  }
}
