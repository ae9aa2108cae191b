import type { Kysely } from 'kysely'
import type { Stores, TenantId } from '../kernel/index.ts'
import type { Dialect } from './dialect/dialect.ts'
import type { Tables } from './tables.ts'

/** What a store asks through: the statements of one unit of work, on one connection, inside its transaction. */
export interface Queries {
  readonly db: Kysely<Tables>
  readonly dialect: Dialect
}

/**
 * How each store is made: once for each unit of work that uses it, bound to the tenant. Tenant isolation: every statement of a store
 * names `tenant_id`, and every row that it inserts has it; on PostgreSQL row-level security holds a statement that forgets it.
 */
export type StoreFactories = {
  readonly [K in keyof Stores]: (queries: Queries, tenant: TenantId) => Stores[K]
}
