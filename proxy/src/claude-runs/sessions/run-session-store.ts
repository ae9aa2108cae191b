import type { Selectable } from 'kysely'
import type { AppId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { RunSessionRow, RunSessionStore } from './ports.ts'

interface RunSessionTable {
  tenant_id: TenantId
  id: string
  app_id: AppId
  cli_session: string
  parent: string | null
  runs: number
  bytes: number
  blob: string
  blob_key: string
  created_at: UnixMs
  used_at: UnixMs
  expires_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    claude_sessions: RunSessionTable
  }
}

export function createRunSessionStore({ db }: Queries, tenant: TenantId): RunSessionStore {
  const sessions = () => db.selectFrom('claude_sessions').where('tenant_id', '=', tenant)
  return {
    async byId(id) {
      const row = await sessions().selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async listOf(appId, limit) {
      const rows = await sessions()
        .selectAll()
        .where('app_id', '=', appId)
        .orderBy('used_at', 'desc')
        .limit(limit)
        .execute()
      return rows.map(fromRow)
    },
    async sumOf(appId) {
      const { count, bytes } = await sessions()
        .where('app_id', '=', appId)
        .select((of) => [of.fn.countAll<number>().as('count'), of.fn.sum<number | null>('bytes').as('bytes')])
        .executeTakeFirstOrThrow()
      return { count: Number(count), bytes: Number(bytes ?? 0) }
    },
    async expired(before, limit) {
      const rows = await sessions()
        .selectAll()
        .where('expires_at', '<=', before)
        .orderBy('expires_at')
        .limit(limit)
        .execute()
      return rows.map(fromRow)
    },
    async blobs() {
      const rows = await sessions().select(['id', 'blob', 'blob_key']).execute()
      return rows.map(({ id, blob, blob_key: blobKey }) => ({ id, blob, blobKey }))
    },
    async put(row) {
      const values = toRow(tenant, row)
      await db
        .insertInto('claude_sessions')
        .values(values)
        .onConflict((on) => on.columns(['tenant_id', 'id']).doUpdateSet(values))
        .execute()
    },
    async remove(id) {
      await db.deleteFrom('claude_sessions').where('tenant_id', '=', tenant).where('id', '=', id).execute()
    },
    async setBlobKey(id, blobKey) {
      await db
        .updateTable('claude_sessions')
        .set({ blob_key: blobKey })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
  }
}

const toRow = (tenant: TenantId, row: RunSessionRow) => ({
  ...{ tenant_id: tenant, id: row.id, app_id: row.appId, cli_session: row.cliSession, parent: row.parent },
  ...{ runs: row.runs, bytes: row.bytes, blob: row.blob, blob_key: row.blobKey },
  ...{ created_at: row.createdAt, used_at: row.usedAt, expires_at: row.expiresAt },
})

const fromRow = (row: Selectable<RunSessionTable>): RunSessionRow => ({
  ...{ id: row.id, appId: row.app_id, cliSession: row.cli_session, parent: row.parent },
  ...{ runs: row.runs, bytes: row.bytes, blob: row.blob, blobKey: row.blob_key },
  ...{ createdAt: row.created_at, usedAt: row.used_at, expiresAt: row.expires_at },
})
