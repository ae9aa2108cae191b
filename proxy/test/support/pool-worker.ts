import { Moved, serveJobs } from '../../src/adapters/work-pool/serve.ts'

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
  fail: () => {
    throw new RangeError('not this one')
  },
}

export type PoolJobs = typeof JOBS

serveJobs(JOBS)
