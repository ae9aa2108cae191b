import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { SqliteAdapter, SqliteQueryCompiler } from 'kysely'
import { AppError } from '../../kernel/index.ts'
import { sqliteDialect } from '../dialect/sqlite.ts'
import { lockFile } from '../lock/file-lock.ts'
import { SQLITE_MIGRATIONS } from '../migrations/sqlite/index.ts'
import { createSqliteConnection } from '../sqlite/connection.ts'
import { migrateSqlite, type SchemaProgress } from '../sqlite/migrate.ts'
import { openFile } from '../sqlite/open-file.ts'
import {
  BATCH_BYTES,
  BATCH_ROWS,
  bytesOf,
  type CopySource,
  type CopyTarget,
  describeNote,
  NOTE_KEY,
  type Row,
} from './side.ts'
import type { CopiedTable } from './table-list.ts'

const listed = ({ columns }: CopiedTable): string => columns.map(({ name }) => name).join(', ')

function openNewest(path: string, onMigrating?: (progress: SchemaProgress) => void): Database {
  const db = openFile(path)
  try {
    migrateSqlite(db, SQLITE_MIGRATIONS, onMigrating)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Brings the file to the newest version, as the next start of the daemon would, and reads it. */
export function openSqliteSource(path: string, onMigrating: (progress: SchemaProgress) => void): CopySource {
  if (!existsSync(path)) throw new AppError('not_found', `There is no database ${path}.`)
  const db = openNewest(path, onMigrating)
  db.exec('BEGIN')
  return reading(db)
}

function reading(db: Database): CopySource {
  return {
    engine: 'sqlite',
    async *rows(table) {
      const all = db
        .prepare<[], Row>(`SELECT ${listed(table)} FROM ${table.name} ORDER BY ${table.key.join(', ')}`)
        .raw()
        .safeIntegers()
      let batch: Row[] = []
      let bytes = 0
      for (const row of all.iterate()) {
        batch.push(row)
        bytes += bytesOf(row)
        if (batch.length < BATCH_ROWS && bytes < BATCH_BYTES) continue
        yield batch
        batch = []
        bytes = 0
      }
      if (batch.length > 0) yield batch
    },
    count: async ({ name }) => Number(db.prepare(`SELECT count(*) FROM ${name}`).pluck().get()),
    async counter({ name }) {
      const highest = db
        .prepare<[], bigint>(`SELECT ifnull(max(id), 0) FROM ${name}`)
        .pluck()
        .safeIntegers()
        .get()
      const given = db
        .prepare<[string], bigint>('SELECT seq FROM sqlite_sequence WHERE name = ?')
        .pluck()
        .safeIntegers()
        .get(name)
      return given !== undefined && given > (highest ?? 0n) ? given : (highest ?? 0n)
    },
    close: async () => void db.close(),
  }
}

const ENDS = ['', '-journal', '-wal', '-shm']
const remove = (draft: string): void => {
  for (const end of ENDS) rmSync(draft + end, { force: true })
}

/** A draft beside the file, which takes its name when it is whole, under the lock of that. */
export function openSqliteTarget({ path, isHeld = false }: { path: string; isHeld?: boolean }): CopyTarget {
  assertFree(path)
  const lock = isHeld ? undefined : lockFile(path)
  try {
    return draftOf(path, () => lock?.[Symbol.dispose]())
  } catch (error) {
    lock?.[Symbol.dispose]()
    throw error
  }
}

function draftOf(path: string, unlock: () => void): CopyTarget {
  const draft = `${path}.copy.draft`
  // Of a copy that was killed.
  remove(draft)
  const db = openNewest(draft)
  // A draft is no use after a power cut; it is written to the disk at the end.
  db.pragma('synchronous = OFF')
  const triggers = db
    .prepare<[], { name: string; sql: string }>(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
    .all()
  // What they would count is copied as it is.
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`)
  db.exec('DELETE FROM tenants')
  let isOpen = true
  const close = (): void => {
    if (isOpen) db.close()
    isOpen = false
  }
  return {
    ...reading(db),
    statements: {
      dialect: sqliteDialect,
      compiler: new SqliteQueryCompiler(),
      adapter: new SqliteAdapter(),
      run: createSqliteConnection(db).run,
    },
    async insert(table, rows) {
      const insert = db.prepare(
        `INSERT INTO ${table.name} (${listed(table)}) VALUES (${table.columns.map(() => '?').join(', ')})`,
      )
      db.transaction(() => {
        for (const row of rows) insert.run(row)
      }).immediate()
    },
    async setCounter({ name }, highest) {
      // The others go on after their highest row.
      const { changes } = db.prepare('UPDATE sqlite_sequence SET seq = ? WHERE name = ?').run(highest, name)
      const sql = db
        .prepare<[string], string>('SELECT sql FROM sqlite_master WHERE name = ?')
        .pluck()
        .get(name)
      if (changes === 0 && highest > 0n && sql?.includes('AUTOINCREMENT'))
        db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(name, highest)
    },
    async publish(note) {
      db.prepare('INSERT OR REPLACE INTO installation (key, value) VALUES (?, ?)').run(NOTE_KEY, note)
      for (const { sql } of triggers) db.exec(sql)
      if ((db.pragma('foreign_key_check') as unknown[]).length > 0)
        throw new AppError('internal', 'The copy has rows that refer to none.')
      db.pragma('wal_checkpoint(TRUNCATE)')
      db.pragma('journal_mode = DELETE')
      close()
      sync(draft)
      assertFree(path)
      renameSync(draft, path)
      sync(dirname(path))
    },
    async close() {
      close()
      remove(draft)
      unlock()
    },
  }
}

function assertFree(path: string): void {
  if (existsSync(path))
    throw new AppError('conflict', `${path} is there already${noteIn(path)}; name another file.`)
  if (existsSync(`${path}-wal`))
    throw new AppError('conflict', `${path}-wal belongs to another database; name another file.`)
}

/** For whoever repeats a copy that was whole when it was ended. */
function noteIn(path: string): string {
  try {
    const db = new SqliteDatabase(path, { readonly: true })
    try {
      return describeNote(
        db.prepare<[string], string>('SELECT value FROM installation WHERE key = ?').pluck().get(NOTE_KEY),
      )
    } finally {
      db.close()
    }
  } catch {
    return ''
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
