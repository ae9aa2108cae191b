import type { Database, Statement } from 'better-sqlite3'
import type { QueryResult } from 'kysely'
import { exactInteger, type Value } from '../values.ts'

/** Lists of values of many lengths are texts of their own; all others are a few hundred. */
const MAX_STATEMENTS = 512

/** One connection, with its cache of prepared statements. */
export interface SqliteConnection {
  run(sql: string, parameters: readonly Value[]): QueryResult<unknown>
}

export function createSqliteConnection(db: Database): SqliteConnection {
  const statements = new Map<string, Statement<unknown[]>>()

  const prepared = (sql: string): Statement<unknown[]> => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const made = db.prepare<unknown[]>(sql)
    if (statements.size >= MAX_STATEMENTS) {
      for (const oldest of statements.keys()) {
        statements.delete(oldest)
        break
      }
    }
    statements.set(sql, made)
    return made
  }

  return {
    run(sql, parameters) {
      // A pragma may have rows without columns, which only this runs to its end.
      if (sql.startsWith('PRAGMA ')) return { rows: (db.pragma(sql.slice(7)) as unknown[] | undefined) ?? [] }
      const statement = prepared(sql)
      const bound = parameters.map(toSqlite)
      if (statement.reader) {
        const rows = statement.all(...bound)
        for (const row of rows) assertExact(row as Record<string, unknown>)
        return { rows }
      }
      return { rows: [], numAffectedRows: BigInt(statement.run(...bound).changes) }
    },
  }
}

/** better-sqlite3 binds every number as REAL, which in TEXT is '1.0' and divides with a fraction. */
const toSqlite = (value: Value): unknown =>
  typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value

function assertExact(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name]
    if (typeof value === 'number' && Number.isInteger(value)) exactInteger(value)
  }
}
