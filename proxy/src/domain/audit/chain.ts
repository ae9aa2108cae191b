import { canonicalJson, sha256Hex } from '../../kernel/index.ts'
import type { StoredAuditRow } from './ports.ts'

/** The hash that the first row goes on from. */
export const GENESIS = '0'.repeat(64)

/** Hash chain of the audit: SHA-256 of the row's canonical JSON without `hash`; `data` enters as the stored text. */
export function auditRowHash(row: Omit<StoredAuditRow, 'hash'>): string {
  return sha256Hex(
    canonicalJson([row.id, row.at, row.event, row.actor, row.requestId, row.data, row.prevHash]),
  )
}
