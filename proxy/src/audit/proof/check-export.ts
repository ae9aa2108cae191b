import { canonicalJson } from '../../kernel/index.ts'
import { auditRowHash, type StoredAuditRow } from './row-hash.ts'

export type ExportVerdict =
  /** `rows`: how many follow the receipt's row, each by its hash. */
  { readonly ok: true; readonly rows: number } | { readonly ok: false; readonly reason: string }

/**
 * Whether an audit's export (`oauth3 audit export`, JSON Lines), or a file of its archives, holds a row, and from there on is one
 * chain. Without the audit's key: that nobody wrote it anew behind that row, only its head hash kept elsewhere shows.
 */
export async function checkExport(
  lines: AsyncIterable<string>,
  row: Pick<StoredAuditRow, 'id' | 'hash'>,
): Promise<ExportVerdict> {
  const fail = (reason: string): ExportVerdict => ({ ok: false, reason })
  let before: StoredAuditRow | undefined
  let isFound = false
  let count = 0
  for await (const line of lines) {
    count += 1
    const read = parseLine(line)
    if (read === 'seal' && before !== undefined) break
    if (read === undefined || read === 'seal') return fail(`line ${count} is no row of an audit`)
    if (read.hash !== auditRowHash(read)) return fail(`row ${read.id} is not what was hashed`)
    if (before !== undefined && (read.id !== before.id + 1 || read.prevHash !== before.hash))
      return fail(`row ${read.id} does not continue row ${before.id}`)
    if (read.id === row.id) {
      if (read.hash !== row.hash) return fail(`row ${row.id} is another one there`)
      isFound = true
    }
    before = read
  }
  return isFound && before !== undefined
    ? { ok: true, rows: before.id - row.id }
    : fail(`row ${row.id} is not in it`)
}

/** A row as the export has it (`request_id`, data as JSON) or as an archive does; `seal`: what an archive ends with. */
function parseLine(line: string): StoredAuditRow | 'seal' | undefined {
  try {
    const read = JSON.parse(line) as Readonly<Record<string, unknown>>
    if (typeof read.format === 'string' && typeof read.mac === 'string') return 'seal'
    const isExport = 'request_id' in read
    const { data_text: data = typeof read.data === 'string' ? read.data : canonicalJson(read.data) } = read
    const row = {
      ...{ id: read.id, at: read.at, event: read.event, actor: read.actor, data, hash: read.hash },
      requestId: isExport ? read.request_id : read.requestId,
      prevHash: isExport ? read.prev_hash : read.prevHash,
    }
    const { requestId, ...texts } = row
    const isRow =
      [row.id, row.at].every(Number.isSafeInteger) &&
      [texts.event, texts.actor, data, texts.hash, texts.prevHash].every(
        (text) => typeof text === 'string',
      ) &&
      (requestId === null || typeof requestId === 'string')
    return isRow ? (row as StoredAuditRow) : undefined
  } catch {
    return undefined
  }
}
