import SqliteDatabase from 'better-sqlite3'
import { SQLITE_MIGRATIONS } from '../migrations/sqlite/index.ts'
import { migrateSqlite } from '../sqlite/migrate.ts'

/** A table of the newest schema, which is the same in both engines. */
export interface CopiedTable {
  readonly name: string
  /** Those that hold something: not what is computed from others. */
  readonly columns: readonly { readonly name: string; readonly type: 'text' | 'integer' | 'bytes' }[]
  /** What its rows are ordered by. */
  readonly key: readonly string[]
  /** Its ids are counted by the database. */
  readonly isCounted: boolean
}

const TYPES: Readonly<Record<string, 'text' | 'integer' | 'bytes'>> = {
  TEXT: 'text',
  INTEGER: 'integer',
  BLOB: 'bytes',
}

/** Every table, those that others refer to before them. Read from the schema itself, so that none is forgotten. */
export function listTables(): readonly CopiedTable[] {
  const db = new SqliteDatabase(':memory:')
  try {
    migrateSqlite(db, SQLITE_MIGRATIONS)
    const names = db
      .prepare<[], string>(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
      )
      .pluck()
      .all()
    const parents = db
      .prepare<[string], string>('SELECT DISTINCT "table" FROM pragma_foreign_key_list(?) ORDER BY 1')
      .pluck()
    const inOrder = new Set<string>()
    const add = (name: string): void => {
      for (const parent of parents.all(name)) add(parent)
      inOrder.add(name)
    }
    names.forEach(add)
    const columnsOf = db.prepare<[string], { name: string; type: string; pk: number; hidden: number }>(
      'SELECT name, type, pk, hidden FROM pragma_table_xinfo(?)',
    )
    return [...inOrder].map((name) => {
      const all = columnsOf.all(name)
      const key = all
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map((column) => column.name)
      return {
        name,
        columns: all
          .filter(({ hidden }) => hidden === 0)
          .map((column) => ({ name: column.name, type: TYPES[column.type] ?? 'text' })),
        key,
        isCounted:
          key.length === 1 && key[0] === 'id' && all.some((one) => one.pk > 0 && one.type === 'INTEGER'),
      }
    })
  } finally {
    db.close()
  }
}
