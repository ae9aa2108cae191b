import type { TenantId, UnixMs } from '../kernel/index.ts'
import type { Queries } from '../storage/index.ts'
import type { DataKeyStore } from './keyring.ts'

interface DataKeyTable {
  tenant_id: TenantId
  id: number
  wrapped: string
  created_at: UnixMs
}

declare module '../storage/tables.ts' {
  interface Tables {
    data_keys: DataKeyTable
  }
}

export function createDataKeyStore({ db }: Queries, tenant: TenantId): DataKeyStore {
  return {
    list: () =>
      db
        .selectFrom('data_keys')
        .select(['id', 'wrapped', 'created_at as createdAt'])
        .where('tenant_id', '=', tenant)
        .orderBy('id')
        .execute(),
    async insert({ id, wrapped, createdAt }) {
      await db
        .insertInto('data_keys')
        .values({ tenant_id: tenant, id, wrapped, created_at: createdAt })
        .execute()
    },
    async rewrap(id, wrapped) {
      await db
        .updateTable('data_keys')
        .set({ wrapped })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
    async remove(id) {
      await db.deleteFrom('data_keys').where('tenant_id', '=', tenant).where('id', '=', id).execute()
    },
  }
}
