// JavaScript: for a thread of TypeScript Node loads WebAssembly, and threads that do while others end may end the process
// (https://github.com/nodejs/node/issues/64500).
import { workerData } from 'node:worker_threads'
import pg from 'pg'

const { url, port, signal } = workerData
const client = new pg.Client({ connectionString: url })
client.setTypeParser(pg.types.builtins.INT8, Number)
client.on('error', () => {})
const ready = client.connect().then(() => client.query("SET lock_timeout = '5s'"))

port.on('message', async ({ sql, parameters }) => {
  let answer
  try {
    await ready
    const result = await client.query(parameters.length === 0 ? sql : { text: sql, values: parameters })
    answer = { rows: result.rows ?? [], changes: result.rowCount ?? 0 }
  } catch (error) {
    answer = { error: error.message }
  }
  port.postMessage(answer)
  Atomics.store(signal, 0, 1)
  Atomics.notify(signal, 0)
})
