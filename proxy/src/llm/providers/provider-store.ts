import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { ErrorShape, OwnProvider, ProviderAuth, ProviderStore } from './ports.ts'

declare module '../../storage/tables.ts' {
  interface Tables {
    /** The owner's own; primary key: tenant, name. */
    providers: {
      readonly tenant_id: string
      readonly name: string
      readonly url: string
      /** `ProviderAuth` as JSON. */
      readonly auth: string
      readonly errors: ErrorShape
      /** 0 or 1. */
      readonly private: number
      readonly created_at: UnixMs
    }
    /** What the owner filled in for those of the table; primary key: tenant, provider, name. */
    provider_params: {
      readonly tenant_id: string
      readonly provider: string
      readonly name: string
      readonly value: string
    }
  }
}

/** The owner's own providers, and what the owner filled in for those of the table. */
export function createProviderStore({ db }: Queries, tenant: TenantId): ProviderStore {
  return {
    async own(): Promise<readonly OwnProvider[]> {
      const rows = await db
        .selectFrom('providers')
        .select(['name', 'url', 'auth', 'errors', 'private', 'created_at as createdAt'])
        .where('tenant_id', '=', tenant)
        .orderBy('name')
        .execute()
      return rows.map((row) => ({
        ...row,
        auth: JSON.parse(row.auth) as ProviderAuth,
        private: row.private !== 0,
      }))
    },
    async insert({ name, url, auth, errors, createdAt, private: isPrivate }) {
      await db
        .insertInto('providers')
        .values({
          tenant_id: tenant,
          name,
          url,
          auth: JSON.stringify(auth),
          errors,
          private: isPrivate ? 1 : 0,
          created_at: createdAt,
        })
        .execute()
    },
    async remove(name) {
      await db.deleteFrom('providers').where('tenant_id', '=', tenant).where('name', '=', name).execute()
      await db
        .deleteFrom('provider_params')
        .where('tenant_id', '=', tenant)
        .where('provider', '=', name)
        .execute()
    },
    params: () =>
      db
        .selectFrom('provider_params')
        .select(['provider', 'name', 'value'])
        .where('tenant_id', '=', tenant)
        .orderBy('provider')
        .orderBy('name')
        .execute(),
    async setParam(provider, name, value) {
      await db
        .insertInto('provider_params')
        .values({ tenant_id: tenant, provider, name, value })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'provider', 'name']).doUpdateSet({ value }))
        .execute()
    },
  }
}
