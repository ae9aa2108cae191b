import { AppError, type Clock, type UnixMs } from '../../kernel/index.ts'

/**
 * How often an agent may ask a person. What makes the daemon fetch for an agent (a skill_url, imports) is paid for before
 * it begins, so an agent without cards left can neither read nor tell anybody anything by the daemon's own requests.
 */
export interface CardBudget {
  /** One card for what is about to be stored; throws rate_limited. Nothing gives it back: the person has seen the card. */
  spend(agentId: string): void
  /** One card and one place, before anything is fetched; throws rate_limited. Release it when the request is settled. */
  reserve(agentId: string): CardReservation
}

export interface CardReservation extends Disposable {
  /** Gives the card back: nobody was asked, and nothing was fetched from where a person had not approved. */
  refund(): void
}

const WINDOW_MS = 3_600_000
/** New cards an hour, for each place among those that may wait at once. */
const CARDS_PER_PLACE = 3

export function createCardBudget(deps: {
  readonly countWaiting: (agentId: string) => number
  readonly maxWaitingPerAgent: number
  readonly clock: Clock
}): CardBudget {
  const { clock, maxWaitingPerAgent } = deps
  const asked = new Map<string, readonly UnixMs[]>()
  /** Places that requests under way hold. */
  const held = new Map<string, number>()

  const spend = (agentId: string): UnixMs => {
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

  return {
    spend: (agentId) => void spend(agentId),

    reserve(agentId) {
      const places = held.get(agentId) ?? 0
      if (deps.countWaiting(agentId) + places >= maxWaitingPerAgent) throw tooManyWait(maxWaitingPerAgent)
      const at = spend(agentId)
      held.set(agentId, places + 1)
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

export const tooManyWait = (max: number): AppError =>
  new AppError('rate_limited', `${max} requests of yours wait already.`, { retryAfterSeconds: 30 })
