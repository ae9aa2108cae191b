import { createFairQueue, type QueueBounds } from './fair-queue.ts'

/**
 * A semaphore with a quota for each owner, against starvation: of the places for work that may run at once, one owner has at
 * most `perOwner`, so that one alone never holds all, and a place that becomes free goes to the owners in turn.
 */
export interface FairSlots {
  /**
   * Resolves with a place, to be disposed of when the work is over; undefined when the queue is full. Rejects with the
   * signal's reason when it aborts first; a place that is waited for is then given up. `onWaiting` is called where none is free, with
   * what tells how many turns come before this one.
   */
  take(
    owner: string,
    signal?: AbortSignal,
    onWaiting?: (ahead: () => number) => void,
  ): Promise<Disposable | undefined>
  readonly taken: number
  readonly waiting: number
  waitingOf(owner: string): number
}

export interface SlotShares {
  readonly total: number
  /** Of one owner, while it runs. Less than `total` keeps a place for others whatever one owner does. */
  readonly perOwner: number | ((owner: string) => number)
  /** What may wait for a place. */
  readonly waiting: QueueBounds
}

interface Waiter {
  readonly granted: (place: Disposable) => void
}

export function createFairSlots({ total, perOwner, waiting }: SlotShares): FairSlots {
  const queue = createFairQueue<Waiter>(waiting)
  const held = new Map<string, number>()
  let taken = 0

  const mostOf = typeof perOwner === 'number' ? () => perOwner : perOwner
  const isReady = (owner: string): boolean => (held.get(owner) ?? 0) < mostOf(owner)

  function place(owner: string): Disposable {
    held.set(owner, (held.get(owner) ?? 0) + 1)
    taken += 1
    let isFree = false
    return {
      [Symbol.dispose]() {
        if (isFree) return
        isFree = true
        taken -= 1
        const left = (held.get(owner) ?? 1) - 1
        if (left > 0) held.set(owner, left)
        else held.delete(owner)
        pump()
      },
    }
  }

  function pump(): void {
    while (taken < total) {
      const next = queue.shift(isReady)
      if (next === undefined) return
      next.item.granted(place(next.owner))
    }
  }

  return {
    async take(owner, signal, onWaiting) {
      signal?.throwIfAborted()
      if (taken < total && isReady(owner) && queue.sizeOf(owner) === 0) return place(owner)
      const { promise, resolve, reject } = Promise.withResolvers<Disposable>()
      const waiter: Waiter = { granted: resolve }
      if (!queue.push(owner, waiter)) return undefined
      onWaiting?.(() => queue.ahead(owner, waiter) ?? 0)
      const giveUp = (): void => {
        if (queue.remove(owner, waiter)) reject(signal?.reason)
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      return promise.finally(() => signal?.removeEventListener('abort', giveUp))
    },
    get taken() {
      return taken
    },
    get waiting() {
      return queue.size
    },
    waitingOf: (owner) => queue.sizeOf(owner),
  }
}
