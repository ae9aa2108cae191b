import { type Expression, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Tables } from '../tables.ts'
import { type Dialect, type Operand, pastPrefix } from './dialect.ts'

const operand = (value: Operand): Expression<unknown> => (typeof value === 'string' ? sql.ref(value) : value)

/** Paths are literals: an index over the expression is found by its text. */
const pathOf = (path: readonly string[]): RawBuilder<string> =>
  sql.lit(`$${path.map((key) => `.${/^[A-Za-z_]+$/.test(key) ? key : JSON.stringify(key)}`).join('')}`)

const pragma = async (db: Kysely<Tables>, name: string): Promise<number> => {
  const { rows } = await sql<Record<string, number>>`PRAGMA ${sql.raw(name)}`.execute(db)
  return Object.values(rows[0] ?? {})[0] ?? 0
}

/** SQLite 3.45 or newer. */
export const sqliteDialect: Dialect = {
  engine: 'sqlite',
  isJson: (text) => sql<SqlBool>`json_valid(${operand(text)})`,
  jsonText: (text, ...path) =>
    sql`CASE WHEN json_valid(${operand(text)}) THEN json_extract(${operand(text)}, ${pathOf(path)}) END`,
  byteLength: (value) => sql`octet_length(${operand(value)})`,
  startsWith: (text, prefix) =>
    sql<SqlBool>`(${operand(text)} >= ${prefix} AND ${operand(text)} < ${pastPrefix(prefix)})`,
  greatest: (...values) => sql`max(${sql.join(values)})`,
  least: (...values) => sql`min(${sql.join(values)})`,
  async nextId(db, table) {
    const { rows } = await sql<{
      id: number
    }>`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ${table}), 0) + 1 AS id`.execute(db)
    return rows[0]?.id ?? 1
  },
  async databaseSize(db) {
    const pages = await pragma(db, 'page_count')
    const free = await pragma(db, 'freelist_count')
    const size = await pragma(db, 'page_size')
    return { used: (pages - free) * size, free: free * size }
  },
  async shrink(db, pages) {
    if ((await pragma(db, 'auto_vacuum')) !== 2 || (await pragma(db, 'freelist_count')) === 0) return false
    await sql`PRAGMA incremental_vacuum(${sql.raw(String(Math.trunc(pages)))})`.execute(db)
    return (await pragma(db, 'freelist_count')) > 0
  },
  lockTenant: () => '',
}
