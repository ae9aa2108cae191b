import type { Database } from 'better-sqlite3'
import type { RunResult } from '../../domain/executions/index.ts'
import type { PruneCounts, RetentionRepository } from '../../domain/retention/index.ts'

/** What nothing refers to: no wake or message is on its way, and ids that pages and audits name are not given out twice. */
const FREE = `NOT EXISTS (SELECT 1 FROM wakes WHERE wakes.request_id = executions.request_id)
  AND NOT EXISTS (SELECT 1 FROM outbox
    WHERE CASE WHEN json_valid(payload) THEN json_extract(payload, '$.requestId') END = executions.request_id)
  AND id < (SELECT max(id) FROM executions)`
/** Word for word the condition of the index. */
const UNDECIDED = 'finished_at IS NOT NULL AND decision IS NULL'

/** Deletes in small pieces, oldest first, along indexes. */
export function createRetentionStore(db: Database): RetentionRepository {
  const outputs = (where: string) =>
    db.prepare<[{ agent: string; before: number; limit: number }], { id: number; bytes: number }>(
      `SELECT id, output_bytes AS bytes FROM executions WHERE output_bytes > 0 AND ${where} LIMIT @limit`,
    )
  const outputsOfAgent = outputs('agent_id = @agent ORDER BY id')
  const outputsByAge = outputs('finished_at <= @before ORDER BY finished_at')
  const result = db.prepare<[number], string | null>('SELECT result FROM executions WHERE id = ?').pluck()
  const empty = db.prepare('UPDATE executions SET result = ?, output_bytes = 0 WHERE id = ?')

  const ended = (where: string) =>
    db
      .prepare<[{ agent: string; before: number; limit: number }], string>(
        `SELECT request_id FROM executions WHERE ${where} AND finished_at <= @before AND ${FREE}
         ORDER BY finished_at LIMIT @limit`,
      )
      .pluck()
  const endedByAge = ended('finished_at IS NOT NULL')
  const undecidedByAge = ended(UNDECIDED)
  const undecidedOfAgent = ended(`agent_id = @agent AND ${UNDECIDED}`)
  const dropExecution = db.prepare('DELETE FROM executions WHERE request_id = ?')
  const dropCards = db.prepare('DELETE FROM cards WHERE request_id = ?')

  const dropGrants = db.prepare(
    `DELETE FROM approvals WHERE ended_at IS NOT NULL AND ended_at <= @before
     AND id < (SELECT max(id) FROM approvals) LIMIT @limit`,
  )
  const dropAsks = db.prepare(
    `DELETE FROM provider_asks WHERE status <> 'pending' AND decided_at <= @before
     AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind LIKE 'provider_ask%'
       AND CASE WHEN json_valid(payload) THEN json_extract(payload, '$.askId') END = provider_asks.id) LIMIT @limit`,
  )
  const dropAskCards = db.prepare(
    `DELETE FROM cards WHERE request_id LIKE 'ask_%' AND created_at <= @before
     AND NOT EXISTS (SELECT 1 FROM provider_asks WHERE id = cards.request_id) LIMIT @limit`,
  )
  const dropProviderGrants = db.prepare(
    'DELETE FROM provider_grants WHERE ended_at IS NOT NULL AND ended_at <= @before LIMIT @limit',
  )
  const dropUsage = db.prepare('DELETE FROM usage_by_day WHERE day < ? LIMIT ?')
  const pragma = (name: string): number => Number(db.pragma(name, { simple: true }))

  return {
    dropOutputs({ agentId, endedBefore }, limit, bytes) {
      const statement = agentId === undefined ? outputsByAge : outputsOfAgent
      const values = { agent: agentId ?? '', before: endedBefore ?? Number.MAX_SAFE_INTEGER, limit }
      let dropped = 0
      let sum = 0
      for (const row of statement.all(values)) {
        if (dropped > 0 && sum + row.bytes > bytes) break
        empty.run(withoutOutput(result.get(row.id) ?? null), row.id)
        dropped += 1
        sum += row.bytes
      }
      return dropped
    },
    dropExecutions({ agentId, endedBefore, undecided }, limit) {
      const byAge = undecided ? undecidedByAge : endedByAge
      const statement = agentId === undefined ? byAge : undecidedOfAgent
      const ids = statement.all({ agent: agentId ?? '', before: endedBefore, limit })
      for (const id of ids) {
        dropCards.run(id)
        dropExecution.run(id)
      }
      return ids.length
    },
    dropEnded(before, limit) {
      return [dropGrants, dropAsks, dropAskCards, dropProviderGrants].reduce(
        (sum, statement) => sum + statement.run({ before, limit }).changes,
        0,
      )
    },
    dropUsage: (day, limit) => dropUsage.run(day, limit).changes,
    size() {
      const pages = pragma('page_count')
      const free = pragma('freelist_count')
      const size = pragma('page_size')
      return { used: (pages - free) * size, free: free * size }
    },
    shrink(pages) {
      if (pragma('auto_vacuum') !== 2 || pragma('freelist_count') === 0) return false
      db.pragma(`incremental_vacuum(${pages})`)
      return pragma('freelist_count') > 0
    },
    count: createCounter(db),
  }
}

/** The rest of a result: exit code and what the gateway saw. */
function withoutOutput(text: string | null): string | null {
  if (text === null) return null
  try {
    const kept: RunResult = { ...(JSON.parse(text) as RunResult), stdout: '', stderr: '', notKept: true }
    return JSON.stringify(kept)
  } catch {
    return null
  }
}

function createCounter(db: Database): RetentionRepository['count'] {
  const one = (sql: string) => db.prepare<[Record<string, number | string>], Record<string, number>>(sql)
  const outputs = one(
    'SELECT count(*) AS n, ifnull(sum(output_bytes), 0) AS bytes FROM executions WHERE output_bytes > 0 AND finished_at <= @at',
  )
  const code = one(
    `SELECT count(*) AS n, ifnull(sum(bytes), 0) AS bytes FROM content_holders AS h WHERE @at > 0
     AND NOT EXISTS (SELECT 1 FROM executions WHERE code_hash = h.code_hash AND agent_id = h.agent_id AND finished_at IS NULL)
     AND NOT EXISTS (SELECT 1 FROM approvals WHERE code_hash = h.code_hash AND ended_at IS NULL)
     AND NOT EXISTS (SELECT 1 FROM executions WHERE code_hash = h.code_hash AND agent_id = h.agent_id
       AND executed_at IS NOT NULL AND finished_at > @at)`,
  )
  const executions = one(
    `SELECT count(*) AS n FROM executions WHERE finished_at IS NOT NULL AND finished_at <= @at AND ${FREE}`,
  )
  const unsent = one(
    `SELECT count(*) AS n FROM executions WHERE finished_at IS NOT NULL AND finished_at <= @at AND NOT (${FREE})`,
  )
  const young = one(
    'SELECT count(*) AS n FROM executions WHERE finished_at IS NOT NULL AND finished_at > @at',
  )
  const waiting = one(
    `SELECT count(*) AS n FROM executions WHERE status IN ('pending', 'awaiting_secrets', 'approved', 'running')`,
  )
  const grants = one('SELECT count(*) AS n FROM approvals WHERE ended_at IS NULL')
  const usage = one('SELECT count(*) AS n FROM usage_by_day WHERE day < @day')
  return (cutoffs): PruneCounts => {
    const out = outputs.get({ at: cutoffs.outputs }) ?? {}
    const held = code.get({ at: cutoffs.code }) ?? {}
    const at = cutoffs.executions
    const count = (statement: ReturnType<typeof one>, values: Record<string, number | string> = {}): number =>
      statement.get(values)?.n ?? 0
    return {
      outputs: out.n ?? 0,
      outputBytes: out.bytes ?? 0,
      code: held.n ?? 0,
      codeBytes: held.bytes ?? 0,
      executions: count(executions, { at }),
      usageRows: count(usage, { day: cutoffs.usageDay }),
      kept: {
        waiting: count(waiting),
        grants: count(grants),
        unsent: count(unsent, { at }),
        young: count(young, { at }),
      },
    }
  }
}
