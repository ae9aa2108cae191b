import type { Generated, Selectable } from 'kysely'
import type { TenantId, UnixMs } from '../kernel/index.ts'
import { type Queries, statement } from '../storage/index.ts'
import type { SecretRecord, SecretStore } from './vault.ts'

interface SecretTable {
  tenant_id: TenantId
  id: Generated<number>
  name: string
  /** Envelope, see keyring.ts. */
  encrypted_value: string
  version: number
  /** JSON. */
  hosts: string | null
  created_at: UnixMs
  updated_at: UnixMs
}

/** The hosts of names whose value was removed or renamed: a new value under the name is bound to them. */
interface KeptBindingTable {
  tenant_id: TenantId
  name: string
  /** JSON. */
  hosts: string
}

declare module '../storage/tables.ts' {
  interface Tables {
    secrets: SecretTable
    kept_bindings: KeptBindingTable
  }
}

const byName = statement((db, { tenant, name }: { tenant: TenantId; name: string }) =>
  db.selectFrom('secrets').selectAll().where('tenant_id', '=', tenant).where('name', '=', name),
)

export function createSecretStore(queries: Queries, tenant: TenantId): SecretStore {
  const { db } = queries

  return {
    async byName(name) {
      const row = await byName.first(queries, { tenant, name })
      return row && fromRow(row)
    },
    async list() {
      return (
        await db.selectFrom('secrets').selectAll().where('tenant_id', '=', tenant).orderBy('name').execute()
      ).map(fromRow)
    },
    async keptHosts(name) {
      const row = await db
        .selectFrom('kept_bindings')
        .select('hosts')
        .where('tenant_id', '=', tenant)
        .where('name', '=', name)
        .executeTakeFirst()
      return row && (JSON.parse(row.hosts) as string[])
    },
    async upsert(record) {
      await db
        .insertInto('secrets')
        .values({ tenant_id: tenant, ...whatChanges(record), created_at: record.createdAt })
        .onConflict((on) =>
          on.columns(['tenant_id', 'name']).doUpdateSet((of) => ({
            encrypted_value: of.ref('excluded.encrypted_value'),
            version: of.ref('excluded.version'),
            hosts: of.ref('excluded.hosts'),
            updated_at: of.ref('excluded.updated_at'),
          })),
        )
        .execute()
    },
    async remove(name) {
      await db.deleteFrom('secrets').where('tenant_id', '=', tenant).where('name', '=', name).execute()
    },
    async rename(from, record) {
      await db
        .updateTable('secrets')
        .set(whatChanges(record))
        .where('tenant_id', '=', tenant)
        .where('name', '=', from)
        .execute()
    },
    async keepHosts(name, hosts) {
      await db
        .insertInto('kept_bindings')
        .values({ tenant_id: tenant, name, hosts: JSON.stringify(hosts) })
        .onConflict((on) =>
          on.columns(['tenant_id', 'name']).doUpdateSet((of) => ({ hosts: of.ref('excluded.hosts') })),
        )
        .execute()
    },
    async forgetHosts(name) {
      await db.deleteFrom('kept_bindings').where('tenant_id', '=', tenant).where('name', '=', name).execute()
    },
  }
}

const whatChanges = (record: SecretRecord) => ({
  name: record.name,
  encrypted_value: record.sealed,
  version: record.version,
  hosts: record.hosts && JSON.stringify(record.hosts),
  updated_at: record.updatedAt,
})

const fromRow = (row: Selectable<SecretTable>): SecretRecord => ({
  name: row.name,
  version: row.version,
  hosts: row.hosts === null ? null : (JSON.parse(row.hosts) as string[]),
  sealed: row.encrypted_value,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
