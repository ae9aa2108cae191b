import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort, type Transferable, workerData } from 'node:worker_threads'

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

/** Of the `nice` scale: a third of the event loop's share of a processor that both want. */
const NICENESS = 5

/**
 * The event loop goes first: with more threads than processors, work for one agent would else delay every other one's.
 * On Linux `setpriority(2)` takes a thread's id for one thread; elsewhere it would be the whole process, so it is left.
 */
function giveWay(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    if (Number.isSafeInteger(thread) && thread !== process.pid) setPriority(thread, NICENESS)
  } catch {
    // Without /proc there is no such id, and the threads share as equals.
  }
}

/** The worker's side: does one job after the other. To be called once, by the worker's entry file. */
export function serveJobs(jobs: JobTable): void {
  const port = parentPort
  if (port === null) throw new Error('Jobs are served in a worker.')
  if ((workerData as WorkerStart).givesWay) giveWay()
  const answer = (message: WorkerMessage, transfer: readonly Transferable[] = []): void =>
    port.postMessage(message, [...transfer])
  port.on('message', async ({ kind, input }: JobMessage) => {
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
