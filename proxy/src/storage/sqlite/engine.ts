import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, SqliteError } from 'better-sqlite3'
import { SqliteAdapter, SqliteQueryCompiler } from 'kysely'
import { AppError, type Durability } from '../../kernel/index.ts'
import { sqliteDialect } from '../dialect/sqlite.ts'
import type { Engine, ReadEngine, Session } from '../engine.ts'
import { createLane } from '../lane.ts'
import { createLogSync, type LogSync } from '../log-sync.ts'
import { codeOf, UNUSABLE_FILE, unavailable } from '../storage-errors.ts'
import { createSqliteConnection } from './connection.ts'
import { makeLogRoom } from './log-room.ts'
import { migrateSqlite, type SchemaProgress } from './migrate.ts'
import { openFile } from './open-file.ts'
import { createReaders } from './readers.ts'

const UNUSABLE = /^SQLITE_(FULL|READONLY|IOERR|CORRUPT|NOTADB|CANTOPEN|BUSY|LOCKED|PERM)/
/** Another process may write for so long. */
const BUSY_MS = 5_000
const BUSY_RETRY_MS = 20

function asSqliteError(error: unknown, message: string): unknown {
  if (error instanceof AppError) return error
  const isUnusable =
    error instanceof SqliteError ? UNUSABLE.test(error.code) : UNUSABLE_FILE.test(codeOf(error))
  return isUnusable ? unavailable(message, error) : error
}

export interface SqliteOptions {
  readonly path: string
  readonly migrations: readonly string[]
  readonly onDefect: (error: unknown) => void
  readonly onMigrating?: ((progress: SchemaProgress) => void) | undefined
  readonly busyMs?: number
  /** Another disk, for tests. */
  readonly log?: (path: string) => LogSync
}

/** Opens the file for one connection that writes, for all tenants, and others that read. Throws `storage_unavailable`. */
export function openSqlite({
  path,
  migrations,
  onDefect,
  onMigrating,
  busyMs = BUSY_MS,
  log: logOf,
}: SqliteOptions): Engine {
  let db: Database | undefined
  try {
    db = openFile(path)
    migrateSqlite(db, migrations, onMigrating)
    // SQLITE_BUSY: a lock that another process holds is waited for by `beginImmediate`, without holding up the event loop.
    db.pragma('busy_timeout = 0')
    return createSqliteEngine(db, path, busyMs, logOf?.(path) ?? createLogSync(path, onDefect))
  } catch (error) {
    db?.close()
    throw asSqliteError(error, `The database ${path} cannot be opened`)
  }
}

/** For units that read, of a file that another engine has opened: nothing is written, and no version looked at. */
export function openSqliteReader(path: string): ReadEngine {
  const readers = createReaders(path)
  return {
    ...DIALECT,
    beginRead: async () => await readers.begin(),
    pagesInLog: () => 0,
    flushed: () => Promise.resolve(),
    async close() {
      readers.close()
    },
  }
}

const DIALECT = {
  dialect: sqliteDialect,
  compiler: new SqliteQueryCompiler(),
  adapter: new SqliteAdapter(),
  asError: asSqliteError,
}

function createSqliteEngine(db: Database, path: string, busyMs: number, log: LogSync): Engine {
  const connection = createSqliteConnection(db)
  const readers = createReaders(path)
  const lane = createLane()
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  let synchronous: 'FULL' | 'NORMAL' = 'FULL'

  /** Under NORMAL a commit does not wait for the disk: that is left to the log's own turns. */
  const setSynchronous = (durability: Durability): void => {
    const wanted = durability === 'grouped' && log.isUsable ? 'NORMAL' : 'FULL'
    if (wanted === synchronous) return
    db.pragma(`synchronous = ${wanted}`)
    synchronous = wanted
  }

  const beginImmediate = async (): Promise<void> => {
    for (const until = Date.now() + busyMs; ; await sleep(BUSY_RETRY_MS)) {
      try {
        begin.run()
        return
      } catch (error) {
        if (!codeOf(error).startsWith('SQLITE_BUSY') || Date.now() >= until) throw error
      }
    }
  }

  const undo = (): void => {
    try {
      // A full disk, among others, has ended the transaction already.
      if (db.inTransaction) rollback.run()
    } catch {
      // What went wrong first is what is told; the next unit tries again before it begins.
    }
  }

  const session: Session = {
    run: connection.run,
    commit(committed, effects) {
      try {
        if (!db.inTransaction) throw new AppError('internal', 'The transaction was ended by a statement.')
        commit.run()
      } catch (error) {
        undo()
        lane.release()
        return Promise.reject(asSqliteError(error, 'The database cannot be written; nothing was changed'))
      }
      committed()
      const tell = (): void => effects.forEach((effect) => void queueMicrotask(effect))
      // In the order of the commits. What changed no page did not wait for the disk, so it says nothing of those before it.
      if (synchronous === 'FULL' && log.isCaughtUp) tell()
      else log.committed(tell)
      lane.release()
      return Promise.resolve()
    },
    undo() {
      undo()
      lane.release()
      return Promise.resolve()
    },
  }

  const totalChanges = db.prepare<[], number>('SELECT total_changes()').pluck()
  let seenChanges = 0

  return {
    ...DIALECT,
    async beginWrite(_tenant, durability) {
      await lane.enter()
      try {
        undo()
        setSynchronous(durability)
        await beginImmediate()
        return session
      } catch (error) {
        lane.release()
        throw asSqliteError(error, 'The database cannot be written; nothing was changed')
      }
    },
    async beginRead() {
      try {
        return await readers.begin()
      } catch (error) {
        throw asSqliteError(error, 'The database cannot be read')
      }
    },
    pagesInLog() {
      const changes = totalChanges.get() ?? 0
      if (changes === seenChanges) return 0
      seenChanges = changes
      const [pages] = db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
      return pages === undefined ? 0 : pages.log - pages.checkpointed
    },
    async makeLogRoom(bytes) {
      await lane.enter()
      try {
        makeLogRoom(db, bytes)
        // Brought to the disk off the event loop, before anybody waits for a commit.
        if (log.isUsable) log.committed(() => {})
      } catch (error) {
        throw asSqliteError(error, 'The write-ahead log got no room beforehand')
      } finally {
        lane.release()
      }
    },
    flushed: () =>
      log.flushed().catch((error: unknown) => {
        throw asSqliteError(error, 'The disk does not take what was written')
      }),
    async close() {
      // The last connection to close brings the log into the database, which one that reads cannot.
      readers.close()
      log[Symbol.dispose]()
      db.close()
    },
  }
}
