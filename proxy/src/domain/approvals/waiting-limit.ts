import { type AgentId, AppError, type Clock, type UnixMs } from '../../kernel/index.ts'

/**
 * How much one agent may ask of a person, over all kinds of requests together: so many that wait, and so many new cards
 * an hour. What makes the daemon fetch for an agent (a skill_url, imports) is paid for before it begins, so an agent
 * without cards left can neither read nor tell anybody anything by the daemon's own requests.
 */
export interface WaitingLimit {
  /** Before one more is stored; throws rate_limited. `isReserved`: this request holds a place already. */
  assertPlace(agentId: AgentId, isReserved?: boolean): void
  /** One card for what is about to be stored; throws rate_limited. Nothing gives it back: the person has seen the card. */
  spend(agentId: AgentId): void
  /** One card and one place, before anything is fetched; throws rate_limited. Release it when the request is settled. */
  reserve(agentId: AgentId): CardReservation
}

export interface CardReservation extends Disposable {
  /** Gives the card back: nobody was asked, and nothing was fetched from where a person had not approved. */
  refund(): void
}

const WINDOW_MS = 3_600_000
/** New cards an hour, for each place among those that may wait at once. */
const CARDS_PER_PLACE = 3
/** When to come back with so many waiting: an answer may come at any time. */
const RETRY_AFTER_SECONDS = 30

export function createWaitingLimit(deps: {
  /** Of every kind, without what is over. */
  readonly countWaiting: (agentId: AgentId) => number
  readonly maxWaitingPerAgent: number
  readonly clock: Clock
}): WaitingLimit {
  const { clock, maxWaitingPerAgent } = deps
  const asked = new Map<AgentId, readonly UnixMs[]>()
  /** Places that requests under way hold. */
  const held = new Map<AgentId, number>()

  const spend = (agentId: AgentId): UnixMs => {
    const now = clock.now()
    const recent = (asked.get(agentId) ?? []).filter((at) => at > now - WINDOW_MS)
    if (recent.length >= maxWaitingPerAgent * CARDS_PER_PLACE) {
      throw new AppError('rate_limited', 'You have asked a person too often within the last hour.', {
        retryAfterSeconds: Math.ceil(((recent[0] ?? now) + WINDOW_MS - now) / 1_000),
      })
    }
    asked.set(agentId, [...recent, now])
    return now
  }

  const assertPlace = (agentId: AgentId, isReserved = false): void => {
    const others = (held.get(agentId) ?? 0) - (isReserved ? 1 : 0)
    if (deps.countWaiting(agentId) + others < maxWaitingPerAgent) return
    throw new AppError('rate_limited', `${maxWaitingPerAgent} requests of yours wait already.`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  }

  return {
    assertPlace,
    spend: (agentId) => void spend(agentId),

    reserve(agentId) {
      assertPlace(agentId)
      const at = spend(agentId)
      held.set(agentId, (held.get(agentId) ?? 0) + 1)
      let open = true
      return {
        refund() {
          const times = asked.get(agentId) ?? []
          const index = times.lastIndexOf(at)
          if (open && index !== -1) asked.set(agentId, times.toSpliced(index, 1))
        },
        [Symbol.dispose]() {
          if (!open) return
          open = false
          const left = (held.get(agentId) ?? 1) - 1
          if (left <= 0) held.delete(agentId)
          else held.set(agentId, left)
        },
      }
    },
  }
}
