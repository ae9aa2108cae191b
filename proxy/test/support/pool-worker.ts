import { readFileSync, readlinkSync } from 'node:fs'
import { getPriority } from 'node:os'
import { Moved, serveJobs } from '../../src/workers/work-pool/serve.ts'

const JOBS = {
  echo: (text: string) => text,
  reverse: (bytes: Uint8Array<ArrayBuffer>) => new Moved(bytes.reverse(), [bytes.buffer]),
  never: (begun: SharedArrayBuffer) => {
    Atomics.store(new Int32Array(begun), 0, 1)
    Atomics.notify(new Int32Array(begun), 0)
    for (;;);
  },
  hold: (gate: SharedArrayBuffer) => {
    const cells = new Int32Array(gate)
    Atomics.store(cells, 0, 1)
    Atomics.notify(cells, 0)
    Atomics.wait(cells, 1, 0)
    return 'held'
  },
  fill: () => {
    const kept: number[][] = []
    for (;;) kept.push(new Array<number>(10_000).fill(kept.length))
  },
  /** Of its own thread. */
  niceness: () => getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))),
  fail: () => {
    throw new RangeError('not this one')
  },
  pid: () => process.pid,
  spin: () => {
    for (;;);
  },
  /** Ends the worker's whole process as the kernel would, or V8 that is at odds with itself. */
  signal: (name: NodeJS.Signals) => {
    process.kill(process.pid, name)
    for (;;);
  },
  environment: () => ({
    names: Object.keys(process.env),
    cwd: process.cwd(),
    options: process.execArgv,
    limits: readFileSync('/proc/self/limits', 'utf8'),
  }),
}

export type PoolJobs = typeof JOBS

serveJobs(JOBS)
