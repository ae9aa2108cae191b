import { createHash } from 'node:crypto'
import { AppError } from '../kernel/index.ts'
import { type InspectedCopy, inspectedCopy } from './copy/inspection.ts'
import { type CopySource, type CopyTarget, noteOf, type Row } from './copy/side.ts'
import { openSqliteSource, openSqliteTarget } from './copy/sqlite-side.ts'
import { type CopiedTable, listTables } from './copy/table-list.ts'
import { asConnectError } from './postgres/errors.ts'
import type { SchemaProgress } from './sqlite/migrate.ts'

export type DatabasePlace =
  | {
      readonly path: string
      /** This process has the lock of the file. Otherwise it is taken where the file is to be made, once all else is found to be fit. */
      readonly isHeld?: boolean
    }
  | {
      readonly url: string
      /** The name of the connection by which this process is the one daemon of the database, where it has taken that lock. */
      readonly heldBy?: string | undefined
    }

export interface CopyProgress {
  /**
   * `schema`: the source is brought to the newest schema, in `rows` of `of` statements. `publish`: all is copied and compared, and
   * becomes the database now. `audit` is told by who inspects the copy.
   */
  readonly step: 'schema' | 'copy' | 'compare' | 'audit' | 'publish'
  /** Of `schema` the version, of `audit` the tenant. */
  readonly table: string
  /** Rows so far, and in all. */
  readonly rows: number
  readonly of: number
}

export interface CopyResult {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  /** The newest entry of each tenant's audit, as the target has it. */
  readonly auditHeads: readonly { readonly tenant: string; readonly id: number; readonly hash: string }[]
}

/**
 * Copies all rows of all tenants of a stopped database into one that is empty (PostgreSQL) or not there yet (SQLite), and compares
 * every row of the copy with its original before the copy becomes the database, all at once: PostgreSQL by the commit of the one
 * transaction, SQLite by the name of the file. Ended anywhere before, however it ends, nothing has happened, and the next run begins
 * anew. The source is brought to the newest schema and otherwise left alone.
 *
 * The caller holds the lock of a source that is a file. Throws AppError: `conflict` where the target has rows or somebody works with one
 * of them, `not_found`, `invalid_request` for a value that the target cannot keep, `storage_unavailable`, `internal` where the copy
 * is not equal.
 */
export async function copyDatabase(deps: {
  readonly from: DatabasePlace
  readonly to: DatabasePlace
  readonly onProgress?: (progress: CopyProgress) => void
  /** Of the copy that is equal, before it is published: where this throws, nothing has happened. */
  readonly inspect?: (copy: InspectedCopy, heads: CopyResult['auditHeads']) => Promise<void>
}): Promise<CopyResult> {
  const tables = listTables()
  const { from, to, onProgress = () => {}, inspect = async () => {} } = deps
  try {
    const source = await openSource(from, tables, ({ version, of, statement, statements }) =>
      onProgress({ step: 'schema', table: `${version} of ${of}`, rows: statement, of: statements }),
    )
    try {
      const target = await openTarget(to, tables)
      try {
        return await copy({ source, target, tables, onProgress, inspect })
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
  } catch (error) {
    throw asConnectError(error, 'The PostgreSQL database cannot be used')
  }
}

/** The client of the server is loaded by nobody who has a file alone. */
const postgresSide = () => import('./copy/postgres-side.ts')

const openSource = async (
  place: DatabasePlace,
  tables: readonly CopiedTable[],
  onMigrating: (progress: SchemaProgress) => void,
): Promise<CopySource> =>
  'path' in place
    ? openSqliteSource(place.path, onMigrating)
    : await (await postgresSide()).openPostgresSource(place, tables)

const openTarget = async (place: DatabasePlace, tables: readonly CopiedTable[]): Promise<CopyTarget> =>
  'path' in place ? openSqliteTarget(place) : await (await postgresSide()).openPostgresTarget(place, tables)

interface Copying {
  readonly source: CopySource
  readonly target: CopyTarget
  readonly tables: readonly CopiedTable[]
  readonly onProgress: (progress: CopyProgress) => void
  readonly inspect: (copy: InspectedCopy, heads: CopyResult['auditHeads']) => Promise<void>
}

async function copy({ source, target, tables, onProgress, inspect }: Copying): Promise<CopyResult> {
  const counts: Record<string, number> = {}
  const digests = new Map<string, string>()
  for (const table of tables) {
    const of = await source.count(table)
    const { digest, rows } = await digestOf(source, table, async (batch, rows) => {
      await target.insert(table, batch)
      onProgress({ step: 'copy', table: table.name, rows, of })
    })
    counts[table.name] = rows
    digests.set(table.name, digest)
    if (rows !== of) throw unequal(table.name)
    if (table.isCounted) await target.setCounter(table, await source.counter(table))
  }
  const heads = new Map<string, { tenant: string; id: number; hash: string }>()
  for (const table of tables) {
    const of = counts[table.name] ?? 0
    const { digest } = await digestOf(target, table, async (batch, rows) => {
      if (table.name === 'audit_log') for (const row of batch) noteHead(heads, table, row)
      onProgress({ step: 'compare', table: table.name, rows, of })
    })
    const isCounterEqual = !table.isCounted || (await source.counter(table)) === (await target.counter(table))
    if (digest !== digests.get(table.name) || !isCounterEqual) throw unequal(table.name)
  }
  const auditHeads = [...heads.values()]
  await inspect(inspectedCopy(target.statements), auditHeads)
  onProgress({ step: 'publish', table: '', rows: 0, of: 0 })
  await target.publish(noteOf(source.engine))
  return { rows: counts, auditHeads }
}

const unequal = (table: string): AppError =>
  new AppError('internal', `The copy of ${table} is not equal to its original; the target is not used.`)

/** In the order of ids, so the last of each tenant stays. */
function noteHead(
  heads: Map<string, { tenant: string; id: number; hash: string }>,
  { columns }: CopiedTable,
  row: Row,
): void {
  const cell = (name: string) => row[columns.findIndex((column) => column.name === name)]
  const tenant = String(cell('tenant_id'))
  heads.set(tenant, { tenant, id: Number(cell('id')), hash: String(cell('hash')) })
}

/** SHA-256 over all rows in the order of their key: type, length and content of each value. */
async function digestOf(
  side: CopySource,
  table: CopiedTable,
  each: (batch: readonly Row[], rowsSoFar: number) => Promise<void>,
): Promise<{ digest: string; rows: number }> {
  const hash = createHash('sha256')
  let rows = 0
  for await (const batch of side.rows(table)) {
    // One update for each batch: there are millions of small values.
    let text = ''
    for (const row of batch) {
      for (const cell of row) {
        if (cell === null) text += 'n;'
        else if (typeof cell === 'bigint') text += `i${cell};`
        else if (typeof cell === 'string') text += `t${cell.length};${cell}`
        else {
          hash.update(`${text}b${cell.length};`).update(cell)
          text = ''
        }
      }
    }
    hash.update(text)
    rows += batch.length
    await each(batch, rows)
  }
  return { digest: hash.digest('hex'), rows }
}
