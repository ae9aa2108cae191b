import type { Requester } from '../identity/index.ts'
import { AppError, type Clock, type ReadTx, type Storage, type Tx, type UnixMs } from '../kernel/index.ts'

/**
 * Pending limit: how many requests of one agent or app may wait for a person at once, over all kinds together; and its rate limit of new
 * cards an hour. What makes the daemon fetch for an agent (a skill_url, imports) is paid for before it begins, so an agent
 * without cards left can neither read nor tell anybody anything by the daemon's own requests.
 */
export interface WaitingLimit {
  /** Before one more is stored; throws rate_limited. `isReserved`: this request holds a place already. */
  assertPlace(tx: ReadTx, requester: Requester, isReserved?: boolean): Promise<void>
  /** One card for what a unit is about to store. Disposed when that unit has ended: where it was undone, nobody was asked. */
  card(requester: Requester): CardForUnit
  /** One card and one place, before anything is fetched; throws rate_limited. Release it when the request is settled. */
  reserve(requester: Requester): Promise<CardReservation>
}

export interface CardForUnit extends Disposable {
  /** In the unit; throws rate_limited. Once that is committed nothing gives it back: the person has seen the card. */
  spend(tx: Tx): void
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
  readonly storage: Pick<Storage, 'read'>
  /** Of every kind, without what is over. */
  readonly countWaiting: (tx: ReadTx, requester: Requester) => Promise<number>
  readonly maxWaitingPerAgent: number
  readonly lockdown: { assertOpen(): void }
  readonly clock: Clock
}): WaitingLimit {
  const { clock, maxWaitingPerAgent } = deps
  const asked = new Map<Requester['id'], readonly UnixMs[]>()
  /** Places that requests under way hold. */
  const held = new Map<Requester['id'], number>()

  const spend = ({ id }: Requester): UnixMs => {
    const now = clock.now()
    const recent = (asked.get(id) ?? []).filter((at) => at > now - WINDOW_MS)
    if (recent.length >= maxWaitingPerAgent * CARDS_PER_PLACE) {
      throw new AppError('rate_limited', 'You have asked a person too often within the last hour.', {
        retryAfterSeconds: Math.ceil(((recent[0] ?? now) + WINDOW_MS - now) / 1_000),
      })
    }
    asked.set(id, [...recent, now])
    return now
  }

  const giveBack = ({ id }: Requester, at: UnixMs): void => {
    const times = asked.get(id) ?? []
    const index = times.lastIndexOf(at)
    if (index !== -1) asked.set(id, times.toSpliced(index, 1))
  }

  const assertPlace = async (tx: ReadTx, requester: Requester, isReserved = false): Promise<void> => {
    deps.lockdown.assertOpen()
    const others = (held.get(requester.id) ?? 0) - (isReserved ? 1 : 0)
    if ((await deps.countWaiting(tx, requester)) + others < maxWaitingPerAgent) return
    throw new AppError('rate_limited', `${maxWaitingPerAgent} requests of yours wait already.`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  }

  const hold = ({ id }: Requester): (() => void) => {
    held.set(id, (held.get(id) ?? 0) + 1)
    return () => {
      const left = (held.get(id) ?? 1) - 1
      if (left <= 0) held.delete(id)
      else held.set(id, left)
    }
  }

  return {
    assertPlace,

    card(requester) {
      let at: UnixMs | undefined
      let isKept = false
      return {
        spend(tx) {
          at = spend(requester)
          tx.onCommit(() => {
            isKept = true
          })
        },
        [Symbol.dispose]() {
          if (at !== undefined && !isKept) giveBack(requester, at)
        },
      }
    },

    async reserve(requester) {
      // The place is held before others are counted, so that two that come at once do not both find the last one free.
      const release = hold(requester)
      let at: UnixMs
      try {
        await deps.storage.read((tx) => assertPlace(tx, requester, true))
        at = spend(requester)
      } catch (error) {
        release()
        throw error
      }
      let open = true
      return {
        refund() {
          if (open) giveBack(requester, at)
        },
        [Symbol.dispose]() {
          if (!open) return
          open = false
          release()
        },
      }
    },
  }
}
