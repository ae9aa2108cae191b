import type { AuditRowView } from '../../../src/contracts/admin/index.ts'

/** The hash that the first row goes on from. */
const GENESIS = '0'.repeat(64)
const encoder = new TextEncoder()

/** The hash chain of the audit (proxy/src/audit/proof/row-hash.ts), reckoned here and not by the daemon that is checked. */
async function rowHash(row: AuditRowView): Promise<string> {
  const text = JSON.stringify([row.id, row.at, row.event, row.actor, row.request_id, row.data, row.prev_hash])
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface ChainCheck {
  readonly rows: number
  readonly head: string
  /** The first row that is not what it was, and what is wrong with it. */
  readonly broken?: { readonly id: number; readonly reason: string }
}

const ROWS_AT_ONCE = 500

/**
 * Checks rows as they arrive: every hash over its row, and every row over the one before. The first may go on from rows that were moved
 * into archives. Memory stays that of one batch.
 */
export async function checkChain(
  rows: AsyncIterable<AuditRowView>,
  onProgress: (rows: number) => void,
): Promise<ChainCheck> {
  let last: { id: number; hash: string } | undefined
  let count = 0
  let batch: AuditRowView[] = []
  const checkBatch = async (): Promise<ChainCheck['broken']> => {
    const hashes = await Promise.all(batch.map(rowHash))
    for (const [index, row] of batch.entries()) {
      const before = last?.hash ?? (row.id === 1 ? GENESIS : row.prev_hash)
      if (last !== undefined && row.id !== last.id + 1)
        return { id: row.id, reason: `row ${last.id + 1} is missing` }
      if (row.prev_hash !== before) return { id: row.id, reason: 'it does not go on from the row before' }
      if (row.hash !== hashes[index]) return { id: row.id, reason: 'its contents are not what its hash says' }
      last = { id: row.id, hash: row.hash }
      count += 1
    }
    batch = []
    onProgress(count)
    return undefined
  }
  const result = (broken?: ChainCheck['broken']): ChainCheck => ({
    rows: count,
    head: last?.hash ?? GENESIS,
    ...(broken ? { broken } : {}),
  })
  for await (const row of rows) {
    if (batch.push(row) < ROWS_AT_ONCE) continue
    const broken = await checkBatch()
    if (broken) return result(broken)
  }
  return result(await checkBatch())
}
