import type { AgentId, ConsentHash, Json, RequestId, UnixMs } from '../../kernel/index.ts'
import type { ApprovalCard, TextLine } from './approval-card.ts'
import type { Decider } from './approver.ts'
import type { Deadline } from './expiry.ts'

/** Something that an agent asks a person for: a row of its kind's own table. */
export interface ApprovalSubject extends Deadline {
  readonly agentId: AgentId
}

/**
 * A kind of approval: what it is about, what may be answered, and what an answer does. Registered once; channels
 * find it by the beginning of an id and know no difference between kinds.
 */
export interface ApprovalKind<Subject extends ApprovalSubject, Answer> {
  /** What its ids begin with: `req_`. */
  readonly idPrefix: string
  find(id: string): Subject | undefined
  /** Of all that its card shows and an answer gives: what a decision is bound to. */
  contentHash(subject: Subject): ConsentHash
  /** What a button's word stands for; undefined for one of another kind. */
  readAnswer(choice: string): Answer | undefined
  /** Null, or why this answer is none to this subject, in words for a person. */
  whyNotOffered(subject: Subject, answer: Answer): string | null
  /** Of the agent, all that is not settled and not over: `expiresAt` is later than `now`. */
  countWaiting(agentId: AgentId, now: UnixMs): number
  /** Whether it waits for its first answer. */
  isPending(subject: Subject): boolean
  /** Whether a person can still answer so. */
  isOpenTo(subject: Subject, answer: Answer): boolean
  hasExpired(subject: Subject): boolean
  /** Inside the deciding transaction. */
  expire(subject: Subject): Subject
  /** The effect: grants, audit, whatever goes on. Inside the deciding transaction. */
  settle(subject: Subject, answer: Answer, by: Decider): Subject
  /** How the audit names it. */
  auditOf(subject: Subject): {
    readonly requestId: RequestId | null
    readonly data: Readonly<Record<string, Json>>
  }
  /** How the audit names the answer. */
  nameOf(answer: Answer): string
  card(subject: Subject): ApprovalCard
  /** What the card says once it is settled. */
  outcomeLines(subject: Subject): readonly TextLine[]
  /** For the person who gave the answer. */
  acceptedText(subject: Subject, answer: Answer): string
  /** For a person who comes too late: what it was settled as. */
  settledText(subject: Subject): string
}

export type RefusalReason = 'already_decided' | 'expired' | 'other_consent' | 'not_offered'

/** What every channel may know of a request, whatever its kind. */
export interface ApprovalView extends ApprovalSubject {
  readonly contentHash: ConsentHash
  readonly audit: ReturnType<ApprovalKind<ApprovalSubject, never>['auditOf']>
  /** Whether it waits for its first answer, and is not over. */
  readonly isPending: boolean
}

/** What came of a decision; `message` is for the person who decides. */
export type DecisionOutcome<Subject> =
  | { readonly accepted: true; readonly subject: Subject; readonly message: string }
  | {
      readonly accepted: false
      readonly reason: RefusalReason
      readonly subject: Subject
      readonly message: string
    }
