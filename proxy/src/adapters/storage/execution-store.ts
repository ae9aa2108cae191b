import type { Database } from 'better-sqlite3'
import type {
  Execution,
  ExecutionFilter,
  ExecutionRepository,
  ExecutionSummary,
  RunResult,
} from '../../domain/executions/index.ts'
import type { RequestId } from '../../kernel/index.ts'

interface Row {
  id: number
  request_id: string
  skill_id: string
  code_hash: string
  status: string
  executed_at: number | null
  duration_ms: number | null
  result?: string | null
  output_bytes: number
  created_at: number
  agent_id: string
  consent?: string
  consent_hash: string
  changes: string
  expires_at: number
  trusted: number
  decision: string | null
  decided_by: string | null
  decided_by_name: string | null
  decided_at: number | null
  deny_reason: string | null
  finished_at: number | null
  failure: string | null
  seen_at: number | null
  acked_at: number | null
}

const SUMMARY_COLUMNS = `id, request_id, skill_id, code_hash, status, executed_at, duration_ms, created_at, agent_id,
  consent_hash, changes, expires_at, trusted, decision, decided_by, decided_by_name, decided_at, deny_reason,
  finished_at, failure, seen_at, acked_at`
const WAITING = `('pending', 'awaiting_secrets')`
/** Word for word the condition of the index executions_open, which is not used otherwise. */
const OPEN = `status IN ('pending', 'awaiting_secrets', 'approved', 'running')`

export function createExecutionStore(db: Database): ExecutionRepository {
  const insert =
    db.prepare(`INSERT INTO executions (request_id, skill_id, code_hash, status, approved, executed_at,
    duration_ms, result, created_at, agent_id, consent, consent_hash, changes, expires_at, trusted, decision, decided_by,
    decided_by_name, decided_at, deny_reason, finished_at, failure, seen_at, acked_at,
    output_bytes)
    VALUES (@requestId, @skillId, @codeHash, @status, @approved, @startedAt, @durationMs, @result, @createdAt, @agentId,
    @consentJson, @consentHash, @changes, @expiresAt, @trusted, @decision, @decidedBy, @decidedByName, @decidedAt,
    @denyReason, @finishedAt, @failure, @seenAt, @ackedAt, @outputBytes)`)
  const update =
    db.prepare(`UPDATE executions SET status = @status, approved = @approved, executed_at = @startedAt,
    duration_ms = @durationMs, result = @result, output_bytes = @outputBytes, decision = @decision, decided_by = @decidedBy,
    decided_by_name = @decidedByName, decided_at = @decidedAt, deny_reason = @denyReason, finished_at = @finishedAt, failure = @failure,
    seen_at = @seenAt, acked_at = @ackedAt WHERE request_id = @requestId`)
  const byRequestId = db.prepare<[string], Row>('SELECT * FROM executions WHERE request_id = ?')
  const waitingDuplicate = db.prepare<[string, string], Row>(
    `SELECT * FROM executions WHERE agent_id = ? AND consent_hash = ? AND status IN ${WAITING}`,
  )
  const waitingOf = db.prepare<[string, string], Row>(
    `SELECT * FROM executions WHERE agent_id = ? AND code_hash = ? AND status IN ${WAITING} ORDER BY id`,
  )
  const countWaiting = db
    .prepare<[string, number], number>(
      `SELECT count(*) FROM executions WHERE agent_id = ? AND status IN ${WAITING} AND expires_at > ?`,
    )
    .pluck()
  const inStatus = db.prepare<[string], Row>(
    `SELECT * FROM executions WHERE status = ? AND ${OPEN} ORDER BY id`,
  )
  const expiredBy = db.prepare<[number], Row>(
    `SELECT * FROM executions WHERE status IN ${WAITING} AND expires_at <= ? ORDER BY expires_at LIMIT 500`,
  )
  const byPrefix = db
    .prepare<[string, string], RequestId>(
      'SELECT request_id FROM executions WHERE request_id >= ? AND request_id < ? ORDER BY request_id LIMIT 2',
    )
    .pluck()
  const idempotencyEntry = db.prepare<[string, string], { requestId: RequestId; bodyHash: string }>(
    'SELECT request_id AS requestId, body_hash AS bodyHash FROM idempotency WHERE agent_id = ? AND key = ?',
  )
  const remember = db.prepare(
    'INSERT INTO idempotency (agent_id, key, request_id, body_hash, created_at) VALUES (?, ?, ?, ?, ?)',
  )
  const forget = db.prepare('DELETE FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT 500')

  return {
    insert: (execution) => void insert.run(toRow(execution)),
    update: (execution) => void update.run(toRow(execution)),
    byRequestId: (requestId) => optional(byRequestId.get(requestId)),
    waitingDuplicate: (agentId, consentHash) => optional(waitingDuplicate.get(agentId, consentHash)),
    waitingOf: (agentId, codeHash) => waitingOf.all(agentId, codeHash).map(fromRow),
    countWaiting: (agentId, now) => countWaiting.get(agentId, now) ?? 0,
    inStatus: (status) => inStatus.all(status).map(fromRow),
    expiredBy: (now) => expiredBy.all(now).map(fromRow),
    list: (filter) => listSummaries(db, filter),
    byPrefix: (prefix) => byPrefix.all(prefix, `${prefix}\u{10ffff}`),
    idempotencyEntry: (agentId, key) => idempotencyEntry.get(agentId, key),
    remember: (agentId, key, entry, at) =>
      void remember.run(agentId, key, entry.requestId, entry.bodyHash, at),
    forgetIdempotencyBefore: (at) => void forget.run(at),
  }
}

/** One page, newest first, by keyset: its cost does not depend on how many rows there are. */
function listSummaries(db: Database, filter: ExecutionFilter): ExecutionSummary[] {
  const where: string[] = []
  const values: (string | number)[] = []
  if (filter.agentId !== undefined) {
    where.push('agent_id = ?')
    values.push(filter.agentId)
  }
  if (filter.before !== undefined) {
    where.push('id < ?')
    values.push(filter.before)
  }
  const statuses = filter.statuses ?? []
  const page = (extra: string[], extraValues: (string | number)[]): Row[] =>
    db
      .prepare<(string | number)[], Row>(
        `SELECT ${SUMMARY_COLUMNS} FROM executions
         ${where.length + extra.length > 0 ? `WHERE ${[...where, ...extra].join(' AND ')}` : ''}
         ORDER BY id DESC LIMIT ?`,
      )
      .all(...values, ...extraValues, filter.limit)
  const ofStatus = (status: string): string[] =>
    filter.agentId === undefined && OPEN.includes(`'${status}'`) ? ['status = ?', OPEN] : ['status = ?']
  // One index walk for each status; a single IN would sort every row of these statuses first.
  const rows =
    statuses.length === 0
      ? page([], [])
      : statuses
          .flatMap((status) => page(ofStatus(status), [status]))
          .sort((a, b) => b.id - a.id)
          .slice(0, filter.limit)
  return rows.map((row) => {
    const { result: _result, consentJson: _consent, ...summary } = fromRow(row)
    return { ...summary, rowId: row.id }
  })
}

const optional = (row: Row | undefined): Execution | undefined => (row ? fromRow(row) : undefined)

function toRow(execution: Execution): Record<string, string | number | null> {
  const { result } = execution
  const text = result && JSON.stringify(result)
  return {
    ...execution,
    approved: execution.decidedAt !== null && execution.status !== 'denied' ? 1 : 0,
    trusted: execution.trusted ? 1 : 0,
    changes: JSON.stringify(execution.changes),
    result: text,
    // What is dropped when room is needed; of a result that was dropped nothing is left to drop.
    outputBytes: text === null || result?.notKept ? 0 : Buffer.byteLength(text),
  }
}

function fromRow(row: Row): Execution {
  return {
    requestId: row.request_id,
    agentId: row.agent_id,
    skillId: row.skill_id,
    codeHash: row.code_hash,
    status: row.status,
    consentJson: row.consent ?? '',
    consentHash: row.consent_hash,
    changes: JSON.parse(row.changes),
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
    result: row.result ? (JSON.parse(row.result) as RunResult) : null,
    seenAt: row.seen_at,
    ackedAt: row.acked_at,
  } as Execution
}
