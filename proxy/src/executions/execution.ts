import {
  type ApprovalState,
  canSettle,
  type DecisionKind,
  type FollowUp,
  type RemindSpan,
} from '../approvals/index.ts'
import type { EgressSummary } from '../egress/index.ts'
import type {
  AgentId,
  CodeHash,
  ConsentHash,
  ExecutionStatus,
  FailureCode,
  RequestId,
  UnixMs,
} from '../kernel/index.ts'

export {
  EXECUTION_STATES,
  type ExecutionStatus,
  FAILURE_CODES,
  type FailureCode,
} from '../kernel/index.ts'

/** Of its approval; what is approved lives on as a run. */
export const approvalStateOf = (status: ExecutionStatus): ApprovalState =>
  status === 'pending' || status === 'denied' || status === 'expired' || status === 'cancelled'
    ? status
    : 'approved'

/**
 * From where to where an approved execution can go; until then the states of an approval hold. An approval is taken back
 * only from where it is listed here. A final state goes nowhere.
 */
const RUN_STATES: Partial<Record<ExecutionStatus, readonly ExecutionStatus[]>> = {
  awaiting_secrets: ['approved', 'denied', 'expired', 'cancelled', 'failed'],
  approved: ['running', 'awaiting_secrets', 'failed', 'cancelled'],
  running: ['success', 'failed', 'approved'],
}

/** A grant as the one that decided. */
export const grantActor = (id: number): string => `grant:${id}`
/** The grant that covered it; undefined: a person was asked. */
export const grantOf = ({
  decidedBy,
  trusted,
}: Pick<Execution, 'decidedBy' | 'trusted'>): number | undefined =>
  trusted ? Number(decidedBy?.slice('grant:'.length)) : undefined

/** What waits for a person. */
export const WAITING_STATES = ['pending', 'awaiting_secrets'] as const satisfies readonly ExecutionStatus[]

export const isFinal = (status: ExecutionStatus): boolean =>
  status !== 'pending' && RUN_STATES[status] === undefined
/** By a person: it waits for nobody's answer any more. */
export const isStoppable = (status: ExecutionStatus): status is 'approved' | 'running' =>
  status === 'approved' || status === 'running'
export const canBecome = (from: ExecutionStatus, to: ExecutionStatus): boolean =>
  // What cannot be opened any more fails before anybody answers.
  from === 'pending' ? canSettle(from, to) || to === 'failed' : (RUN_STATES[from]?.includes(to) ?? false)

/** What came back, already scrubbed of secret values. */
export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
  readonly truncated: boolean
  /** The output is no longer kept: it was dropped by age, or to make room. */
  readonly notKept?: true
  /** What the run did on the network, as the gateway saw it; absent in results of earlier versions. */
  readonly network?: EgressSummary
}

/** A row of `executions`. */
export interface Execution extends FollowUp {
  readonly requestId: RequestId
  readonly agentId: AgentId
  readonly skillId: string
  readonly codeHash: CodeHash
  readonly status: ExecutionStatus
  readonly consentJson: string
  readonly consentHash: ConsentHash
  /** How it went beyond earlier grants when it was asked. */
  readonly changes: readonly string[]
  readonly createdAt: UnixMs
  /** Until when a person may answer, and a missing secret may come. */
  readonly expiresAt: UnixMs
  /** Whether a stored grant covered it. */
  readonly trusted: boolean
  readonly decision: DecisionKind | null
  readonly decidedBy: string | null
  readonly decidedByName: string | null
  readonly decidedAt: UnixMs | null
  /** Why it was denied, in the words of the person who did; told to the agent. */
  readonly denyReason: string | null
  readonly startedAt: UnixMs | null
  readonly finishedAt: UnixMs | null
  readonly durationMs: number | null
  readonly failure: FailureCode | null
  readonly result: RunResult | null
  /** When the agent first read the final state. */
  readonly seenAt: UnixMs | null
  readonly ackedAt: UnixMs | null
}

export interface ExecutionFilter {
  readonly agentId?: AgentId
  readonly statuses?: readonly ExecutionStatus[]
  /** Page: rows older than this row id. */
  readonly before?: number
  readonly limit: number
}

export interface GrantPage {
  /** Rows older than this row id. */
  readonly before: number | undefined
  readonly limit: number
}

/** What lists need of a row. */
export type ExecutionFacts = Omit<Execution, 'result' | 'consentJson'>

/** A row without its result, for lists. */
export type ExecutionSummary = ExecutionFacts & { readonly rowId: number }

interface IdempotencyEntry {
  readonly requestId: RequestId
  readonly bodyHash: string
}

interface ExecutionReader {
  byRequestId(requestId: RequestId): Promise<Execution | undefined>
  /** The execution with this consent that still waits for a person or a secret. */
  waitingDuplicate(agentId: AgentId, consentHash: ConsentHash): Promise<Execution | undefined>
  /** The agent's executions of this code that wait for a person or a secret. */
  waitingOf(agentId: AgentId, codeHash: CodeHash): Promise<readonly Execution[]>
  /** For a person or a secret, and not over. */
  countWaiting(agentId: AgentId, now: UnixMs): Promise<number>
  inStatus(status: ExecutionStatus): Promise<readonly Execution[]>
  expiredBy(now: UnixMs): Promise<readonly Execution[]>
  /** What waits for its first answer, has no reminder and ends in this span, the soonest first; at most so many. */
  unreminded(span: RemindSpan, limit: number): Promise<readonly ExecutionFacts[]>
  list(filter: ExecutionFilter): Promise<readonly ExecutionSummary[]>
  /** What the grant of this actor covered, newest first. */
  ofGrant(decidedBy: string, page: GrantPage): Promise<readonly ExecutionSummary[]>
  /** Request ids that begin with the text, at most two, for a person who types a short one. */
  byPrefix(prefix: string): Promise<readonly RequestId[]>
  idempotencyEntry(agentId: AgentId, key: string): Promise<IdempotencyEntry | undefined>
  hasIdempotencyBefore(at: UnixMs): Promise<boolean>
}

export interface ExecutionStore extends ExecutionReader {
  insert(execution: Execution): Promise<void>
  /** Writes every field that can change. */
  update(execution: Execution): Promise<void>
  remember(agentId: AgentId, key: string, entry: IdempotencyEntry, at: UnixMs): Promise<void>
  /** The oldest of them, a bounded number at a time. */
  forgetIdempotencyBefore(at: UnixMs): Promise<void>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly executions: StorePort<ExecutionReader, ExecutionStore>
  }
}

/** An execution came to be (`from` is null), or entered another status. */
export interface ExecutionEvent {
  readonly type: 'execution.changed'
  readonly execution: Execution
  readonly from: ExecutionStatus | null
}

/** Persons may leave out what all ids begin with. */
export const fullPrefix = (idOrPrefix: string): string =>
  idOrPrefix.startsWith('req_') ? idOrPrefix : `req_${idOrPrefix}`
