import { type Selectable, sql } from 'kysely'
import type { AppId, RunId, TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries } from '../../storage/index.ts'
import type { ToolCall, ToolCallStore } from './ports.ts'
import type { ToolEffect } from './tool-policy.ts'

interface ToolCallTable {
  tenant_id: TenantId
  id: string
  app_id: AppId
  run_id: RunId
  prompt_sha256: string
  tool: string
  input: string
  /** JSON of `ToolEffect`. */
  effect: string
  status: ToolCall['status']
  created_at: UnixMs
  expires_at: UnixMs
  choice: ToolCall['choice']
  deny_reason: string | null
  ended_at: UnixMs | null
  decided_by: ToolCall['decidedBy']
  decided_by_name: string | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    tool_calls: ToolCallTable
  }
}

/** It stands in the text of a statement: its rows have an index of their own. */
const PENDING = sql.lit('pending' as const)
const OVERDUE_AT_ONCE = 500

export function createToolCallStore({ db, dialect }: Queries, tenant: TenantId): ToolCallStore {
  const calls = () => db.selectFrom('tool_calls').selectAll().where('tenant_id', '=', tenant)
  const pending = () => calls().where('status', '=', PENDING)
  return {
    async byId(id) {
      const row = await calls().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async idsBeginning(text) {
      const found = await calls().where(dialect.startsWith('id', text)).orderBy('id').limit(2).execute()
      return found.map(({ id }) => id)
    },
    async list({ appId, runId, which, limit }) {
      let query = which === 'waiting' ? pending() : calls()
      if (appId !== undefined) query = query.where('app_id', '=', appId)
      if (runId !== undefined) query = query.where('run_id', '=', runId)
      const rows = await query.orderBy('created_at', 'desc').orderBy('id').limit(limit).execute()
      return rows.map(fromRow)
    },
    async countWaiting(appId, now) {
      const { count } = await db
        .selectFrom('tool_calls')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenant)
        .where('app_id', '=', appId)
        .where('status', '=', PENDING)
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow()
      return count
    },
    async overdue(now) {
      const rows = await pending()
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(OVERDUE_AT_ONCE)
        .execute()
      return rows.map(fromRow)
    },
    async insert(call) {
      await db
        .insertInto('tool_calls')
        .values({
          ...{ tenant_id: tenant, id: call.id, app_id: call.appId, run_id: call.runId },
          ...{ prompt_sha256: call.promptSha256, tool: call.tool, input: call.input },
          effect: JSON.stringify(call.effect),
          ...{ created_at: call.createdAt, expires_at: call.expiresAt },
          ...settling(call),
        })
        .execute()
    },
    async settle(call) {
      await db
        .updateTable('tool_calls')
        .set(settling(call))
        .where('tenant_id', '=', tenant)
        .where('id', '=', call.id)
        .where('status', '=', PENDING)
        .execute()
    },
  }
}

const settling = ({ status, choice, denyReason, endedAt, decidedBy, decidedByName }: ToolCall) => ({
  ...{ status, choice, deny_reason: denyReason, ended_at: endedAt, decided_by: decidedBy },
  decided_by_name: decidedByName && keptText(decidedByName),
})

const fromRow = (row: Selectable<ToolCallTable>): ToolCall => ({
  ...{ id: row.id, appId: row.app_id, runId: row.run_id, promptSha256: row.prompt_sha256 },
  ...{ tool: row.tool, input: row.input, effect: JSON.parse(row.effect) as ToolEffect },
  ...{ status: row.status, createdAt: row.created_at, expiresAt: row.expires_at },
  ...{ choice: row.choice, denyReason: row.deny_reason, endedAt: row.ended_at },
  ...{ decidedBy: row.decided_by, decidedByName: row.decided_by_name },
})
