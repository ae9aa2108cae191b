import { fairShare } from '../../kernel/index.ts'

/** How many requests may be under way at once: each holds sockets and memory. */
export interface InFlight {
  /** Null when there are too many; the place is given back when what it answers is disposed of. */
  take(agentId: string): Disposable | null
  /** Resolves when none is under way any more. */
  settled(): Promise<void>
}

const SHARES = { total: 4_096, perOwner: 512 }

export function createInFlight(shares = SHARES): InFlight {
  const counts = new Map<string, number>()
  let all = 0
  let waiting: (() => void)[] = []

  class Place implements Disposable {
    readonly #agentId: string

    constructor(agentId: string) {
      this.#agentId = agentId
    }

    [Symbol.dispose](): void {
      const left = (counts.get(this.#agentId) ?? 1) - 1
      if (left > 0) counts.set(this.#agentId, left)
      else counts.delete(this.#agentId)
      all -= 1
      if (all > 0) return
      const told = waiting
      waiting = []
      for (const tell of told) tell()
    }
  }

  return {
    take(agentId) {
      const mine = counts.get(agentId) ?? 0
      if (mine >= fairShare(shares, all - mine)) return null
      counts.set(agentId, mine + 1)
      all += 1
      return new Place(agentId)
    },
    settled: () => (all === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
