import type {
  AgentId,
  CodeHash,
  ConsentHash,
  ExecutionStatus,
  FailureCode,
  RequestId,
  UnixMs,
} from '../../kernel/index.ts'
import type { DecisionKind } from '../approvals/index.ts'
import type { EgressSummary } from '../egress/index.ts'

export {
  EXECUTION_STATES,
  type ExecutionStatus,
  FAILURE_CODES,
  type FailureCode,
} from '../../kernel/index.ts'

/** From where to where an execution can go. A final state goes nowhere. */
const NEXT: Record<ExecutionStatus, readonly ExecutionStatus[]> = {
  pending: ['approved', 'awaiting_secrets', 'denied', 'expired', 'cancelled'],
  awaiting_secrets: ['approved', 'denied', 'expired', 'cancelled', 'failed'],
  approved: ['running', 'awaiting_secrets', 'failed', 'cancelled'],
  running: ['success', 'failed', 'approved'],
  success: [],
  failed: [],
  denied: [],
  expired: [],
  cancelled: [],
}

/** What waits for a person. */
export const WAITING_STATES = ['pending', 'awaiting_secrets'] as const satisfies readonly ExecutionStatus[]

export const isFinal = (status: ExecutionStatus): boolean => NEXT[status].length === 0
export const canBecome = (from: ExecutionStatus, to: ExecutionStatus): boolean => NEXT[from].includes(to)

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
export interface Execution {
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

/** A row without its result, for lists. */
export type ExecutionSummary = Omit<Execution, 'result' | 'consentJson'> & { readonly rowId: number }

interface IdempotencyEntry {
  readonly requestId: RequestId
  readonly bodyHash: string
}

export interface ExecutionRepository {
  insert(execution: Execution): void
  /** Writes every field that can change. */
  update(execution: Execution): void
  byRequestId(requestId: RequestId): Execution | undefined
  /** The execution with this consent that still waits for a person or a secret. */
  waitingDuplicate(agentId: AgentId, consentHash: ConsentHash): Execution | undefined
  /** The agent's executions of this code that wait for a person or a secret. */
  waitingOf(agentId: AgentId, codeHash: CodeHash): readonly Execution[]
  /** For a person or a secret, and not over. */
  countWaiting(agentId: AgentId, now: UnixMs): number
  inStatus(status: ExecutionStatus): readonly Execution[]
  expiredBy(now: UnixMs): readonly Execution[]
  list(filter: ExecutionFilter): readonly ExecutionSummary[]
  /** Request ids that begin with the text, at most two, for a person who types a short one. */
  byPrefix(prefix: string): readonly RequestId[]
  idempotencyEntry(agentId: AgentId, key: string): IdempotencyEntry | undefined
  remember(agentId: AgentId, key: string, entry: IdempotencyEntry, at: UnixMs): void
  /** The oldest of them, a bounded number at a time. */
  forgetIdempotencyBefore(at: UnixMs): void
}

/** An execution came to be (`from` is null), or entered another status. */
export interface ExecutionEvent {
  readonly type: 'execution.changed'
  readonly execution: Execution
  readonly from: ExecutionStatus | null
}
