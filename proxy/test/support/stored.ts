import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { openRaw } from './test-engine.ts'

interface WithFolder {
  readonly folder: string
}

/** Bytes that the database uses. */
export async function databaseSize(kit: WithFolder): Promise<number> {
  const db = new SqliteDatabase(join(kit.folder, 'data', 'proxy.db'), { readonly: true })
  try {
    const one = (name: string): number => Number(db.pragma(name, { simple: true }))
    return (one('page_count') - one('freelist_count')) * one('page_size')
  } finally {
    db.close()
  }
}

/** The same once it has been the same for a while: what has ended is dropped in pieces. */
export async function settledSize(kit: WithFolder): Promise<number> {
  let last = await databaseSize(kit)
  for (let same = 0; same < 10; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const now = await databaseSize(kit)
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}

/** Beside the daemon: looks at its file in this folder, or breaks something in it. */
export function inDatabase<T>(folder: string, work: (db: SqliteDatabase.Database) => T): T {
  const db = openRaw(folder)
  try {
    return work(db)
  } finally {
    db.close()
  }
}
