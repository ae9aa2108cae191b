import type { Selectable } from 'kysely'
import type { AppId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { AppFile, AppFileStore } from './ports.ts'

interface AppFileTable {
  tenant_id: TenantId
  id: string
  app_id: AppId
  name: string
  bytes: number
  blob: string
  blob_key: string
  created_at: UnixMs
  expires_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    app_files: AppFileTable
  }
}

export function createAppFileStore({ db }: Queries, tenant: TenantId): AppFileStore {
  const files = () => db.selectFrom('app_files').where('tenant_id', '=', tenant)
  return {
    async byId(id) {
      const row = await files().selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async listOf(appId) {
      const rows = await files().selectAll().where('app_id', '=', appId).orderBy('id').execute()
      return rows.map(fromRow)
    },
    async sumOf(appId) {
      const { count, bytes } = await files()
        .where('app_id', '=', appId)
        .select((of) => [of.fn.countAll<number>().as('count'), of.fn.sum<number | null>('bytes').as('bytes')])
        .executeTakeFirstOrThrow()
      return { count: Number(count), bytes: Number(bytes ?? 0) }
    },
    async expired(before, limit) {
      const rows = await files()
        .selectAll()
        .where('expires_at', '<=', before)
        .orderBy('expires_at')
        .limit(limit)
        .execute()
      return rows.map(fromRow)
    },
    async blobs() {
      const rows = await files().select(['id', 'blob', 'blob_key']).execute()
      return rows.map(({ id, blob, blob_key: blobKey }) => ({ id, blob, blobKey }))
    },
    async insert(file) {
      await db
        .insertInto('app_files')
        .values({
          ...{ tenant_id: tenant, id: file.id, app_id: file.appId, name: file.name, bytes: file.bytes },
          ...{ blob: file.blob, blob_key: file.blobKey },
          ...{ created_at: file.createdAt, expires_at: file.expiresAt },
        })
        .execute()
    },
    async remove(id) {
      await db.deleteFrom('app_files').where('tenant_id', '=', tenant).where('id', '=', id).execute()
    },
    async setBlobKey(id, blobKey) {
      await db
        .updateTable('app_files')
        .set({ blob_key: blobKey })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
  }
}

const fromRow = (row: Selectable<AppFileTable>): AppFile => ({
  ...{ id: row.id, appId: row.app_id, name: row.name, bytes: row.bytes },
  ...{ blob: row.blob, blobKey: row.blob_key },
  ...{ createdAt: row.created_at, expiresAt: row.expires_at },
})
