import type { Requesters } from '../identity/index.ts'
import { type Clock, type ReadTx, visibleText } from '../kernel/index.ts'
import { type ApprovalCard, type ApprovalOutcome, visibleCard, visibleLine } from './approval-card.ts'
import { givenApproval } from './ballot.ts'
import { cardNotes } from './card-notes.ts'
import { isOver } from './expiry.ts'
import { canAskAgain } from './follow-ups.ts'
import {
  type ApprovalDetail,
  type ApprovalKind,
  type ApprovalSubject,
  type ApprovalView,
  type ComparedText,
  NO_FOLLOW_UP,
} from './kind.ts'
import type { Quorum, QuorumNow, Requirement, Vote } from './quorum/index.ts'

/** What persons are shown of one kind's requests: every line visible, risk and quorum by the rules of this moment. */
export interface KindViews<Row, Subject> {
  one(tx: ReadTx, row: Row): Promise<ApprovalView>
  all(tx: ReadTx, rows: readonly Row[]): Promise<readonly ApprovalView[]>
  detail(tx: ReadTx, subject: Subject): Promise<ApprovalDetail>
  card(tx: ReadTx, subject: Subject): Promise<ApprovalCard>
  outcome(subject: Subject): ApprovalOutcome
  compared(tx: ReadTx, subject: Subject): Promise<readonly ComparedText[]>
  /** What a yes takes; read where it is decided as well. */
  requirementOf(tx: ReadTx, now: QuorumNow, row: Row): Promise<Requirement>
}

export function createKindViews<Row extends ApprovalSubject, Answer, Subject extends Row>(
  kind: ApprovalKind<Row, Answer, Subject>,
  deps: {
    readonly clock: Clock
    readonly quorum: Pick<Quorum, 'now'>
    readonly pageOf: (id: string) => string
    readonly requesters: Pick<Requesters, 'nameOf'>
  },
): KindViews<Row, Subject> {
  const requirementOf = (tx: ReadTx, now: QuorumNow, row: Row): Promise<Requirement> =>
    now.require(kind.requesterOf(row), async () => (await kind.secretsOf?.(tx, row)) ?? [])

  const view = async (
    tx: ReadTx,
    now: QuorumNow,
    row: Row,
    votes: readonly Vote[],
  ): Promise<ApprovalView> => {
    const isWaiting = kind.isWaiting(row) && !isOver(row, deps.clock.now())
    const state = kind.stateOf(row)
    const contentHash = kind.contentHash(row)
    const { risk, approvals } = await requirementOf(tx, now, row)
    const counted = now.count(votes, { consentHash: contentHash, risk })
    const given = votes.filter(({ consentHash }) => consentHash === contentHash)
    const requester = kind.requesterOf(row)
    return {
      requester: { ...requester, name: deps.requesters.nameOf(requester.kind, requester.id) },
      ...{ id: kind.idOf(row), kind: kind.name },
      ...{ createdAt: row.createdAt, expiresAt: row.expiresAt, contentHash },
      ...{ state, status: kind.statusOf(row), summary: visibleLine(kind.summary(row)) },
      ...{ isWaiting, isPending: isWaiting && state === 'pending', hasEnded: kind.hasEnded(row) },
      ...{ canStop: kind.canStop?.(row) ?? false, failure: kind.failureOf?.(row) ?? null },
      ...{ risk, approvalsNeeded: approvals, approvalsGiven: counted.persons },
      approvals: (state === 'pending' ? counted.votes : given).map(givenApproval),
      ...{ followUp: kind.followUp?.of(row) ?? NO_FOLLOW_UP, canAskAgain: canAskAgain(kind, row) },
      audit: kind.auditOf(row),
    }
  }

  const one = async (tx: ReadTx, row: Row): Promise<ApprovalView> =>
    view(tx, await deps.quorum.now(tx), row, await tx.approvalVotes.of([kind.idOf(row)]))

  const card = async (tx: ReadTx, subject: Subject): Promise<ApprovalCard> => {
    const shown = visibleCard(await kind.card(tx, subject))
    if (kind.stateOf(subject) !== 'pending') return { ...shown, notes: [], page: null }
    const requirement = await requirementOf(tx, await deps.quorum.now(tx), subject)
    const page = requirement.risk === 'high' ? deps.pageOf(kind.idOf(subject)) : null
    const notes = cardNotes(requirement, await one(tx, subject), page)
    return { ...shown, notes: notes.map(visibleLine), page }
  }

  const outcome = (subject: Subject): ApprovalOutcome => {
    const settled = kind.outcome(subject)
    return { ...settled, lines: settled.lines.map(visibleLine) }
  }

  return {
    ...{ one, card, outcome, requirementOf },
    async all(tx, rows) {
      const now = await deps.quorum.now(tx)
      const votes = Map.groupBy(await tx.approvalVotes.of(rows.map(kind.idOf)), ({ requestId }) => requestId)
      const views: ApprovalView[] = []
      for (const row of rows) views.push(await view(tx, now, row, votes.get(kind.idOf(row)) ?? []))
      return views
    },
    async detail(tx, subject) {
      const awaited = (await kind.awaited?.(tx, subject)) ?? null
      return {
        ...(await one(tx, subject)),
        card: await card(tx, subject),
        outcome: outcome(subject),
        awaited,
      }
    },
    async compared(tx, subject) {
      const texts = (await kind.compared?.(tx, subject)) ?? []
      return texts.map(({ label, before, now }) => ({
        label,
        before: before === null ? null : visibleText(before),
        now: visibleText(now),
      }))
    },
  }
}
