import type { DeciderChannel, NamedRequester, Requester } from '../identity/index.ts'
import type { ConsentHash, Json, ReadTx, RequestId, Tx, UnixMs } from '../kernel/index.ts'
import type { ApprovalCard, ApprovalOutcome, KindCard, TextLine } from './approval-card.ts'
import type { ApprovalChoices } from './approval-choice.ts'
import type { ApprovalState, Ending } from './approval-state.ts'
import type { Decider, Verdict } from './decider.ts'
import type { Deadline } from './expiry.ts'
import type { Risk } from './quorum/index.ts'

/** Something that an agent or an app asks a person for: a row of its kind's own table. */
export type ApprovalSubject = Deadline

/** A text of a request beside the one that was approved before. */
export interface ComparedText {
  /** `Code`. */
  readonly label: string
  /** Null: it is no longer kept. */
  readonly before: string | null
  readonly now: string
}

/** What goes with the word of a choice. */
export interface AnswerDetails {
  /** For who asks, of a denial: one visible line. */
  readonly reason: string | null
  /** What the answer gives in place of what was asked, in words of the kind; null: nothing. */
  readonly terms: Readonly<Record<string, Json>> | null
}

/** What became of a request that nobody answered; fields of its row. */
export interface FollowUp {
  /** When whoever is asked was reminded; null: they were not. */
  readonly remindedAt: UnixMs | null
  /** The request that this one asks once more. */
  readonly againOf: string | null
  /** The request that asks this one once more. */
  readonly supersededBy: string | null
}

export const NO_FOLLOW_UP: FollowUp = { remindedAt: null, againOf: null, supersededBy: null }

/** For the store of a kind: what has no reminder yet, ends in this span, and waits for its first answer. */
export interface RemindSpan {
  /** Later than that. */
  readonly after: UnixMs
  /** Then, or before. */
  readonly until: UnixMs
}

/** As many as a store gives of a span at once. */
export const REMINDED_AT_ONCE = 500

export interface ListFilter {
  /** Left out: of any. */
  readonly requester?: Requester
  /** What still waits, or the newest whatever their state. */
  readonly which: 'waiting' | 'newest'
  readonly limit: number
}

/**
 * A kind of approval: what it is about, what may be answered, and what an answer does. Registered once; channels
 * find it by the beginning of an id and know no difference between kinds. `Row`: what lists need of it.
 */
export interface ApprovalKind<Row extends ApprovalSubject, Answer, Subject extends Row = Row> {
  /** On the wire: `execution`. */
  readonly name: string
  /** What its ids begin with: `req_`. */
  readonly idPrefix: string
  idOf(row: Row): string
  /** Who asks; all of one kind of approval are of one kind. */
  requesterOf(row: Row): Requester
  find(tx: ReadTx, id: string): Promise<Subject | undefined>
  /** Its ids that begin with the text, at most two. */
  idsBeginning(tx: ReadTx, text: string): Promise<readonly string[]>
  list(tx: ReadTx, filter: ListFilter): Promise<readonly Row[]>
  /** Of who asks, all that is not settled and not over: `expiresAt` is later than `now`. */
  countWaiting(tx: ReadTx, requester: Requester, now: UnixMs): Promise<number>
  /** Some of what waits and is over by `now`. */
  overdue(tx: ReadTx, now: UnixMs): Promise<readonly Subject[]>

  stateOf(row: Row): ApprovalState
  /** Whether a person still has something to do: an answer, or what it lacks once it is approved. */
  isWaiting(row: Row): boolean
  /** Its state in its own words, as its table has it. */
  statusOf(row: Row): string
  /** Nothing comes of it any more. */
  hasEnded(row: Row): boolean
  /** Whether what it led to can be stopped by itself. Left out: it never can. */
  canStop?(row: Row): boolean
  /** Why what it led to failed, in a word; null: it did not. Left out: nothing that can fail comes of it. */
  failureOf?(row: Row): string | null
  /** Of all that its card shows and an answer gives: what a decision is bound to. */
  contentHash(row: Row): ConsentHash
  /** In a few words, for lists. */
  summary(row: Row): TextLine

  /** The names of the secrets that a yes lets be used. Throws where that cannot be read any more. Left out: never any. */
  secretsOf?(tx: ReadTx, row: Row): Promise<readonly string[]>
  /** Whether a yes opens what is the host's and not the tenant's: an address that is not public. Left out: it never does. */
  reachesHost?(subject: Subject): boolean
  /** All that may be answered to this one. */
  choices(subject: Subject): ApprovalChoices
  /** What a word stands for; undefined for one of another kind. Throws invalid_request for details that it does not take. */
  readAnswer(choice: string, details: AnswerDetails): Answer | undefined
  /** The choice that an answer is one of. */
  choiceOf(answer: Answer): string
  /** Before a yes is kept that may wait for others: throws invalid_request for what it cannot give. Left out: it can give all. */
  assertGivable?(subject: Subject, answer: Answer): void
  /** The effect: grants, audit with `by.record`, whatever goes on. In the unit that decides. */
  settle(tx: Tx, subject: Subject, answer: Answer, by: Verdict): Promise<Subject>
  /** The row and its audit, where there is no answer. In the unit that ends it. */
  end(tx: Tx, subject: Subject, ending: Ending): Promise<Subject>
  /** How the audit names it. */
  auditOf(row: Row): {
    readonly requestId: RequestId | null
    readonly data: Readonly<Record<string, Json>>
  }
  /** How the audit names the answer. */
  nameOf(answer: Answer): string

  card(tx: ReadTx, subject: Subject): Promise<KindCard>
  outcome(subject: Subject): ApprovalOutcome
  /** Left out: nobody is reminded of it, and it is not asked once more. */
  readonly followUp?: {
    of(row: Row): FollowUp
    write(tx: Tx, subject: Subject, change: Partial<FollowUp>): Promise<void>
    /** What has no reminder yet, waits for its first answer and ends in this span: the first `REMINDED_AT_ONCE`, the soonest first. */
    unreminded(tx: ReadTx, span: RemindSpan): Promise<readonly Row[]>
    /**
     * Stores it once more, pending, with its own time and `againOf`. Throws conflict, before anything is written, where the same
     * cannot be asked any more.
     */
    again(tx: Tx, subject: Subject, by: Decider): Promise<Subject>
  }
  /** What a person has to do once it is approved, in a line; null: nothing. Left out: there never is. */
  awaited?(tx: ReadTx, subject: Subject): Promise<string | null>
  /** Its texts that are others than those of the approval that is closest to it. Left out: it has no texts to compare. */
  compared?(tx: ReadTx, subject: Subject): Promise<readonly ComparedText[]>
  /** For the person who gave the answer. */
  acceptedText(subject: Subject, answer: Answer): string
  /** For a person who comes too late: what it was settled as. */
  settledText(subject: Subject): string
}

export type RefusalReason =
  | 'already_decided'
  | 'expired'
  | 'other_consent'
  | 'not_offered'
  | 'not_permitted'
  /** It reaches the daemon's own machine or network, and who answers is of another tenant than the installation's. */
  | 'reaches_host'
  /** Of high risk, and no passkey has signed it. */
  | 'needs_passkey'
  /** More approvals are asked for than there are persons who may give them. */
  | 'quorum_unreachable'
  /** Somebody has said yes to another thing before. */
  | 'other_answer'

/** One person's yes to what takes more than one. */
export interface GivenApproval {
  readonly by: string
  readonly channel: DeciderChannel
  /** The label of the choice. */
  readonly answer: string
  readonly at: UnixMs
}

/** What every channel may know of a request, whatever its kind. */
export interface ApprovalView extends ApprovalSubject {
  readonly id: string
  readonly kind: string
  readonly requester: NamedRequester
  readonly state: ApprovalState
  readonly status: string
  readonly summary: TextLine
  readonly contentHash: ConsentHash
  /** A person has something to do, and it is not over. */
  readonly isWaiting: boolean
  /** Whether it waits for its first answer, and is not over. */
  readonly isPending: boolean
  readonly hasEnded: boolean
  readonly canStop: boolean
  readonly failure: string | null
  /** What a yes takes by the rules of now, and the yeses that count; of what is decided, those that were given. */
  readonly risk: Risk
  readonly approvalsNeeded: number
  /** Persons, of whom there can be fewer than votes: see `countPersons`. */
  readonly approvalsGiven: number
  readonly approvals: readonly GivenApproval[]
  readonly followUp: FollowUp
  /** It expired, and nobody had it asked once more. */
  readonly canAskAgain: boolean
  readonly audit: ReturnType<ApprovalKind<ApprovalSubject, never>['auditOf']>
}

/** One of them, with all that is shown of it. */
export interface ApprovalDetail extends ApprovalView {
  readonly card: ApprovalCard
  readonly outcome: ApprovalOutcome
  readonly awaited: string | null
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
