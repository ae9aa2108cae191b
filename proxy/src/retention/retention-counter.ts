import { sql } from 'kysely'
import type { TenantId } from '../kernel/index.ts'
import type { Queries } from '../storage/index.ts'
import type { ExecutionCounts, RetentionReader } from './ports.ts'
import { isFree } from './retention-rows.ts'

type Counter = Pick<RetentionReader, 'countNext' | 'countOthers'>

/** What a prune would take, without taking it. */
export function createCounter({ db }: Queries, tenant: TenantId): Counter {
  const count = async (
    table: 'usage_by_day' | 'machine_days' | 'approvals',
    which: ReturnType<typeof sql>,
  ): Promise<number> => {
    const { rows } = await sql<{ count: number }>`
      SELECT count(*) AS count FROM ${sql.table(table)} WHERE tenant_id = ${tenant} AND ${which}`.execute(db)
    return rows[0]?.count ?? 0
  }
  return {
    async countNext({ outputs, executions }, afterId, limit) {
      const { rows } = await sql<Record<keyof ExecutionCounts, number> & { lastId: number | null }>`
        SELECT max(id) AS ${sql.ref('lastId')},
          count(*) FILTER (WHERE output_bytes > 0 AND finished_at <= ${outputs}) AS outputs,
          coalesce(sum(output_bytes) FILTER (WHERE finished_at <= ${outputs}), 0) AS ${sql.ref('outputBytes')},
          count(*) FILTER (WHERE finished_at <= ${executions} AND is_free) AS executions,
          count(*) FILTER (WHERE finished_at IS NULL) AS waiting,
          count(*) FILTER (WHERE finished_at <= ${executions} AND NOT is_free) AS unsent,
          count(*) FILTER (WHERE finished_at > ${executions}) AS young
        FROM (SELECT id, output_bytes, finished_at, ${isFree(tenant)} AS is_free
          FROM executions WHERE tenant_id = ${tenant} AND id > ${afterId} ORDER BY id LIMIT ${limit}) AS page`.execute(
        db,
      )
      const { lastId, ...counts } = rows[0] ?? { lastId: null }
      return lastId === null ? undefined : { lastId, counts: counts as ExecutionCounts }
    },
    async countOthers({ usageDay }) {
      return {
        usageRows:
          (await count('usage_by_day', sql`day < ${usageDay}`)) +
          (await count('machine_days', sql`day < ${usageDay}`)),
        grants: await count('approvals', sql`ended_at IS NULL`),
      }
    },
  }
}
