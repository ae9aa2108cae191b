import { createSharedTotal, fairShare, groupShares } from '../../kernel/index.ts'

/** How many requests may be under way at once: each holds sockets and memory. */
export interface InFlight {
  /** Null when there are too many; the place is given back when what it answers is disposed of. */
  take(agentId: string): Disposable | null
  /** Resolves when none is under way any more. */
  settled(): Promise<void>
}

const SHARES = { total: 4_096, perOwner: 512 }

/** Of one agent; each place keeps it, so that it need not be looked up again. */
interface Count {
  readonly agentId: string
  places: number
}

export function createInFlight(shares = SHARES, total = createSharedTotal()): InFlight {
  /** Of agents that have some under way. */
  const counts = new Map<string, Count>()
  let all = 0
  let waiting: (() => void)[] = []

  class Place implements Disposable {
    readonly #count: Count

    constructor(count: Count) {
      this.#count = count
    }

    [Symbol.dispose](): void {
      const count = this.#count
      count.places -= 1
      if (count.places === 0) counts.delete(count.agentId)
      all -= 1
      total.taken -= 1
      if (all > 0) return
      const told = waiting
      waiting = []
      for (const tell of told) tell()
    }
  }

  return {
    take(agentId) {
      const count = counts.get(agentId) ?? { agentId, places: 0 }
      if (count.places >= fairShare(groupShares(shares, total, all), all - count.places)) return null
      if (count.places === 0) counts.set(agentId, count)
      count.places += 1
      all += 1
      total.taken += 1
      return new Place(count)
    },
    settled: () => (all === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
