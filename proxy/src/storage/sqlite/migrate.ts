import type { Database } from 'better-sqlite3'
import { AppError } from '../../kernel/index.ts'
import { splitStatements } from './split-statements.ts'

/** How far a database is on its way to the newest schema, before each statement that may take long. */
export interface SchemaProgress {
  /** The one that is being made, and the newest. */
  readonly version: number
  readonly of: number
  readonly statement: number
  readonly statements: number
}

/** So often it is told, at most: of a small database but once. */
const TOLD_EVERY_MS = 1_000
/** While indexes of large tables are made. */
const CACHE_KIB = 262_144

/**
 * Applies what the file has not seen yet, each in one transaction; `user_version` is the number of the newest one applied. Foreign
 * keys are off meanwhile, so that a table can be made anew, and checked before each commit. Throws `storage_unavailable`.
 */
export function migrateSqlite(
  db: Database,
  migrations: readonly string[],
  onProgress: (progress: SchemaProgress) => void = () => {},
): void {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > migrations.length) {
    throw new AppError(
      'storage_unavailable',
      `The database has schema version ${version}; this daemon knows ${migrations.length}. Run a newer daemon.`,
    )
  }
  if (version === migrations.length) return
  const [cache] = db.pragma('cache_size') as [{ cache_size: number }]
  const hadForeignKeys = db.pragma('foreign_keys', { simple: true }) === 1
  db.pragma('foreign_keys = OFF')
  db.pragma(`cache_size = -${CACHE_KIB}`)
  // A new database is made in a moment.
  let tellAt = version === 0 ? Number.POSITIVE_INFINITY : 0
  const execute = (sql: string, number: number): void => {
    const statements = splitStatements(sql)
    statements.forEach((statement, index) => {
      if (Date.now() >= tellAt) {
        onProgress({
          ...{ version: number, of: migrations.length },
          ...{ statement: index + 1, statements: statements.length },
        })
        tellAt = Date.now() + TOLD_EVERY_MS
      }
      db.exec(statement)
    })
  }
  try {
    migrations.slice(version).forEach((sql, index) => {
      db.transaction(() => {
        const number = version + index + 1
        execute(sql, number)
        if ((db.pragma('foreign_key_check') as unknown[]).length > 0) {
          throw new AppError(
            'storage_unavailable',
            `The database has rows that refer to none; it stays at schema version ${number - 1}.`,
          )
        }
        db.pragma(`user_version = ${number}`)
      }).immediate()
    })
  } finally {
    db.pragma(`cache_size = ${cache.cache_size}`)
    if (hadForeignKeys) db.pragma('foreign_keys = ON')
  }
}
