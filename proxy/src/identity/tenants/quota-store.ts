import type { TenantId } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { QuotaStore, QuotaWhat } from './ports.ts'

interface QuotaTable {
  tenant_id: TenantId
  what: QuotaWhat
  amount: number
}

declare module '../../storage/tables.ts' {
  interface Tables {
    quotas: QuotaTable
  }
}

export function createQuotaStore({ db }: Queries, tenant: TenantId): QuotaStore {
  return {
    async list() {
      const rows = await db
        .selectFrom('quotas')
        .select(['what', 'amount'])
        .where('tenant_id', '=', tenant)
        .execute()
      return new Map(rows.map(({ what, amount }) => [what, amount]))
    },
    async set(what, amount) {
      await db.deleteFrom('quotas').where('tenant_id', '=', tenant).where('what', '=', what).execute()
      if (amount !== null) await db.insertInto('quotas').values({ tenant_id: tenant, what, amount }).execute()
    },
  }
}
