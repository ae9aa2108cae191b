import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { TenantId } from '../kernel/index.ts'

/**
 * Whether nothing refers to a row of executions: no wake or message is on its way. The newest row stays too, so that ids
 * that pages and audits name are not given out twice. The offset makes PostgreSQL look each row up: without it a page of rows
 * reads all that is on its way.
 */
export const isFree = (tenant: TenantId): RawBuilder<SqlBool> => sql`(
  NOT EXISTS (SELECT 1 FROM wakes AS w
    WHERE w.tenant_id = ${tenant} AND w.request_id = executions.request_id LIMIT 1 OFFSET 0)
  AND NOT EXISTS (SELECT 1 FROM outbox AS o
    WHERE o.tenant_id = ${tenant} AND o.request_id = executions.request_id LIMIT 1 OFFSET 0)
  AND executions.id < (SELECT max(newest.id) FROM executions AS newest WHERE newest.tenant_id = ${tenant}))`
