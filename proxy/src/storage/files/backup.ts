import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { AppError } from '../../kernel/index.ts'
import type { DataKeyRecord } from '../../vault/index.ts'

/** More than any database has: the second step of a copy takes the rest, so that writers cannot make it begin again. */
const ALL_PAGES = 2 ** 31 - 1

/**
 * Copies a database as it stands at one moment, while others may write it. `to` is a new file, the owner's alone; a copy
 * that fails leaves none. The log stays with the original: the copy is one file.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  closeSync(openSync(to, 'wx', 0o600))
  try {
    const db = openToRead(from)
    try {
      await db.backup(to, { progress: () => ALL_PAGES })
    } finally {
      db.close()
    }
  } catch (error) {
    rmSync(to, { force: true })
    throw error
  }
}

/** Not read-only to SQLite: such a connection leaves a log behind that the next one has to take in. */
function openToRead(path: string): Database {
  const db = new SqliteDatabase(path, { fileMustExist: true, timeout: 10_000 })
  db.pragma('query_only = ON')
  return db
}

/** A copy as one file that needs no log beside it. The caller closes it. Throws AppError where it is not a whole database. */
export function openCopy(path: string): Database {
  let db: Database | undefined
  try {
    db = new SqliteDatabase(path, { fileMustExist: true })
    db.pragma('journal_mode = DELETE')
    db.pragma('trusted_schema = OFF')
    const verdict = db.pragma('integrity_check', { simple: true })
    if (verdict !== 'ok') throw new Error(String(verdict))
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'data_keys'").get() === undefined)
      throw new Error('it has no tables of this program')
    return db
  } catch (error) {
    db?.close()
    throw new AppError('invalid_request', `It is not a whole database: ${(error as Error).message}.`, {
      cause: error,
    })
  }
}

/** One value of the installation's, in a database of any version. */
export function installationValue(
  db: Database,
  key: string,
): { get(): string | undefined; set(value: string): void; remove(): void } {
  const hasTable = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'installation'").get() !== undefined
  // Before there were tenants they stood among all others.
  const table = hasTable ? 'installation' : 'meta'
  return {
    get: () => db.prepare<[string], string>(`SELECT value FROM ${table} WHERE key = ?`).pluck().get(key),
    set: (value) =>
      void db.prepare(`INSERT OR REPLACE INTO ${table} (key, value) VALUES (?, ?)`).run(key, value),
    remove: () => void db.prepare(`DELETE FROM ${table} WHERE key = ?`).run(key),
  }
}

/** Those of the tenant `default`, which the master key itself wraps; in a database of any version. */
export function readDataKeys(db: Database): readonly DataKeyRecord[] {
  const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('data_keys')").pluck().all()
  const where = columns.includes('tenant_id') ? "WHERE tenant_id = 'default'" : ''
  return db
    .prepare<[], DataKeyRecord>(
      `SELECT id, wrapped, created_at AS createdAt FROM data_keys ${where} ORDER BY id`,
    )
    .all()
}

/** The id of the installation; undefined where there is none, or no such database. Does not touch the file. */
export function readInstanceId(path: string): string | undefined {
  try {
    const db = openToRead(path)
    try {
      return installationValue(db, 'instance_id').get()
    } finally {
      db.close()
    }
  } catch {
    return undefined
  }
}

/**
 * Puts `draft`, a closed database in the same folder, in the place of the one at `path`, whose lock the caller holds. What stood
 * there is kept at `aside`. At every moment, and after a crash at any, one whole database stands at `path`.
 */
export function replaceDatabase(path: string, draft: string, aside: string): void {
  sync(draft)
  if (existsSync(path)) {
    foldLog(path)
    keep(path, aside)
    for (const end of ['-wal', '-shm']) if (existsSync(path + end)) renameSync(path + end, aside + end)
  }
  renameSync(draft, path)
  sync(dirname(path))
}

/** Takes the log into the file it belongs to. Of a database that cannot be opened it is kept beside it, as it is. */
function foldLog(path: string): void {
  try {
    const db = new SqliteDatabase(path, { fileMustExist: true })
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
  } catch {
    // Damaged: whoever looks at it later has both.
  }
}

function keep(path: string, aside: string): void {
  try {
    linkSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    // File systems without links.
    copyFileSync(path, aside)
  }
  sync(aside)
}

/** Gives a finished file its name, where nothing has it: whole or not at all. Throws AppError `conflict` where something has. */
export function giveName(draft: string, name: string): void {
  try {
    linkSync(draft, name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new AppError('conflict', `${name} is there already; name another file.`, { cause: error })
    if (!NO_LINKS.has(code ?? '')) throw error
    takeName(name)
    renameSync(draft, name)
  }
}

/** Of file systems without links: most sticks and cards, and many mounts into a virtual machine. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

/** So that what has come meanwhile is not written over. */
function takeName(name: string): void {
  try {
    closeSync(openSync(name, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new AppError('conflict', `${name} is there already; name another file.`, { cause: error })
  }
}

/** On disk, names of a folder included. */
export function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
