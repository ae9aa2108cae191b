import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Storage } from '../kernel/index.ts'
import type { AuditSeal, StoredAuditRow } from './ports.ts'
import { auditRowHash } from './proof/index.ts'

/** A row, by its place and what it and all before it come to. */
export interface Link {
  readonly id: number
  readonly hash: string
}

/** How far a check of the chain has come. Plain values: it may go on in another thread. */
export interface ChainCheck {
  /** The last archived row; row 0 where none is. */
  readonly archived: Link
  /** The last row that holds. */
  readonly previous: Link
  /** The last of the archived rows that are still to be deleted; null before the first of them. */
  readonly left: Link | null
  /** Read up to this row. */
  readonly after: number
}

/** `end`: no row comes after; the seal is as of that moment. */
type CheckedSlice =
  | { readonly state: 'more'; readonly check: ChainCheck }
  | { readonly state: 'end'; readonly check: ChainCheck; readonly seal: AuditSeal | undefined }
  | { readonly state: 'broken'; readonly rows: number; readonly brokenId: number; readonly reason: string }

type Problem = Extract<CheckedSlice, { readonly state: 'broken' }>

/**
 * Reads of the whole audit, for as long as they may take: by another thread, on a connection of its own, so that they hold up neither
 * the event loop nor a decision.
 */
export interface AuditScans {
  /** Goes on with a check for a while. */
  check(from: ChainCheck): Promise<CheckedSlice>
  /** The next rows after one; none at the end. */
  rowsAfter(id: number): Promise<readonly StoredAuditRow[]>
}

/** Rows that are read at once: a page takes a few milliseconds. */
const ROWS_A_PAGE = 250
/** Rows that are handed to another thread at once, which costs each page a connection. */
const ROWS_HANDED_OVER = 500
/** A row below 1 is an inserted one. */
export const LOWEST_ID = Number.MIN_SAFE_INTEGER

/** From the first row there is. */
export const checkFrom = (archived: Link): ChainCheck => ({
  archived,
  previous: archived,
  left: null,
  after: LOWEST_ID,
})

/** Scans of a storage, in slices of about so many milliseconds: in the thread that has it. */
export function createAuditScans(storage: Pick<Storage, 'read'>, sliceMs: number): AuditScans {
  /** The rows after one, and the seal as of then where there are no more. */
  const pageAfter = (id: number, limit: number) =>
    storage.read(async (tx) => {
      const rows = await tx.audit.rows(id, limit)
      return { rows, seal: rows.length === 0 ? await tx.audit.seal() : undefined }
    })
  return {
    async check(from) {
      const until = performance.now() + sliceMs
      for (let check = from; ; ) {
        const { rows, seal } = await pageAfter(check.after, ROWS_A_PAGE)
        if (rows.length === 0) return leftProblem(check) ?? { state: 'end', check, seal }
        const next = checkRows(check, rows)
        if ('state' in next) return next
        if (performance.now() >= until) return { state: 'more', check: next }
        check = next
        await nextTurn()
      }
    },
    rowsAfter: async (id) => (await pageAfter(id, ROWS_HANDED_OVER)).rows,
  }
}

function checkRows(from: ChainCheck, rows: readonly StoredAuditRow[]): ChainCheck | Problem {
  const { archived } = from
  let { previous, left } = from
  for (const row of rows) {
    const isArchived = row.id >= 1 && row.id <= archived.id
    // Archived rows that are still to be deleted lead up to the anchor, whichever is the first of them.
    if (isArchived) left ??= { id: row.id - 1, hash: row.prevHash }
    else if (row.id > archived.id) {
      const problem = leftProblem({ archived, left })
      if (problem) return problem
    }
    const problem = rowProblem(row, isArchived && left ? left : previous)
    if (problem) return { state: 'broken', rows: previous.id, ...problem }
    if (isArchived) left = { id: row.id, hash: row.hash }
    else previous = { id: row.id, hash: row.hash }
  }
  return { archived, previous, left, after: rows.at(-1)?.id ?? from.after }
}

const leftProblem = ({ archived, left }: Pick<ChainCheck, 'archived' | 'left'>): Problem | undefined =>
  left === null || (left.id === archived.id && left.hash === archived.hash)
    ? undefined
    : {
        state: 'broken',
        rows: archived.id,
        brokenId: left.id,
        reason: 'does not lead up to what was archived',
      }

function rowProblem(
  row: StoredAuditRow,
  previous: Link,
): { readonly brokenId: number; readonly reason: string } | undefined {
  if (row.id <= previous.id)
    return { brokenId: row.id, reason: 'was not written by the audit: rows count from 1' }
  if (row.id !== previous.id + 1)
    return { brokenId: previous.id + 1, reason: `row ${previous.id + 1} is missing` }
  if (row.prevHash !== previous.hash)
    return { brokenId: row.id, reason: 'does not continue the row before it' }
  if (row.hash !== auditRowHash(row))
    return { brokenId: row.id, reason: 'its content is not what was hashed' }
  return undefined
}
