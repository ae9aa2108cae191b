import type { MetaStore, TenantId } from '../kernel/index.ts'
import { INSTALLATION_KEYS } from './installation-keys.ts'
import type { Queries } from './queries.ts'
import { statement } from './statement.ts'

interface Entry {
  tenant: TenantId
  key: string
  value: string
}

const find = statement((db, { tenant, key }: Omit<Entry, 'value'>) =>
  db.selectFrom('meta').select('value').where('tenant_id', '=', tenant).where('key', '=', key),
)
const put = statement((db, { tenant, key, value }: Entry) =>
  db
    .insertInto('meta')
    .values({ tenant_id: tenant, key, value })
    .onConflict((on) =>
      on.columns(['tenant_id', 'key']).doUpdateSet((of) => ({ value: of.ref('excluded.value') })),
    ),
)

/** Values of the tenant; those of the installation are one and the same, whichever tenant they are asked through. */
export function createMetaStore(queries: Queries, tenant: TenantId): MetaStore {
  const { db } = queries
  return {
    async get(key) {
      const row = INSTALLATION_KEYS.has(key)
        ? await db.selectFrom('installation').select('value').where('key', '=', key).executeTakeFirst()
        : await find.first(queries, { tenant, key })
      return row?.value
    },
    async set(key, value) {
      if (INSTALLATION_KEYS.has(key)) {
        await db
          .insertInto('installation')
          .values({ key, value })
          .onConflict((on) => on.column('key').doUpdateSet((of) => ({ value: of.ref('excluded.value') })))
          .execute()
        return
      }
      await put.all(queries, { tenant, key, value })
    },
  }
}
