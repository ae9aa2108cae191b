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
 * Applies what the file has not seen yet, each in one transaction, and in a new file all in one; `user_version` is the number of the
 * newest one applied. Foreign keys are off meanwhile, so that a table can be made anew, and checked before each commit. Throws
 * `storage_unavailable`.
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
  let tellAt = 0
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
  const commit = (number: number): void => {
    if ((db.pragma('foreign_key_check') as unknown[]).length > 0) {
      throw new AppError(
        'storage_unavailable',
        `The database has rows that refer to none; it stays at schema version ${db.pragma('user_version', { simple: true })}.`,
      )
    }
    db.pragma(`user_version = ${number}`)
  }
  const inOne = (work: () => void): void => db.transaction(work).immediate()
  try {
    if (version === 0) {
      // In a moment, so nobody is told; each commit would wait for the disk.
      inOne(() => {
        for (const sql of migrations) db.exec(sql)
        commit(migrations.length)
      })
    } else {
      migrations.slice(version).forEach((sql, index) => {
        inOne(() => {
          execute(sql, version + index + 1)
          commit(version + index + 1)
        })
      })
    }
  } finally {
    db.pragma(`cache_size = ${cache.cache_size}`)
    if (hadForeignKeys) db.pragma('foreign_keys = ON')
  }
}
