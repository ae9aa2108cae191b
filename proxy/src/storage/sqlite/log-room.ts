import type { Database } from 'better-sqlite3'

/** So little that what is written spills into the log at once. */
const SPILLING_CACHE_PAGES = 16

/**
 * Preallocates the write-ahead log: a unit of so many bytes is written and undone, and what it wrote there is overwritten by the
 * units after it. A log that grows with each commit has the file system write its own journal at each fdatasync as well, which
 * takes twice as long as data alone. Throws where another process writes, or the disk is full.
 */
export function makeLogRoom(db: Database, bytes: number): void {
  const cacheSize: unknown = db.pragma('cache_size', { simple: true })
  db.pragma(`cache_size = ${SPILLING_CACHE_PAGES}`)
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec('CREATE TABLE log_room (bytes BLOB)')
    db.prepare('INSERT INTO log_room VALUES (zeroblob(?))').run(bytes)
  } finally {
    // A full disk, among others, has ended it already.
    if (db.inTransaction) db.exec('ROLLBACK')
    db.pragma(`cache_size = ${cacheSize}`)
  }
}
