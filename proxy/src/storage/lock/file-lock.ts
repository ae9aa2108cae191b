import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { AppError } from '../../kernel/index.ts'
import { makeFolder } from '../folder.ts'

/**
 * Makes this process the one daemon of the files at and beside `path`, until disposed or dead: an exclusive SQLite lock on
 * `<path>.lock`, which the kernel gives up with the process, however it ends. AppError `conflict` where another has it.
 */
export function lockFile(path: string): Disposable {
  const lock = openLock(path)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw new AppError('conflict', `A daemon already runs on the database ${path}.`, { cause: error })
  }
  return { [Symbol.dispose]: () => void lock.close() }
}

function openLock(path: string): SqliteDatabase.Database {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder')
    makeFolder(dirname(path))
    return new SqliteDatabase(`${path}.lock`, { timeout: 0 })
  } catch (error) {
    throw new AppError(
      'storage_unavailable',
      `DB_PATH ${path} cannot be used: ${(error as Error).message}.`,
      {
        cause: error,
      },
    )
  }
}
