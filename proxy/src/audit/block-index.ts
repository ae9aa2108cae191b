import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ReadTx, Storage, UnixMs } from '../kernel/index.ts'
import type { AuditBlock, AuditReader, StoredAuditRow } from './ports.ts'
import { termsOfRow } from './row-terms.ts'
import type { SubjectOf } from './search-filter.ts'

/** Few enough that a block with one row that fits is read in no time; many enough that the index is small beside the rows. */
export const BLOCK_ROWS = 64

/** The rows of a block. */
export const rangeOf = (block: number): { readonly first: number; readonly last: number } => ({
  first: block * BLOCK_ROWS + 1,
  last: (block + 1) * BLOCK_ROWS,
})
const blockOf = (id: number): number => Math.floor((id - 1) / BLOCK_ROWS)

/** Two terms that are in many blocks and in few of the same: so often they are compared before rows are looked at instead. */
const MAX_JUMPS = 200

/**
 * The last block with a row before `before` that may fit: one that has a term of every list, and rows of that time. Null: there is none. Each
 * criterion names the last block that has it, and they jump back from one to the other until they agree.
 */
export async function lastBlockWith(
  audit: Pick<AuditReader, 'lastBlockNaming' | 'lastBlockWithin'>,
  wanted: readonly (readonly string[])[],
  { since, until }: { readonly since: UnixMs | null; readonly until: UnixMs | null },
  before: number,
): Promise<number | null> {
  let block = blockOf(before - 1)
  if (block < 0) return null
  const criteria = wanted.map((terms) => (atMost: number) => audit.lastBlockNaming(terms, atMost))
  criteria.push((atMost) => audit.lastBlockWithin(since, until, atMost))
  for (let jumps = 0; jumps < MAX_JUMPS; jumps += criteria.length) {
    const from = block
    for (const find of criteria) {
      const found = await find(block)
      if (found === null) return null
      block = found
    }
    if (block === from) break
  }
  return block
}

/** Blocks that are written in one unit. Of a long history that has no index yet each takes milliseconds to read: others have turns between. */
const BLOCKS_A_UNIT = 16

/**
 * Makes the index from the rows, behind them: an append takes no longer for it, and a block is written when all its rows are there.
 */
export function createBlockIndexer({
  storage,
  subjectOf,
}: {
  readonly storage: Storage
  /** Anew for each unit: what it reads is kept for that long. */
  readonly subjectOf: () => SubjectOf
}): { tick(): Promise<void> } {
  async function nextBlock(tx: ReadTx, after: number, subject: SubjectOf): Promise<AuditBlock | null> {
    const [oldest] = await tx.audit.rows(after, 1)
    if (oldest === undefined) return null
    // Rows before were archived.
    const block = blockOf(oldest.id)
    const { first, last } = rangeOf(block)
    const [newest] = await tx.audit.newest(1)
    if (newest === undefined || newest.id < last) return null
    const rows = (await tx.audit.rows(first - 1, BLOCK_ROWS)).filter(({ id }) => id <= last)
    return { block, ...spanOf(rows), terms: await termsOfRows(tx, rows, subject) }
  }

  return {
    async tick() {
      const subject = subjectOf()
      const made: AuditBlock[] = []
      let after = await storage.read((tx) => tx.audit.indexedUpTo())
      while (made.length < BLOCKS_A_UNIT) {
        const block = await storage.read((tx) => nextBlock(tx, after, subject))
        if (block === null) break
        made.push(block)
        after = rangeOf(block.block).last
        await nextTurn()
      }
      if (made.length === 0) return
      await storage.transaction(async (tx) => {
        for (const block of made) await tx.audit.addBlock(block)
      }, 'grouped')
    },
  }
}

/** Times are not ascending where the clock was set back. */
const spanOf = (rows: readonly StoredAuditRow[]): { readonly firstAt: UnixMs; readonly lastAt: UnixMs } => {
  const times = rows.map(({ at }) => at)
  return { firstAt: Math.min(...times) as UnixMs, lastAt: Math.max(...times) as UnixMs }
}

async function termsOfRows(
  tx: ReadTx,
  rows: readonly StoredAuditRow[],
  subjectOf: SubjectOf,
): Promise<ReadonlySet<string>> {
  const terms = new Set<string>()
  for (const row of rows) {
    const subject = row.requestId === null ? null : await subjectOf(tx, row.requestId)
    for (const term of termsOfRow(row, subject)) terms.add(term)
  }
  return terms
}
