import { createHash } from 'node:crypto'
import { constants, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { randomToken } from '../../src/kernel/index.ts'
import { makeFolder } from '../../src/storage/index.ts'
import { SQLITE_MIGRATIONS } from '../../src/storage/migrations/sqlite/index.ts'
import { migrateSqlite } from '../../src/storage/sqlite/migrate.ts'
import { openFile } from '../../src/storage/sqlite/open-file.ts'

/**
 * A database of SQLite at the newest version and without a row that a daemon writes, made once for a run of the tests and copied for each
 * kit: migrating a new one costs more than starting the daemon on it.
 */
const FOLDER = 'TEST_SQLITE_FOLDER'

/** Begins a run; what it returns ends it. */
export function setup(): () => void {
  // Set by another project of this run, or by the run that started this one.
  if (process.env[FOLDER] !== undefined) return () => {}
  const folder = join(tmpdir(), `oauth3-sqlite-${process.pid}-${randomToken(48)}`)
  process.env[FOLDER] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/** While tests are watched, migrations change. */
const NAME = `${createHash('sha256').update(SQLITE_MIGRATIONS.join()).digest('hex')}.db`

function template(folder: string): string {
  const path = join(folder, NAME)
  if (existsSync(path)) return path
  mkdirSync(folder, { mode: 0o700, recursive: true })
  // Whoever is first; another process may be at it as well.
  const draft = `${path}-${process.pid}`
  const db = openFile(draft)
  migrateSqlite(db, SQLITE_MIGRATIONS)
  db.close()
  renameSync(draft, path)
  return path
}

/** Where nothing stands at the path yet: a database as `openStorage` would make it. Outside a run of the tests that is left to it. */
export function placeMigrated(path: string): void {
  const folder = process.env[FOLDER]
  if (folder === undefined || existsSync(path)) return
  makeFolder(dirname(path))
  copyFileSync(template(folder), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
}
