/**
 * Round robin between owners, against starvation: one owner's work is served first come, first served, and an owner with
 * much waiting delays another one by a single item for each turn. Bounded for each owner and in all (backpressure).
 */
export interface FairQueue<T> {
  /** False when as much waits, of this owner or of all, as may wait: the caller refuses. */
  push(owner: string, item: T): boolean
  /**
   * The next in turn; owners that are not `ready` keep their place and are passed over. Of several, the one that has `used`
   * least is served first, where that is told: turns alone give most to whoever asks for the largest pieces.
   */
  shift(
    isReady?: (owner: string) => boolean,
    used?: (owner: string) => number,
  ): { readonly owner: string; readonly item: T } | undefined
  /** Whether it was still waiting. */
  remove(owner: string, item: T): boolean
  /** Takes out all that waits. */
  clear(): readonly T[]
  /** How many turns come before the item's, as it stands now and with every owner ready; undefined for what does not wait. */
  ahead(owner: string, item: T): number | undefined
  readonly size: number
  sizeOf(owner: string): number
}

export interface QueueBounds {
  /** Of one owner. */
  readonly perOwner: number
  /** Of all together. */
  readonly total: number
}

export function createFairQueue<T>({ perOwner, total }: QueueBounds): FairQueue<T> {
  /** In the order of turns. An owner with nothing waiting is not in it. */
  const waiting = new Map<string, T[]>()
  let size = 0

  return {
    push(owner, item) {
      const own = waiting.get(owner)
      if (size >= total || (own?.length ?? 0) >= perOwner) return false
      if (own === undefined) waiting.set(owner, [item])
      else own.push(item)
      size += 1
      return true
    },
    shift(isReady, used) {
      let next: string | undefined
      let least = Number.POSITIVE_INFINITY
      for (const owner of waiting.keys()) {
        if (isReady !== undefined && !isReady(owner)) continue
        const its = used === undefined ? 0 : used(owner)
        if (next !== undefined && its >= least) continue
        next = owner
        least = its
        if (used === undefined) break
      }
      const items = next === undefined ? undefined : waiting.get(next)
      if (next === undefined || items === undefined) return undefined
      const item = items.shift() as T
      size -= 1
      // Whoever was served goes to the end.
      waiting.delete(next)
      if (items.length > 0) waiting.set(next, items)
      return { owner: next, item }
    },
    remove(owner, item) {
      const own = waiting.get(owner)
      const at = own?.indexOf(item) ?? -1
      if (own === undefined || at === -1) return false
      own.splice(at, 1)
      size -= 1
      if (own.length === 0) waiting.delete(owner)
      return true
    },
    ahead(owner, item) {
      const at = waiting.get(owner)?.indexOf(item) ?? -1
      if (at === -1) return undefined
      let turns = at
      let isBefore = true
      for (const [other, items] of waiting) {
        if (other === owner) isBefore = false
        else turns += Math.min(items.length, isBefore ? at + 1 : at)
      }
      return turns
    },
    clear() {
      const all = [...waiting.values()].flat()
      waiting.clear()
      size = 0
      return all
    },
    get size() {
      return size
    },
    sizeOf: (owner) => waiting.get(owner)?.length ?? 0,
  }
}
