import { chmodSync, closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase, { type Database, SqliteError } from 'better-sqlite3'
import type { Durability, Transactor } from '../../domain/audit/index.ts'
import { AppError } from '../../kernel/index.ts'
import { makeFolder } from './folder.ts'
import { createLogSync, type LogSync } from './log-sync.ts'
import { migrate } from './migrations.ts'

const JOURNAL_BYTES = 16 * 1_048_576
/** Of 4 KiB: so much waits before the connection copies it into the database itself, which takes the event loop. */
const OWN_CHECKPOINT_PAGES = JOURNAL_BYTES / 4_096

/**
 * Opens the one file: WAL, and `synchronous=FULL`, so that a decision that was answered survives a power cut.
 * The folder and file are the owner's alone.
 */
export function openDatabase(path: string): Database {
  let db: Database | undefined
  try {
    makeFolder(dirname(path))
    // Private from its first moment; the -wal and -shm files take over its mode.
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
    db = new SqliteDatabase(path)
    // Before the first table: what was deleted can then be given back to the disk in small steps.
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    // A burst of writes does not leave its size behind.
    db.pragma(`journal_size_limit = ${JOURNAL_BYTES}`)
    db.pragma(`wal_autocheckpoint = ${OWN_CHECKPOINT_PAGES}`)
    db.pragma('foreign_keys = ON')
    db.pragma('busy_timeout = 5000')
    db.pragma('trusted_schema = OFF')
    // A removed secret's envelope shall not linger in free pages.
    db.pragma('secure_delete = ON')
    migrate(db)
    return db
  } catch (error) {
    db?.close()
    throw asStorageError(error, `The database ${path} cannot be opened`)
  }
}

interface SqliteTransactor extends Transactor, Disposable {
  /** `listener` is called when the disk did not take a transaction, once that is undone, before its caller hears of it. */
  whenFull(listener: () => void): void
}

/**
 * One transaction at a time; a call inside another joins it, so an error anywhere undoes all of it. `onDefect` is called when
 * what was committed in a group does not get to the disk, which is tried again.
 */
export function createTransactor(
  db: Database,
  onDefect: (error: unknown) => void = () => {},
  log: LogSync = createLogSync(db.name, onDefect),
): SqliteTransactor {
  const outer = db.transaction((work: () => unknown) => work())
  let onFull = (): void => {}
  let committed: (() => void)[] = []

  const commit = <T>(work: () => T): T => {
    try {
      return outer.immediate(work) as T
    } catch (error) {
      committed = []
      if (error instanceof SqliteError && error.code === 'SQLITE_FULL') onFull()
      throw asStorageError(error, 'The database cannot be written; nothing was changed')
    }
  }
  /** What the last commit has to tell, to be called when it is on disk. */
  const takeEffects = (): (() => void) => {
    const effects = committed
    committed = []
    return () => effects.forEach((effect) => void queueMicrotask(effect))
  }

  return {
    get inTransaction() {
      return db.inTransaction
    },
    whenFull(listener) {
      onFull = listener
    },
    transact<T>(work: () => T, durability: Durability = 'immediate'): T {
      if (db.inTransaction) return work()
      if (durability === 'immediate' || !log.isUsable) {
        const result = commit(work)
        // In the order of the commits. What changed no page did not wait for the disk, so it says nothing of those before it.
        const tell = takeEffects()
        if (log.isCaughtUp) tell()
        else log.committed(tell)
        return result
      }
      db.pragma('synchronous = NORMAL')
      try {
        const result = commit(work)
        log.committed(takeEffects())
        return result
      } finally {
        db.pragma('synchronous = FULL')
      }
    },
    afterCommit(work) {
      if (db.inTransaction) committed.push(work)
      else queueMicrotask(work)
    },
    flushed: () =>
      log.flushed().catch((error: unknown) => {
        throw asStorageError(error, 'The disk does not take what was written')
      }),
    [Symbol.dispose]: () => log[Symbol.dispose](),
  }
}

const UNUSABLE = /^SQLITE_(FULL|READONLY|IOERR|CORRUPT|NOTADB|CANTOPEN|BUSY|LOCKED|PERM)/

function asStorageError(error: unknown, said: string): unknown {
  const code = error instanceof SqliteError ? error.code : (error as NodeJS.ErrnoException)?.code
  const unusable =
    error instanceof SqliteError
      ? UNUSABLE.test(error.code)
      : /^E(ACCES|DQUOT|EXIST|IO|ISDIR|NOSPC|NOTDIR|PERM|ROFS)$/.test(String(code))
  if (!unusable) return error
  return new AppError('storage_unavailable', `${said} (${code}).`, { cause: error })
}
