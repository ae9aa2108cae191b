/** The engine that kits of the daemon work with: SQLite, or with TEST_ENGINE=postgres a PostgreSQL database each. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import type { Config } from '../../src/config/index.ts'
import { freshDatabase, type TestServer } from './postgres-server.ts'
import { placeMigrated } from './sqlite-template.ts'
import { openSyncPostgres } from './sync-postgres.ts'

const isOnPostgres = process.env.TEST_ENGINE === 'postgres'

/** By the folder of the daemon: the same folder again is the same daemon after a restart. */
const databases = new Map<string, TestServer>()

/** What the daemon of a folder has in its environment for it. */
export async function engineSettings(folder: string): Promise<Record<string, string>> {
  if (!isOnPostgres) return {}
  await dropAbandoned()
  const server = databases.get(folder) ?? (await freshDatabase())
  databases.set(folder, server)
  return { DATABASE_URL: server.url }
}

/** What `freshDatabase` gives on PostgreSQL: a new database is at the newest version already. */
export function placeDatabase(config: Pick<Config, 'databaseUrl' | 'dbPath'>): void {
  if (config.databaseUrl === null) placeMigrated(config.dbPath)
}

async function dropAbandoned(): Promise<void> {
  for (const [folder, server] of databases) {
    if (existsSync(folder)) continue
    databases.delete(folder)
    await server.drop()
  }
}

/**
 * The daemon's database beside it, for what a test looks at or tampers with. On PostgreSQL it is only what `better-sqlite3` does with
 * plain statements: `prepare` with `get`, `all`, `run` and `pluck`, and `exec`.
 */
export function openRaw(folder: string, file = 'proxy.db'): Database {
  const server = databases.get(folder)
  if (server !== undefined) return openSyncPostgres(server.adminUrl)
  return new SqliteDatabase(join(folder, file), { timeout: 5_000 })
}

/** All that stands in the database of a folder: the file and its log, or every row of every table. */
export function storedBytes(folder: string): Buffer {
  const path = join(folder, 'proxy.db')
  if (!databases.has(folder)) return Buffer.concat([path, `${path}-wal`].map((file) => readFileSync(file)))
  const db = openRaw(folder)
  try {
    const tables = db
      .prepare<[], string>("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
      .pluck()
    const rowsOf = (table: string): string[] =>
      db.prepare<[], string>(`SELECT t::text FROM "${table}" AS t`).pluck().all()
    return Buffer.from(tables.all().flatMap(rowsOf).join('\n'))
  } finally {
    db.close()
  }
}
