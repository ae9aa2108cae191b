import type { AuditLog } from '../audit/index.ts'
import type { Principal } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  type EventPublisher,
  type Storage,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'
import { whyUnanswerable } from './answerable.ts'
import type { ApprovalEvent } from './approval-state.ts'
import { deciderOf } from './decider.ts'
import { isOver } from './expiry.ts'
import { type ApprovalKind, type ApprovalSubject, REMINDED_AT_ONCE, type RefusalReason } from './kind.ts'
import type { WaitingLimit } from './waiting-limit.ts'

/** What came of being asked once more. */
export type AgainOutcome =
  /** The id of the request that asks it. */
  | { readonly accepted: true; readonly id: string }
  | {
      readonly accepted: false
      readonly reason: Extract<RefusalReason, 'not_permitted' | 'other_consent'>
      readonly message: string
    }

/** How a request of one kind that nobody answers is kept from dying unseen. */
export interface FollowUps {
  /**
   * Asks once more what expired: the same content, of the same requester, under a new id and with a time of its own. It is a card like any
   * other and is answered like any other. Throws not_found, conflict where that cannot be, rate_limited when too many wait.
   */
  askAgain(tx: Tx, id: string, shownHash: string, by: Principal): Promise<AgainOutcome>
  /** Whoever is asked is reminded, once, of what has a quarter of its time left and no answer. */
  remind(): Promise<void>
}

/** Less time than that is too little to act on. */
const MIN_LEFT_MS = 10_000

export function createFollowUps<Row extends ApprovalSubject, Answer, Subject extends Row>(
  kind: ApprovalKind<Row, Answer, Subject>,
  deps: {
    readonly audit: AuditLog
    readonly storage: Storage
    readonly clock: Clock
    readonly events: EventPublisher<ApprovalEvent>
    readonly approvalTtlMs: number
    readonly limit: Pick<WaitingLimit, 'assertPlace'>
    readonly requested: (tx: Tx, subject: Subject) => Promise<void>
  },
): FollowUps {
  const { audit, storage, clock, events } = deps
  const { followUp } = kind
  const quarterMs = deps.approvalTtlMs / 4
  /** Of what is over by then everybody was reminded, so that nothing is read twice while nothing is due. */
  let remindedTo: UnixMs = 0

  const isDue = (subject: Subject, now: UnixMs): boolean =>
    kind.stateOf(subject) === 'pending' && !isOver(subject, now + MIN_LEFT_MS)

  return {
    async askAgain(tx, id, shownHash, by) {
      const subject = await kind.find(tx, id)
      if (subject === undefined) throw new AppError('not_found', 'Nothing of this id was asked.')
      const { requestId, data } = kind.auditOf(subject)
      const { actor, name } = deciderOf(by)
      const unanswerable = whyUnanswerable(kind, tx.tenant, subject, shownHash, by)
      if (unanswerable) {
        const { reason } = unanswerable
        await audit.append(tx, 'approval.refused', actor, requestId, { ...data, decision: 'again', reason })
        return { accepted: false, ...unanswerable }
      }
      if (kind.stateOf(subject) !== 'expired')
        throw conflict(`Only what nobody answered is asked again; this is ${kind.statusOf(subject)}.`)
      if (followUp === undefined) throw conflict('A request of this kind is not asked again.')
      const { supersededBy } = followUp.of(subject)
      const requester = kind.requesterOf(subject)
      if (supersededBy !== null) throw conflict(`It was asked again already, as ${supersededBy}.`)
      await deps.limit.assertPlace(tx, requester)
      const again = await followUp.again(tx, subject, { actor, name })
      const newId = kind.idOf(again)
      await followUp.write(tx, subject, { supersededBy: newId })
      await audit.append(tx, 'approval.asked_again', actor, requestId, { ...data, again: newId })
      await events.publish(tx, { type: 'approval.asked_again', id, requester, again: newId })
      await deps.requested(tx, again)
      return { accepted: true, id: newId }
    },

    async remind() {
      if (followUp === undefined || quarterMs < MIN_LEFT_MS) return
      const now = clock.now()
      const until = now + quarterMs
      // The clock was set back.
      if (until < remindedTo) remindedTo = 0
      const span = { after: Math.max(remindedTo, now + MIN_LEFT_MS), until }
      const due = await storage.read((tx) => followUp.unreminded(tx, span))
      if (due.length > 0) {
        await storage.transaction(async (tx) => {
          for (const row of due) await remindOf(tx, kind.idOf(row), now)
        })
      }
      // What one look did not take is taken by the next.
      remindedTo = due.length < REMINDED_AT_ONCE ? until : (due.at(-1)?.expiresAt ?? until) - 1
    },
  }

  /** It may have been answered since it was read. */
  async function remindOf(tx: Tx, id: string, now: UnixMs): Promise<void> {
    const subject = await kind.find(tx, id)
    if (subject === undefined || !isDue(subject, now)) return
    if (followUp === undefined || followUp.of(subject).remindedAt !== null) return
    await followUp.write(tx, subject, { remindedAt: now })
    const requester = kind.requesterOf(subject)
    const { expiresAt } = subject
    const { requestId, data } = kind.auditOf(subject)
    await audit.append(tx, 'approval.reminded', 'daemon', requestId, data)
    await events.publish(tx, { type: 'approval.reminded', id, requester, expiresAt })
  }
}

const conflict = (message: string): AppError => new AppError('conflict', message)

/** Whether a person may have it asked once more. */
export const canAskAgain = <Row extends ApprovalSubject>(
  kind: Pick<ApprovalKind<Row, never>, 'stateOf' | 'followUp'>,
  row: Row,
): boolean => kind.stateOf(row) === 'expired' && kind.followUp?.of(row).supersededBy === null
