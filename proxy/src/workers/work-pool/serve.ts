import { writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { parentPort, type Transferable, workerData } from 'node:worker_threads'
import { giveWay } from '../cpu-priority/index.ts'

/** What a worker can do: a function for each kind of job. Inputs and outputs are structured-cloned. */
// biome-ignore lint/suspicious/noExplicitAny: each kind has an input of its own, which `run` checks.
export type JobTable = Readonly<Record<string, (input: any) => unknown>>

/** A result whose memory is handed over instead of copied. */
export class Moved<T> {
  readonly value: T
  readonly transfer: readonly Transferable[]

  constructor(value: T, transfer: readonly Transferable[]) {
    this.value = value
    this.transfer = transfer
  }
}

/** From the pool, with its start. */
export interface WorkerStart {
  readonly givesWay: boolean
}

/** From the pool: one job. */
export interface JobMessage {
  readonly kind: string
  readonly input: unknown
}

/** To the pool: that the worker has loaded, or the end of its job. */
export type WorkerMessage =
  | { readonly state: 'ready' }
  | { readonly state: 'done'; readonly output: unknown }
  | { readonly state: 'failed'; readonly message: string }

/** Where the kernel is short of memory it ends this process, and no other of the container (proc(5), oom_score_adj). */
function dieFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Without /proc, or where it is read-only, the kernel takes the largest.
  }
}

interface Port {
  readonly start: WorkerStart
  post(message: WorkerMessage, transfer: readonly Transferable[]): void
  onJob(take: (job: JobMessage) => void): void
}

/** To the pool, from a thread of its process or from a process of the worker's own. */
function openPort(): Port {
  const port = parentPort
  if (port !== null) {
    return {
      start: workerData as WorkerStart,
      post: (message, transfer) => port.postMessage(message, [...transfer]),
      onJob: (take) => port.on('message', take),
    }
  }
  if (process.send === undefined) throw new Error('Jobs are served in a worker.')
  dieFirst()
  // It is killed, as a rule, and writes nothing then; of what hostile input does to it nothing is written.
  flushCompileCache()
  // Whoever started it is gone, with all who wait for it.
  process.once('disconnect', () => process.exit())
  return {
    start: JSON.parse(process.argv[2] ?? '{}') as WorkerStart,
    post: (message) => void process.send?.(message),
    onJob: (take) => process.on('message', take),
  }
}

/** The worker's side: does one job after the other. To be called once, by the worker's entry file. */
export function serveJobs(jobs: JobTable): void {
  const port = openPort()
  if (port.start.givesWay) giveWay({ asProcess: parentPort === null })
  const answer = (message: WorkerMessage, transfer: readonly Transferable[] = []): void =>
    port.post(message, transfer)
  port.onJob(async ({ kind, input }: JobMessage) => {
    try {
      const output = await jobs[kind]?.(input)
      if (output instanceof Moved) answer({ state: 'done', output: output.value }, output.transfer)
      else answer({ state: 'done', output })
    } catch (error) {
      answer({ state: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
  })
  answer({ state: 'ready' })
}
