import { type AgentId, AppError, type Clock, type UnixMs } from '../../kernel/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { ApprovalCard, TextLine } from './approval-card.ts'
import type { Decider } from './approver.ts'
import { type Deadline, isOver } from './expiry.ts'
import type { ApprovalKind, ApprovalSubject, ApprovalView, DecisionOutcome, RefusalReason } from './kind.ts'
import { createWaitingLimit, type WaitingLimit } from './waiting-limit.ts'

/** The decisions of one kind, for whoever knows its answers. */
interface KindDecisions<Subject, Answer> {
  /** Throws not_found. */
  decide(id: string, shownHash: string, answer: Answer, by: Decider): DecisionOutcome<Subject>
}

/** Requests for approval of every kind: the one place that decides, whichever channel the answer came by. */
export interface Approvals {
  /** Once for each kind. */
  register<Subject extends ApprovalSubject, Answer>(
    kind: ApprovalKind<Subject, Answer>,
  ): KindDecisions<Subject, Answer>
  find(id: string): ApprovalView | undefined
  /** Throws not_found. */
  card(id: string): ApprovalCard
  /** What its card says once it is settled; throws not_found. */
  outcomeLines(id: string): readonly TextLine[]
  /** How long a request that is stored now waits for a person. */
  deadline(): Deadline
  /** What an agent may ask, of all kinds together. */
  readonly limit: WaitingLimit
  /**
   * A person has chosen, by the word of a button. Undefined for a word that its kind does not have; throws not_found.
   */
  choose(
    id: string,
    shownHash: string,
    choice: string,
    by: Decider,
  ): DecisionOutcome<ApprovalSubject> | undefined
}

export function createApprovals(deps: {
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  /** How long a request waits for a person. */
  readonly approvalTtlMs: number
  /** How many requests of one agent may wait for a person at once. */
  readonly maxWaitingPerAgent: number
}): Approvals {
  const { audit, transactor, clock } = deps
  /** By what their ids begin with. */
  const kinds = new Map<string, RegisteredKind>()
  const kindOf = (id: string): RegisteredKind | undefined => kinds.get(id.slice(0, id.indexOf('_') + 1))

  const limit = createWaitingLimit({
    ...deps,
    countWaiting(agentId) {
      const now = clock.now()
      return [...kinds.values()].reduce((sum, kind) => sum + kind.countWaiting(agentId, now), 0)
    },
  })

  return {
    register<Subject extends ApprovalSubject, Answer>(kind: ApprovalKind<Subject, Answer>) {
      if (kinds.has(kind.idPrefix)) throw new Error(`two kinds of approval take ${kind.idPrefix}`)
      const decide: KindDecisions<Subject, Answer>['decide'] = (id, shownHash, answer, by) =>
        transactor.transact(() => decideOne(kind, id, shownHash, answer, by))
      kinds.set(kind.idPrefix, {
        countWaiting: (agentId, now) => kind.countWaiting(agentId, now),
        find(id) {
          const subject = kind.find(id)
          if (subject === undefined) return undefined
          const { agentId, createdAt, expiresAt } = subject
          const isPending = kind.isPending(subject) && !isOver(subject, clock.now())
          const contentHash = kind.contentHash(subject)
          return { agentId, createdAt, expiresAt, contentHash, audit: kind.auditOf(subject), isPending }
        },
        card: (id) => kind.card(present(kind.find(id))),
        outcomeLines: (id) => kind.outcomeLines(present(kind.find(id))),
        choose(id, shownHash, choice, by) {
          const answer = kind.readAnswer(choice)
          return answer === undefined ? undefined : decide(id, shownHash, answer, by)
        },
      })
      return { decide }
    },
    find: (id) => kindOf(id)?.find(id),
    card: (id) => present(kindOf(id)).card(id),
    outcomeLines: (id) => present(kindOf(id)).outcomeLines(id),
    deadline() {
      const createdAt = clock.now()
      return { createdAt, expiresAt: createdAt + deps.approvalTtlMs }
    },
    limit,
    choose(id, shownHash, choice, by) {
      return present(kindOf(id)).choose(id, shownHash, choice, by)
    },
  }

  /** Inside a transaction: the decision, its effect and its audit are one, and so are a refusal and its audit. */
  function decideOne<Subject extends ApprovalSubject, Answer>(
    kind: ApprovalKind<Subject, Answer>,
    id: string,
    shownHash: string,
    answer: Answer,
    by: Decider,
  ): DecisionOutcome<Subject> {
    const subject = present(kind.find(id))
    const refuse = (reason: RefusalReason, message: string, now = subject): DecisionOutcome<Subject> => {
      const { requestId, data } = kind.auditOf(subject)
      const decision = kind.nameOf(answer)
      audit.append('approval.refused', by.actor, requestId, { ...data, decision, reason })
      return { accepted: false, reason, subject: now, message }
    }
    // TOCTOU between looking and answering: what is decided is what was shown, or nothing.
    if (kind.contentHash(subject) !== shownHash) return refuse('other_consent', OTHER)
    const why = kind.whyNotOffered(subject, answer)
    if (why !== null) return refuse('not_offered', why)
    if (!kind.isOpenTo(subject, answer)) {
      return kind.hasExpired(subject)
        ? refuse('expired', EXPIRED)
        : refuse('already_decided', kind.settledText(subject))
    }
    if (isOver(subject, clock.now())) return refuse('expired', EXPIRED, kind.expire(subject))
    const settled = kind.settle(subject, answer, by)
    return { accepted: true, subject: settled, message: kind.acceptedText(settled, answer) }
  }
}

/** By its own types it is known inside only. */
type RegisteredKind = Pick<Approvals, 'find' | 'choose' | 'card' | 'outcomeLines'> & {
  countWaiting(agentId: AgentId, now: UnixMs): number
}

function present<T>(found: T | undefined): T {
  if (found === undefined) throw new AppError('not_found', 'Nothing of this id was asked.')
  return found
}

const EXPIRED = 'Expired: nothing was decided.'
const OTHER = 'This card is for another request.'
