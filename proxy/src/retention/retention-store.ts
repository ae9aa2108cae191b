import { type RawBuilder, sql } from 'kysely'
import type { AgentId, TenantId, UnixMs } from '../kernel/index.ts'
import type { Queries } from '../storage/index.ts'
import type { Dropped, Place, RetentionStore } from './ports.ts'
import { createCounter } from './retention-counter.ts'
import { isFree } from './retention-rows.ts'

/** Rows that are looked at at once. */
const ROWS_AT_ONCE = 200

interface Candidate extends Place {
  readonly requestId: string
  readonly createdAt: UnixMs
  readonly isOver: number
}

/** Deletes in small pieces, oldest first. */
export function createRetentionStore(queries: Queries, tenant: TenantId): RetentionStore {
  const { db, dialect } = queries
  const all = async <Row>(query: RawBuilder<Row>): Promise<readonly Row[]> => (await query.execute(db)).rows
  const changes = async (query: RawBuilder<unknown>): Promise<number> =>
    Number((await query.execute(db)).numAffectedRows ?? 0)

  /** Of each agent one look-up: there are few, and rows are many. */
  const agentWithOldestOutput = async (): Promise<AgentId | undefined> => {
    const [row] = await all(sql<{ agent_id: AgentId }>`
      SELECT agent_id FROM (SELECT s.agent_id, (SELECT e.finished_at FROM executions AS e
          WHERE e.tenant_id = ${tenant} AND e.agent_id = s.agent_id AND e.output_bytes > 0 AND e.finished_at >= 0
          ORDER BY e.finished_at LIMIT 1) AS oldest
        FROM agent_storage AS s WHERE s.tenant_id = ${tenant}) AS of_agents
      WHERE oldest IS NOT NULL ORDER BY oldest, agent_id LIMIT 1`)
    return row?.agent_id
  }
  const empty = async (id: number): Promise<void> => {
    const [row] = await all(
      sql<{
        result: string | null
      }>`SELECT result FROM executions WHERE tenant_id = ${tenant} AND id = ${id}`,
    )
    await sql`UPDATE executions SET result = ${withoutOutput(row?.result ?? null)}, output_bytes = 0
      WHERE tenant_id = ${tenant} AND id = ${id}`.execute(db)
  }

  const candidate = (isOver: RawBuilder<unknown>) => sql`id, request_id AS ${sql.ref('requestId')},
    created_at AS ${sql.ref('createdAt')}, coalesce(finished_at, 0) AS ${sql.ref('finishedAt')},
    CASE WHEN ${isOver} THEN 1 ELSE 0 END AS ${sql.ref('isOver')}`
  /** Of whom there are more rows than are younger: those of all agents, in the order of their ids. */
  const ofAll = (afterId: number, before: UnixMs, undecided: boolean) =>
    all(
      sql<Candidate>`SELECT ${candidate(
        sql`finished_at <= ${before} ${undecided ? sql`AND decision IS NULL` : sql``} AND ${isFree(tenant)}`,
      )} FROM executions WHERE tenant_id = ${tenant} AND id > ${afterId} ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
    )
  /** What a person decided and what has output stands in no index that this reads. */
  const ofAgent = (agentId: AgentId, which: RawBuilder<unknown>, limit: number) =>
    all(sql<Candidate>`SELECT ${candidate(isFree(tenant))} FROM executions
      WHERE tenant_id = ${tenant} AND agent_id = ${agentId} AND output_bytes = 0 AND decision IS NULL
        AND ${which} LIMIT ${limit}`)

  const dropOver = async (rows: readonly Candidate[], limit: number, isLast: boolean): Promise<Dropped> => {
    const over = rows.filter(({ isOver }) => isOver === 1).slice(0, limit)
    for (const { requestId } of over) {
      for (const table of ['cards', 'approval_votes', 'executions'])
        await sql`DELETE FROM ${sql.table(table)} WHERE tenant_id = ${tenant} AND request_id = ${requestId}`.execute(
          db,
        )
    }
    const isEnd = over.length < limit && (isLast || rows.length < ROWS_AT_ONCE)
    const at = over.length < limit ? rows.at(-1) : over.at(-1)
    const next = isEnd || at === undefined ? undefined : { finishedAt: at.finishedAt, id: at.id }
    return { dropped: over.length, next }
  }

  /** PostgreSQL deletes with no limit: the rows are chosen first, the oldest of them. */
  const dropSome = (
    table: string,
    key: readonly [first: string, ...string[]],
    which: RawBuilder<unknown>,
    order: string,
    limit: number,
  ) => {
    const columns = sql.join(key.map((column) => sql.ref(column)))
    return changes(sql`DELETE FROM ${sql.table(table)} WHERE tenant_id = ${tenant} AND (${columns}) IN (
      SELECT ${columns} FROM ${sql.table(table)} WHERE tenant_id = ${tenant} AND ${which}
      ORDER BY ${sql.ref(order)} LIMIT ${limit})`)
  }
  const endedBy = (before: UnixMs) => sql`ended_at IS NOT NULL AND ended_at <= ${before}`
  /** Ids that messages on their way are about; `IN` a list without NULL, or nothing would be in it. */
  const idsOnTheirWay = sql`SELECT coalesce(o.request_id, ${dialect.jsonText('o.payload', 'askId')}, '')
    FROM outbox AS o WHERE o.tenant_id = ${tenant}
      AND (${dialect.startsWith('o.kind', 'card')} OR ${dialect.startsWith('o.kind', 'provider_ask')})`

  return {
    async dropOutputs({ agentId, endedBefore }, limit, bytes) {
      const agent = agentId ?? (await agentWithOldestOutput())
      if (agent === undefined) return 0
      const rows = await all(sql<{ id: number; bytes: number; finishedAt: UnixMs }>`
        SELECT id, output_bytes AS bytes, finished_at AS ${sql.ref('finishedAt')} FROM executions
        WHERE tenant_id = ${tenant} AND agent_id = ${agent} AND output_bytes > 0 AND finished_at >= 0
        ORDER BY finished_at LIMIT ${limit}`)
      let dropped = 0
      let sum = 0
      for (const row of rows) {
        if (endedBefore !== undefined && row.finishedAt > endedBefore) break
        if (dropped > 0 && sum + row.bytes > bytes) break
        await empty(row.id)
        dropped += 1
        sum += row.bytes
      }
      return dropped
    },
    async dropExecutions(which, after, limit) {
      const before = which.endedBefore
      const { finishedAt, id } = after ?? { finishedAt: -1, id: 0 }
      if ('agentId' in which) {
        // Two, since SQLite finds no place within equal times: as many may have ended at once as there are rows.
        const atOnce = sql`finished_at = ${finishedAt} AND id > ${id} ORDER BY id`
        const later = sql`finished_at > ${finishedAt} AND finished_at <= ${before} ORDER BY finished_at, id`
        const rows = await ofAgent(which.agentId, atOnce, ROWS_AT_ONCE)
        const more = await ofAgent(which.agentId, later, ROWS_AT_ONCE - rows.length)
        return await dropOver([...rows, ...more], limit, false)
      }
      const rows = await ofAll(id, before, which.undecided)
      // Ids follow time: what comes after was made later still.
      return await dropOver(rows, limit, (rows.at(-1)?.createdAt ?? 0) > before)
    },
    async dropEnded(before, limit) {
      const newest = sql`(SELECT max(newest.id) FROM approvals AS newest WHERE newest.tenant_id = ${tenant})`
      const settled = sql`status <> 'pending' AND decided_at <= ${before} AND id NOT IN (${idsOnTheirWay})`
      const endedCalls = sql`status <> 'pending' AND ended_at <= ${before} AND id NOT IN (${idsOnTheirWay})`
      /** Cards and votes of what is not there any more. */
      const dropOf = async (prefix: string, kept: string): Promise<number> => {
        const gone = (
          table: string,
        ) => sql`${dialect.startsWith('request_id', prefix)} AND created_at <= ${before}
          AND NOT EXISTS (SELECT 1 FROM ${sql.table(kept)} AS a
            WHERE a.tenant_id = ${tenant} AND a.id = ${sql.ref(`${table}.request_id`)})`
        const [cards, votes] = [gone('cards'), gone('approval_votes')]
        return (
          (await dropSome('cards', ['request_id', 'chat_id'], cards, 'request_id', limit)) +
          (await dropSome('approval_votes', ['request_id', 'person'], votes, 'request_id', limit))
        )
      }
      return (
        (await dropSome('approvals', ['id'], sql`${endedBy(before)} AND id < ${newest}`, 'ended_at', limit)) +
        (await dropSome('provider_asks', ['id'], settled, 'decided_at', limit)) +
        (await dropSome('tool_calls', ['id'], endedCalls, 'ended_at', limit)) +
        (await dropOf('ask_', 'provider_asks')) +
        (await dropOf('call_', 'tool_calls')) +
        (await dropSome('provider_grants', ['id'], endedBy(before), 'ended_at', limit))
      )
    },
    dropTurns: (before, limit) =>
      dropSome('machine_turns', ['machine_id', 'number'], sql`ended_at <= ${before}`, 'ended_at', limit),
    async dropUsage(day, limit) {
      const before = sql`day < ${day}`
      const ofModels = ['day', 'agent_id', 'provider', 'model', 'key_id'] as const
      return (
        (await dropSome('usage_by_day', ofModels, before, 'day', limit)) +
        (await dropSome('machine_days', ['day', 'machine_id'], before, 'day', limit))
      )
    },
    size: () => dialect.databaseSize(db),
    shrink: (pages) => dialect.shrink(db, pages),
    ...createCounter(queries, tenant),
  }
}

/** The rest of a result: exit code and what the gateway saw. */
function withoutOutput(text: string | null): string | null {
  if (text === null) return null
  try {
    return JSON.stringify({ ...(JSON.parse(text) as object), stdout: '', stderr: '', notKept: true })
  } catch {
    return null
  }
}
