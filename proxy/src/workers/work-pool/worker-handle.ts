import type { ResourceLimits, Transferable } from 'node:worker_threads'
import type { JobMessage, WorkerMessage, WorkerStart } from './serve.ts'

/** What a pool has of a worker, be it a thread of this process or a process of its own. It keeps no process alive. */
export interface WorkerHandle {
  /** Throws when the message cannot be cloned. Between processes what is handed over is copied. */
  post(message: JobMessage, transfer: readonly Transferable[]): void
  /** Ends it at once, whatever it does; resolves when it is gone. */
  end(): Promise<void>
}

/** What a process has of those that this one stands in. */
export interface Surroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Options of Node's own. */
  readonly execArgv?: readonly string[]
}

export interface WorkerOptions {
  /** The worker's entry, which calls `serveJobs`. */
  readonly file: URL
  readonly start: WorkerStart
  readonly limits: ResourceLimits
  onMessage(message: WorkerMessage): void
  /** It is gone, or could not be started; told once or more often. */
  onEnd(): void
}
