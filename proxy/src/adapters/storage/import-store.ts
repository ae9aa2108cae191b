import type { Database } from 'better-sqlite3'
import { type ImportRepository, manifestOf, openLock } from '../../domain/imports/index.ts'

/** Locked modules by content: each file once, however many locks name it. */
export function createImportStore(db: Database): ImportRepository {
  const putFile = db.prepare(
    'INSERT INTO import_files (sha256, bytes) VALUES (?, ?) ON CONFLICT (sha256) DO UPDATE SET bytes = excluded.bytes WHERE bytes <> excluded.bytes',
  )
  const putLock = db.prepare(
    'INSERT INTO import_locks (hash, manifest, created_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET manifest = excluded.manifest WHERE manifest <> excluded.manifest',
  )
  const putUse = db.prepare('INSERT OR IGNORE INTO import_lock_files (lock, sha256) VALUES (?, ?)')
  const file = db.prepare<[string], Buffer>('SELECT bytes FROM import_files WHERE sha256 = ?').pluck()
  const manifest = db.prepare<[string], string>('SELECT manifest FROM import_locks WHERE hash = ?').pluck()
  return {
    put(imports, at) {
      for (const [sha256, bytes] of imports.contents) {
        putFile.run(sha256, bytes)
        putUse.run(imports.lock.hash, sha256)
      }
      putLock.run(imports.lock.hash, manifestOf(imports), at)
    },
    read(hash) {
      const text = manifest.get(hash)
      return text === undefined ? undefined : openLock(hash, text, (sha256) => file.get(sha256))
    },
  }
}
