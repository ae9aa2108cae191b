import { chmodSync, closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { makeFolder } from '../folder.ts'

const JOURNAL_BYTES = 16 * 1_048_576
/** Of 4 KiB: so much waits before the connection makes a checkpoint itself, on the event loop; `startCheckpoints` is to be first. */
const OWN_CHECKPOINT_PAGES = JOURNAL_BYTES / 4_096

/**
 * Opens the one file for writing: WAL, and `synchronous=FULL`, so that a decision that was answered survives a power cut.
 * The folder and file are the owner's alone.
 */
export function openFile(path: string): Database {
  makeFolder(dirname(path))
  // Private from its first moment; the -wal and -shm files take over its mode.
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  const db = new SqliteDatabase(path)
  try {
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
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** A connection that only reads, from a state of its own, while the other writes. */
export function openReader(path: string): Database {
  const db = new SqliteDatabase(path, { readonly: true, fileMustExist: true })
  db.pragma('busy_timeout = 5000')
  db.pragma('trusted_schema = OFF')
  return db
}
