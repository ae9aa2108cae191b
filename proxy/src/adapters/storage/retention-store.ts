import type { Database } from 'better-sqlite3'
import type { RunResult } from '../../domain/executions/index.ts'
import type { Dropped, ExecutionCounts, Place, RetentionRepository } from '../../domain/retention/index.ts'

/**
 * What nothing refers to: no wake or message is on its way, and ids that pages and audits name are not given out twice.
 * The sign takes the column's affinity away, with which the index of the outbox could not be used.
 */
const FREE = `NOT EXISTS (SELECT 1 FROM wakes WHERE wakes.request_id = executions.request_id)
  AND NOT EXISTS (SELECT 1 FROM outbox
    WHERE CASE WHEN json_valid(payload) THEN json_extract(payload, '$.requestId') END = +executions.request_id)
  AND id < (SELECT max(id) FROM executions)`
/** Rows that are looked at at once. */
const ROWS_AT_ONCE = 200

/** Deletes in small pieces, oldest first. */
export function createRetentionStore(db: Database): RetentionRepository {
  /** Of each agent one look-up: there are few, and rows are many. */
  const agentWithOldestOutput = db
    .prepare<[], string>(
      `SELECT agent_id FROM (SELECT agent_id, (SELECT finished_at FROM executions
         WHERE executions.agent_id = agent_storage.agent_id AND output_bytes > 0 AND finished_at >= 0
         ORDER BY finished_at LIMIT 1) AS first
       FROM agent_storage) WHERE first IS NOT NULL ORDER BY first LIMIT 1`,
    )
    .pluck()
  const outputs = db.prepare<[string, number], { id: number; bytes: number; finishedAt: number }>(
    `SELECT id, output_bytes AS bytes, finished_at AS finishedAt FROM executions
     WHERE agent_id = ? AND output_bytes > 0 AND finished_at >= 0 ORDER BY finished_at LIMIT ?`,
  )
  const result = db.prepare<[number], string | null>('SELECT result FROM executions WHERE id = ?').pluck()
  const empty = db.prepare('UPDATE executions SET result = ?, output_bytes = 0 WHERE id = ?')

  interface Candidate extends Place {
    readonly requestId: string
    readonly isOver: number
  }
  /** Of whom there are more rows than are younger: those of all agents, in the order of their ids. */
  const ofAll = db.prepare<
    [{ after: number; before: number; undecided: number }],
    Candidate & { createdAt: number }
  >(
    `SELECT id, request_id AS requestId, created_at AS createdAt, ifnull(finished_at, 0) AS finishedAt,
       ifnull(finished_at <= @before, 0) AND (@undecided = 0 OR decision IS NULL) AND ${FREE} AS isOver
     FROM executions WHERE id > @after ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
  )
  /** What a person decided and what has output stands in no index that this reads. */
  const ofAgent = (where: string) =>
    db.prepare<[{ agent: string; before: number; finishedAt: number; id: number; limit: number }], Candidate>(
      `SELECT id, request_id AS requestId, finished_at AS finishedAt, ${FREE} AS isOver FROM executions
       WHERE agent_id = @agent AND output_bytes = 0 AND decision IS NULL AND ${where} LIMIT @limit`,
    )
  /** Two, since SQLite finds no place within equal times: as many may have ended at once as there are rows. */
  const ofAgentAtOnce = ofAgent('finished_at = @finishedAt AND id > @id ORDER BY id')
  const ofAgentLater = ofAgent(
    'finished_at > @finishedAt AND finished_at <= @before ORDER BY finished_at, id',
  )
  const dropExecution = db.prepare('DELETE FROM executions WHERE request_id = ?')
  const dropCards = db.prepare('DELETE FROM cards WHERE request_id = ?')

  const dropOver = (rows: readonly Candidate[], limit: number, isLast: boolean): Dropped => {
    const over = rows.filter(({ isOver }) => isOver === 1).slice(0, limit)
    for (const { requestId } of over) {
      dropCards.run(requestId)
      dropExecution.run(requestId)
    }
    const isEnd = over.length < limit && (isLast || rows.length < ROWS_AT_ONCE)
    return { dropped: over.length, next: isEnd ? undefined : over.length < limit ? rows.at(-1) : over.at(-1) }
  }

  const dropGrants = db.prepare(
    `DELETE FROM approvals WHERE ended_at IS NOT NULL AND ended_at <= @before
     AND id < (SELECT max(id) FROM approvals) LIMIT @limit`,
  )
  const dropAsks = db.prepare(
    `DELETE FROM provider_asks WHERE status <> 'pending' AND decided_at <= @before
     AND NOT EXISTS (SELECT 1 FROM outbox WHERE (kind LIKE 'card%' OR kind LIKE 'provider_ask%')
       AND CASE WHEN json_valid(payload)
         THEN ifnull(json_extract(payload, '$.requestId'), json_extract(payload, '$.askId')) END = provider_asks.id)
     LIMIT @limit`,
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
      const agent = agentId ?? agentWithOldestOutput.get()
      if (agent === undefined) return 0
      let dropped = 0
      let sum = 0
      for (const row of outputs.all(agent, limit)) {
        if (endedBefore !== undefined && row.finishedAt > endedBefore) break
        if (dropped > 0 && sum + row.bytes > bytes) break
        empty.run(withoutOutput(result.get(row.id) ?? null), row.id)
        dropped += 1
        sum += row.bytes
      }
      return dropped
    },
    dropExecutions(which, after, limit) {
      const { endedBefore: before } = which
      const { finishedAt, id } = after ?? { finishedAt: -1, id: 0 }
      if ('agentId' in which) {
        const values = { agent: which.agentId, before, finishedAt, id }
        const rows = ofAgentAtOnce.all({ ...values, limit: ROWS_AT_ONCE })
        const later = ofAgentLater.all({ ...values, limit: ROWS_AT_ONCE - rows.length })
        return dropOver([...rows, ...later], limit, false)
      }
      const rows = ofAll.all({ after: id, before, undecided: which.undecided ? 1 : 0 })
      // Ids follow time: what comes after was made later still.
      return dropOver(rows, limit, (rows.at(-1)?.createdAt ?? 0) > before)
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
    ...createCounter(db),
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

function createCounter(db: Database): Pick<RetentionRepository, 'countNext' | 'countOthers'> {
  type Values = { after: number; limit: number; outputs: number; executions: number }
  const next = db.prepare<[Values], Record<keyof ExecutionCounts | 'lastId', number | null>>(
    `SELECT max(id) AS lastId,
       sum(output_bytes > 0 AND finished_at <= @outputs) AS outputs,
       sum(CASE WHEN finished_at <= @outputs THEN output_bytes ELSE 0 END) AS outputBytes,
       sum(finished_at <= @executions AND free) AS executions,
       sum(finished_at IS NULL) AS waiting,
       sum(finished_at <= @executions AND NOT free) AS unsent,
       sum(finished_at > @executions) AS young
     FROM (SELECT id, output_bytes, finished_at, (${FREE}) AS free
       FROM executions WHERE id > @after ORDER BY id LIMIT @limit)`,
  )
  const usage = db.prepare<[string], number>('SELECT count(*) FROM usage_by_day WHERE day < ?').pluck()
  const grants = db.prepare<[], number>('SELECT count(*) FROM approvals WHERE ended_at IS NULL').pluck()
  return {
    countNext({ outputs, executions }, after, limit) {
      const row = next.get({ after, limit, outputs, executions })
      if (row === undefined || row.lastId === null) return undefined
      return {
        lastId: row.lastId,
        counts: {
          outputs: row.outputs ?? 0,
          outputBytes: row.outputBytes ?? 0,
          executions: row.executions ?? 0,
          waiting: row.waiting ?? 0,
          unsent: row.unsent ?? 0,
          young: row.young ?? 0,
        },
      }
    },
    countOthers: ({ usageDay }) => ({ usageRows: usage.get(usageDay) ?? 0, grants: grants.get() ?? 0 }),
  }
}
