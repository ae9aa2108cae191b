import type { Generated, Insertable, Selectable, Updateable } from 'kysely'
import type { AgentId, CodeHash, ConsentHash, RequestId, TenantId, UnixMs } from '../kernel/index.ts'
import { keptText } from '../storage/index.ts'
import type { Execution, ExecutionStatus, ExecutionSummary, RunResult } from './execution.ts'

export interface ExecutionTable {
  tenant_id: TenantId
  /** Grows with every row of the installation: the order in which they came to be. */
  id: Generated<number>
  request_id: RequestId
  skill_id: string
  code_hash: CodeHash
  status: ExecutionStatus
  /** 1 when a person or a grant approved it; for who reads the table by hand. */
  approved: number
  executed_at: UnixMs | null
  duration_ms: number | null
  /** JSON. */
  result: string | null
  output_bytes: number
  created_at: UnixMs
  agent_id: AgentId
  /** Canonical JSON; '' where it stands in `consents`, as that of every row since there is that table. */
  consent: string
  consent_hash: ConsentHash
  /** JSON. */
  changes: string
  expires_at: UnixMs
  trusted: number
  decision: Execution['decision']
  decided_by: string | null
  decided_by_name: string | null
  decided_at: UnixMs | null
  deny_reason: string | null
  finished_at: UnixMs | null
  failure: Execution['failure']
  seen_at: UnixMs | null
  acked_at: UnixMs | null
  reminded_at: UnixMs | null
  again_of: string | null
  superseded_by: string | null
}

type Row = Selectable<ExecutionTable> & { readonly consent_text: string | null }
export type SummaryRow = Pick<Row, (typeof SUMMARY_COLUMNS)[number]>

export const SUMMARY_COLUMNS = [
  'id',
  'request_id',
  'skill_id',
  'code_hash',
  'status',
  'executed_at',
  'duration_ms',
  'created_at',
  'agent_id',
  'consent_hash',
  'changes',
  'expires_at',
  'trusted',
  'decision',
  'decided_by',
  'decided_by_name',
  'decided_at',
  'deny_reason',
  'finished_at',
  'failure',
  'seen_at',
  'acked_at',
  'reminded_at',
  'again_of',
  'superseded_by',
] as const

export const optional = (row: Row | undefined): Execution | undefined => row && fromRow(row)

export function toRow(execution: Execution): Omit<Insertable<ExecutionTable>, 'tenant_id'> {
  return {
    request_id: execution.requestId,
    skill_id: execution.skillId,
    code_hash: execution.codeHash,
    created_at: execution.createdAt,
    agent_id: execution.agentId,
    consent: '',
    consent_hash: execution.consentHash,
    changes: JSON.stringify(execution.changes),
    expires_at: execution.expiresAt,
    trusted: execution.trusted ? 1 : 0,
    again_of: execution.againOf,
    ...whatChanges(execution),
  }
}

export function whatChanges(execution: Execution) {
  const { result } = execution
  const text = result && JSON.stringify(result)
  return {
    status: execution.status,
    approved: execution.decidedAt !== null && execution.status !== 'denied' ? 1 : 0,
    executed_at: execution.startedAt,
    duration_ms: execution.durationMs,
    result: text,
    // What is dropped when room is needed; of a result that was dropped nothing is left to drop.
    output_bytes: text === null || result?.notKept ? 0 : Buffer.byteLength(text),
    decision: execution.decision,
    decided_by: execution.decidedBy,
    decided_by_name: execution.decidedByName && keptText(execution.decidedByName),
    decided_at: execution.decidedAt,
    deny_reason: execution.denyReason && keptText(execution.denyReason),
    finished_at: execution.finishedAt,
    failure: execution.failure,
    seen_at: execution.seenAt,
    reminded_at: execution.remindedAt,
    superseded_by: execution.supersededBy,
    acked_at: execution.ackedAt,
  } satisfies Updateable<ExecutionTable>
}

export const fromRow = (row: Row): Execution => ({
  ...sharedFromRow(row),
  // What is not there is the text of no hash.
  consentJson: row.consent_text ?? '',
  result: row.result ? (JSON.parse(row.result) as RunResult) : null,
})

export const summaryFromRow = (row: SummaryRow): ExecutionSummary => ({
  ...sharedFromRow(row),
  rowId: row.id,
})

const sharedFromRow = (row: SummaryRow): Omit<ExecutionSummary, 'rowId'> => ({
  requestId: row.request_id,
  agentId: row.agent_id,
  skillId: row.skill_id,
  codeHash: row.code_hash,
  status: row.status,
  consentHash: row.consent_hash,
  changes: JSON.parse(row.changes) as string[],
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  trusted: row.trusted === 1,
  decision: row.decision,
  decidedBy: row.decided_by,
  decidedByName: row.decided_by_name,
  decidedAt: row.decided_at,
  denyReason: row.deny_reason,
  startedAt: row.executed_at,
  finishedAt: row.finished_at,
  durationMs: row.duration_ms,
  failure: row.failure,
  seenAt: row.seen_at,
  ackedAt: row.acked_at,
  remindedAt: row.reminded_at,
  againOf: row.again_of,
  supersededBy: row.superseded_by,
})
