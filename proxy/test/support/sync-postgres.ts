import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'

/** `?` in the order in which they stand, as PostgreSQL has them. */
const numbered = (sql: string): string => {
  let n = 0
  return sql.replaceAll('?', () => `$${++n}`)
}

/** Asks PostgreSQL in another thread while this one stands still, so that tests have one way to look at both engines. */
export function openSyncPostgres(url: string): Database {
  const { port1, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const workerData = { url, port: port2, signal }
  const worker = new Worker(new URL('./sync-postgres-worker.mjs', import.meta.url), {
    workerData,
    transferList: [port2],
  })
  worker.unref()

  const ask = (sql: string, parameters: readonly unknown[] = []): { rows: object[]; changes: number } => {
    Atomics.store(signal, 0, 0)
    port1.postMessage({ sql, parameters })
    if (Atomics.wait(signal, 0, 0, 30_000) === 'timed-out') throw new Error(`no answer to ${sql}`)
    const { error, ...answer } = receiveMessageOnPort(port1)?.message ?? { error: 'an empty answer' }
    if (error !== undefined) throw new Error(`${error}: ${sql}`)
    return answer
  }
  const prepare = (sql: string) => {
    let isPlucked = false
    const shaped = (row: object): unknown => (isPlucked ? Object.values(row)[0] : row)
    const statement = {
      pluck() {
        isPlucked = true
        return statement
      },
      all: (...parameters: unknown[]) => ask(numbered(sql), parameters).rows.map(shaped),
      get: (...parameters: unknown[]) => ask(numbered(sql), parameters).rows.map(shaped)[0],
      run: (...parameters: unknown[]) => ({ changes: ask(numbered(sql), parameters).changes }),
    }
    return statement
  }
  return {
    prepare,
    exec: (sql: string) => void ask(sql),
    pragma() {
      throw new Error('PostgreSQL has no pragmas: this test is of SQLite alone')
    },
    close() {
      port1.close()
      void worker.terminate()
    },
  } as unknown as Database
}
