import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ReadTx, Storage } from '../kernel/index.ts'
import { lastBlockWith, rangeOf } from './block-index.ts'
import type { StoredAuditRow } from './ports.ts'
import { termsOfRow, wantedTerms } from './row-terms.ts'
import type { AuditFilter, SubjectOf } from './search-filter.ts'

export interface AuditPage {
  /** The newest first. */
  readonly rows: readonly StoredAuditRow[]
  /** Ask again for what is before this row; null: there is nothing before that is not in an archive. */
  readonly next: number | null
}

/** Rows that are looked at before others have their turn, and for one answer: an audit of any length holds nobody up. */
const ROWS_A_PAGE = 100
const ROWS_AN_ANSWER = 100_000

/** What one step back read, and where the next goes on; null: there is nothing before. */
interface Step {
  readonly rows: readonly StoredAuditRow[]
  readonly next: number | null
}

/**
 * From the newest row back. The index tells which blocks of rows name what is looked for, and the rows themselves are looked at: those
 * that no index covers yet one after the other.
 */
export async function searchRows(
  storage: Pick<Storage, 'read'>,
  filter: AuditFilter,
  { before, limit }: { readonly before: number; readonly limit: number },
  subjectOf: SubjectOf,
): Promise<AuditPage> {
  const wanted = wantedTerms(filter)
  const found: StoredAuditRow[] = []
  let at: number | null = before
  const look = async (tx: ReadTx): Promise<number> => {
    const { rows, next } = await stepBack(tx, filter, wanted, at ?? 0)
    at = next
    for (const row of rows) {
      if (!(await isWanted(tx, row, filter, wanted, subjectOf))) continue
      found.push(row)
      if (found.length < limit) continue
      at = row.id
      break
    }
    return rows.length
  }
  for (let looked = 0; looked < ROWS_AN_ANSWER; ) {
    looked += Math.max(1, await storage.read(look))
    if (at === null || found.length >= limit) break
    await nextTurn()
  }
  return { rows: found, next: at }
}

async function stepBack(
  tx: ReadTx,
  filter: AuditFilter,
  wanted: ReturnType<typeof wantedTerms>,
  at: number,
): Promise<Step> {
  const { requestId, since, until } = filter
  if (requestId !== null) return stepOf(await tx.audit.ofRequest(requestId, at, ROWS_A_PAGE))
  const isAnything = wanted.length === 0 && since === null && until === null
  const covered = isAnything ? 0 : await tx.audit.indexedUpTo()
  if (at > covered + 1) {
    const { rows, next } = stepOf(await tx.audit.before(at, ROWS_A_PAGE))
    const above = rows.filter(({ id }) => id > covered)
    return above.length < rows.length ? { rows: above, next: covered + 1 } : { rows, next }
  }
  const block = await lastBlockWith(tx.audit, wanted, { since, until }, at)
  if (block === null) return { rows: [], next: null }
  const { first, last } = rangeOf(block)
  const rows = await tx.audit.before(Math.min(at, last + 1), Math.min(at, last + 1) - first)
  return { rows: rows.filter(({ id }) => id >= first), next: first > 1 ? first : null }
}

const stepOf = (rows: readonly StoredAuditRow[]): Step => ({
  rows,
  next: rows.length < ROWS_A_PAGE ? null : (rows.at(-1)?.id ?? null),
})

async function isWanted(
  tx: ReadTx,
  row: StoredAuditRow,
  { since, until }: AuditFilter,
  wanted: ReturnType<typeof wantedTerms>,
  subjectOf: SubjectOf,
): Promise<boolean> {
  if ((since !== null && row.at < since) || (until !== null && row.at >= until)) return false
  if (wanted.length === 0) return true
  const terms = termsOfRow(row, row.requestId === null ? null : await subjectOf(tx, row.requestId))
  return wanted.every((any) => any.some((term) => terms.has(term)))
}
