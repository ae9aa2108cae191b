import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { AppError } from '../../kernel/index.ts'

/**
 * Makes this process the one daemon of the database, until disposed or dead: an exclusive SQLite lock on
 * `<database>.lock`, which the kernel gives up with the process, however it ends.
 */
export function lockDatabase(path: string): Disposable {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = new SqliteDatabase(`${path}.lock`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw new AppError('conflict', `A daemon already runs on the database ${path}.`, { cause: error })
  }
  return { [Symbol.dispose]: () => void lock.close() }
}
