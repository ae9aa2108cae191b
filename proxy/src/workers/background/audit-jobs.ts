import { type ChainCheck, createAuditScans, createAuditStore } from '../../audit/index.ts'
import type { TenantId } from '../../kernel/index.ts'
import { createMetaStore, type DatabaseAddress, openToRead } from '../../storage/index.ts'

/** Where the audit of a tenant is. */
export interface AuditPlace {
  readonly database: DatabaseAddress
  readonly tenant: TenantId
}

/** A fraction of a second: others wait for the thread. */
const SLICE_MS = 250

const opened = async ({ database, tenant }: AuditPlace) => {
  const reader = await openToRead(database, { audit: createAuditStore, meta: createMetaStore })
  return { scans: createAuditScans(reader.forTenant(tenant), SLICE_MS), reader }
}

export async function checkAudit({ check, ...place }: AuditPlace & { readonly check: ChainCheck }) {
  const { scans, reader } = await opened(place)
  await using _ = reader
  return await scans.check(check)
}

export async function readAudit({ after, ...place }: AuditPlace & { readonly after: number }) {
  const { scans, reader } = await opened(place)
  await using _ = reader
  return await scans.rowsAfter(after)
}
