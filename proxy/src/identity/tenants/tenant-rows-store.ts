import { sql } from 'kysely'
import type { TenantId } from '../../kernel/index.ts'
import { type CopiedTable, listTables, type Queries } from '../../storage/index.ts'
import type { TenantRowsStore } from './ports.ts'

let ofTenants: readonly CopiedTable[] | undefined

/** Those whose rows belong to tenants, and those that refer to others before them; read from the schema, so that none is forgotten. */
const tables = (): readonly CopiedTable[] => {
  ofTenants ??= listTables()
    .filter(({ columns }) => columns.some(({ name }) => name === 'tenant_id'))
    .toReversed()
  return ofTenants
}

export function createTenantRowsStore({ db }: Queries, tenant: TenantId): TenantRowsStore {
  return {
    async deleteSome(limit) {
      for (const { name, key } of tables()) {
        const columns = sql.join(key.map((column) => sql.ref(column)))
        const some = sql`SELECT ${columns} FROM ${sql.table(name)} WHERE tenant_id = ${tenant} LIMIT ${sql.lit(limit)}`
        const { numAffectedRows = 0n } =
          await sql`DELETE FROM ${sql.table(name)} WHERE tenant_id = ${tenant} AND (${columns}) IN (${some})`.execute(
            db,
          )
        if (numAffectedRows > 0n) return true
      }
      return false
    },
  }
}
