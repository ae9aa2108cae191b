import type { Database } from 'better-sqlite3'
import type { Session } from '../engine.ts'
import { createSqliteConnection } from './connection.ts'
import { openReader } from './open-file.ts'

/** Units that read at the same moment; more of them wait for one to end. */
const MAX_READERS = 4

interface Reader {
  readonly db: Database
  begin(): void
  readonly session: Session
}

export interface Readers {
  begin(): Promise<Session>
  close(): void
}

/** Connections that read, opened when they are first needed: each sees the state of the moment at which its unit first reads. */
export function createReaders(path: string): Readers {
  const all: Reader[] = []
  const idle: Reader[] = []
  const waiting: ((reader: Reader) => void)[] = []

  const release = (reader: Reader): void => {
    const next = waiting.shift()
    if (next === undefined) idle.push(reader)
    else next(reader)
  }

  const open = (): Reader => {
    const db = openReader(path)
    const rollback = db.prepare('ROLLBACK')
    const begin = db.prepare('BEGIN DEFERRED')
    const reset = (): void => {
      if (db.inTransaction) rollback.run()
    }
    const end = (): Promise<void> => {
      try {
        reset()
      } catch {
        // Tried again before the next unit begins.
      }
      release(reader)
      return Promise.resolve()
    }
    const { run } = createSqliteConnection(db)
    let isBegun = false
    const reader: Reader = {
      db,
      begin() {
        reset()
        isBegun = false
      },
      session: {
        run(sql, parameters) {
          if (!isBegun) begin.run()
          isBegun = true
          return run(sql, parameters)
        },
        commit: end,
        undo: end,
      },
    }
    all.push(reader)
    return reader
  }

  const take = (): Reader | Promise<Reader> =>
    idle.pop() ?? (all.length < MAX_READERS ? open() : new Promise((resolve) => void waiting.push(resolve)))

  return {
    async begin() {
      const reader = await take()
      try {
        reader.begin()
      } catch (error) {
        release(reader)
        throw error
      }
      return reader.session
    },
    close() {
      for (const { db } of all) db.close()
    },
  }
}
