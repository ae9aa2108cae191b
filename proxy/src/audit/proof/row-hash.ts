import { sha256Hex } from '../../kernel/index.ts'

/** A row of the audit, as stored. */
export interface StoredAuditRow {
  readonly id: number
  /** Unix milliseconds. */
  readonly at: number
  readonly event: string
  /** Who caused it: `agent:<id>`, `telegram:<user id>`, `cli:<uid>`, `daemon`. */
  readonly actor: string
  readonly requestId: string | null
  /** JSON, word for word what the hash is over. */
  readonly data: string
  readonly prevHash: string
  readonly hash: string
}

/** The hash that the first row goes on from. */
export const GENESIS = '0'.repeat(64)

/**
 * Hash chain of the audit: SHA-256 of the row's canonical JSON without `hash`; `data` enters as the stored text. Of a list of
 * numbers and well-formed strings, which is all that a database holds, canonical JSON is what `JSON.stringify` writes.
 */
export function auditRowHash(row: Omit<StoredAuditRow, 'hash'>): string {
  return sha256Hex(
    JSON.stringify([row.id, row.at, row.event, row.actor, row.requestId, row.data, row.prevHash]),
  )
}
