import type { TenantId } from '../kernel/index.ts'

/**
 * The tables and the types of their rows, as they are read. Each feature adds its own beside its store:
 * `declare module '../../storage/tables.ts' { interface Tables { executions: ExecutionRow } }`, with a `tenant_id: string` in each.
 */
export interface Tables {
  /** Of the installation, whoever its tenants are: no tenant, no row-level security. */
  installation: { key: string; value: string }
  tenants: { id: TenantId; name: string; created_at: number; removed_at: number | null }
  meta: { tenant_id: string; key: string; value: string }
}
