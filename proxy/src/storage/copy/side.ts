import type { CopyStatements } from './inspection.ts'
import type { CopiedTable } from './table-list.ts'

type Cell = string | bigint | Uint8Array | null
export type Row = readonly Cell[]

/** A database whose rows of all tenants are read, as they stand at one moment. */
export interface CopySource {
  readonly engine: 'sqlite' | 'postgres'
  /** In the order of the table's key, as bytes compare, some rows at a time. */
  rows(table: CopiedTable): AsyncIterable<readonly Row[]>
  count(table: CopiedTable): Promise<number>
  /** The highest id that the table has ever given, 0 for none. */
  counter(table: CopiedTable): Promise<bigint>
  close(): Promise<void>
}

/** A database that is filled where nobody sees it, until `publish`. */
export interface CopyTarget extends CopySource {
  insert(table: CopiedTable, rows: readonly Row[]): Promise<void>
  setCounter(table: CopiedTable, highest: bigint): Promise<void>
  /** Of the connection that sees what was inserted. */
  readonly statements: CopyStatements
  /** All that was inserted becomes the database, at once and on disk; before it, and when it fails, nothing has. */
  publish(note: string): Promise<void>
}

/** Of the table `installation`: where a copy is from and since when it is whole, as JSON {from, at}. */
export const NOTE_KEY = 'copied_from'

export const noteOf = (from: CopySource['engine']): string =>
  JSON.stringify({ from, at: new Date().toISOString() })

/** Said to whoever finds a target taken. */
export function describeNote(text: string | undefined): string {
  try {
    const { from, at } = JSON.parse(text ?? '') as Record<string, unknown>
    return `: a whole copy from ${from} since ${at}`
  } catch {
    return ''
  }
}

/** A batch is not larger, but for one row that is. */
export const BATCH_ROWS = 500
export const BATCH_BYTES = 4 * 1_048_576

export const bytesOf = (row: Row): number => {
  let sum = 0
  for (const cell of row) sum += cell === null ? 0 : typeof cell === 'bigint' ? 8 : cell.length
  return sum
}
