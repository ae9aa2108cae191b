import { extname } from 'node:path'
import type { ResourceLimits, Transferable } from 'node:worker_threads'
import { AppError, createFairQueue, type QueueBounds } from '../../kernel/index.ts'
import { atUsualPriority } from '../cpu-priority/index.ts'
import type { JobMessage, JobTable, Moved, WorkerMessage } from './serve.ts'
import type { Surroundings, WorkerHandle, WorkerOptions } from './worker-handle.ts'
import { startProcess } from './worker-process.ts'
import { startThread } from './worker-thread.ts'

type InputOf<Jobs extends JobTable, Kind extends keyof Jobs> = Parameters<Jobs[Kind]>[0]
type Unmoved<T> = T extends Moved<infer Value> ? Value : T
type OutputOf<Jobs extends JobTable, Kind extends keyof Jobs> = Unmoved<Awaited<ReturnType<Jobs[Kind]>>>

/**
 * Work that would hold up the event loop, done in worker threads or processes. Owners take turns (fair queueing), those who
 * had least of the threads' time lately first; what one job does to its thread (never ends, fills the memory) ends with that
 * thread: it is replaced, and the job fails alone. What a process does to itself never reaches this one.
 */
export interface WorkPool<Jobs extends JobTable> extends AsyncDisposable {
  /**
   * Rejects with `JobFailed`; with `rate_limited` when as much of this owner, or of all, waits as may; with
   * `shutting_down`; or with the signal's reason. A job under way that is given up keeps its thread until its end.
   */
  run<Kind extends keyof Jobs & string>(
    owner: string,
    kind: Kind,
    input: InputOf<Jobs, Kind>,
    options?: JobOptions,
  ): Promise<OutputOf<Jobs, Kind>>
  /** Threads there are now. */
  readonly threads: number
}

interface JobOptions {
  /** From the moment at which a thread takes it; the pool's own when left out. */
  readonly timeLimitMs?: number
  /** Parts of the input that are handed over instead of copied. They are gone when the job fails. */
  readonly transfer?: readonly Transferable[]
  readonly signal?: AbortSignal
}

export interface WorkPoolOptions {
  /** The worker's entry, which calls `serveJobs`. */
  readonly file: URL
  /** At most so many; they start when work waits. */
  readonly threads: number
  /** Whether they leave the processor to the event loop where there is not enough for both. */
  readonly givesWay: boolean
  /** Each "thread" is a process of its own, for input that may end what reads it. Left out: where a thread itself could end this one. */
  readonly inProcesses?: boolean
  /** Of processes; left out: none of this one's, and `/`. */
  readonly surroundings?: Surroundings
  readonly timeLimitMs: number
  /** Of each thread. */
  readonly limits: ResourceLimits
  readonly waiting: QueueBounds
  /** For an owner whose work is refused. */
  readonly tooMuch: string
}

/** `time`: past its limit; `limits`: its worker ended, by its memory, its stack or a signal; `thrown`: an error of the job's own. */
export class JobFailed extends Error {
  readonly why: 'time' | 'limits' | 'thrown'

  constructor(why: JobFailed['why'], message: string) {
    super(message)
    this.name = 'JobFailed'
    this.why = why
  }
}

const NO_WORKER: WorkerHandle = { post: () => undefined, end: async () => undefined }

/** From its start to its first job a thread loads its modules. */
const START_LIMIT_MS = 10_000
/** A thread that nobody needs gives its memory back. */
const IDLE_MS = 60_000
const RETRY_SECONDS = 5
/** After so much work a process makes way for a new one, long before the kernel ends it for what it had of the processor. */
const SERVICE_MS = 30_000
const CPU_SECONDS = 120
/** For so long what an owner had counts; then all begin anew. */
const LATELY_MS = 60_000

interface Job {
  readonly message: JobMessage
  readonly transfer: readonly Transferable[]
  readonly timeLimitMs: number
  settle(output: unknown): void
  fail(error: unknown): void
}

interface Thread {
  readonly worker: WorkerHandle
  job: { readonly owner: string; readonly job: Job; readonly begunAt: number } | null
  isReady: boolean
  workedMs: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Of a source, for which Node loads its type stripping: threads that load WebAssembly while others end may end the process
 * (https://github.com/nodejs/node/issues/64500).
 */
const loadsWebAssembly = (file: URL): boolean => extname(file.pathname) === '.ts'

export function createWorkPool<Jobs extends JobTable>(options: WorkPoolOptions): WorkPool<Jobs> {
  const { file, surroundings, inProcesses = loadsWebAssembly(file) } = options
  const queue = createFairQueue<Job>(options.waiting)
  const threads = new Set<Thread>()
  const running = new Map<string, number>()
  /** With more than one thread, one owner never holds them all. */
  const perOwner = Math.max(1, options.threads - 1)
  /** Milliseconds of threads that owners had since `countedFrom`. */
  const used = new Map<string, number>()
  let countedFrom = performance.now()
  let isClosed = false

  const usedBy = (owner: string): number => used.get(owner) ?? 0
  const mayRun = (owner: string): boolean => (running.get(owner) ?? 0) < perOwner

  /** The job of a thread, over for it. */
  const release = (thread: Thread): Job | undefined => {
    clearTimeout(thread.timer)
    const done = thread.job
    if (done === null) return undefined
    thread.job = null
    const tookMs = performance.now() - done.begunAt
    thread.workedMs += tookMs
    used.set(done.owner, usedBy(done.owner) + tookMs)
    const left = (running.get(done.owner) ?? 1) - 1
    if (left > 0) running.set(done.owner, left)
    else running.delete(done.owner)
    return done.job
  }

  const lose = (thread: Thread, failure: JobFailed): void => {
    if (!threads.delete(thread)) return
    void thread.worker.end()
    // One that cannot even start is told to who would have been next, rather than tried without end.
    const failed = release(thread) ?? (thread.isReady ? undefined : queue.shift(mayRun, usedBy)?.item)
    failed?.fail(failure)
    pump()
  }

  const limitTo = (thread: Thread, ms: number): void => {
    clearTimeout(thread.timer)
    thread.timer = setTimeout(() => lose(thread, new JobFailed('time', 'It takes too long.')), ms)
  }

  const rest = (thread: Thread): void => {
    const dismiss = (): void => {
      threads.delete(thread)
      void thread.worker.end()
    }
    if (inProcesses && thread.workedMs > SERVICE_MS) dismiss()
    else thread.timer = setTimeout(dismiss, IDLE_MS).unref()
  }

  const onMessage = (thread: Thread, message: WorkerMessage): void => {
    if (!threads.has(thread)) return
    if (message.state === 'ready') {
      thread.isReady = true
      if (thread.job !== null) {
        limitTo(thread, thread.job.job.timeLimitMs)
        return
      }
      clearTimeout(thread.timer)
      rest(thread)
      pump()
      return
    }
    const job = release(thread)
    if (message.state === 'done') job?.settle(message.output)
    else job?.fail(new JobFailed('thrown', message.message))
    rest(thread)
    pump()
  }

  const start = (): Thread => {
    const beyond = (): void =>
      lose(
        thread,
        new JobFailed(
          'limits',
          thread.isReady ? 'It is beyond the limits of memory.' : 'Its worker does not start.',
        ),
      )
    const own: WorkerOptions = {
      file,
      start: { givesWay: options.givesWay },
      limits: options.limits,
      onMessage: (message) => onMessage(thread, message),
      onEnd: beyond,
    }
    let worker: WorkerHandle = NO_WORKER
    try {
      worker = atUsualPriority(() =>
        inProcesses ? startProcess({ ...own, surroundings, cpuSeconds: CPU_SECONDS }) : startThread(own),
      )
    } catch {
      // Some of what keeps a process from starting is thrown, the rest is told: a folder that is none any more.
      setImmediate(beyond)
    }
    const thread: Thread = { worker, job: null, isReady: false, workedMs: 0, timer: undefined }
    threads.add(thread)
    limitTo(thread, START_LIMIT_MS)
    return thread
  }

  /** Beside a thread that works, none whose modules still load: a job would wait longer for those than for the next that is free. */
  const freeThread = (): Thread | undefined => {
    if (threads.size === 0) return start()
    let starting = 0
    for (const thread of threads) {
      if (thread.isReady && thread.job === null) return thread
      if (!thread.isReady) starting += 1
    }
    if (threads.size < options.threads && starting < queue.size) start()
    return undefined
  }

  const pump = (): void => {
    while (!isClosed && queue.size > 0) {
      const thread = freeThread()
      if (thread === undefined) return
      const now = performance.now()
      if (now - countedFrom > LATELY_MS) {
        used.clear()
        countedFrom = now
      }
      const next = queue.shift(mayRun, usedBy)
      if (next === undefined) return
      const { owner, item: job } = next
      running.set(owner, (running.get(owner) ?? 0) + 1)
      thread.job = { owner, job, begunAt: now }
      limitTo(thread, thread.isReady ? job.timeLimitMs : START_LIMIT_MS)
      try {
        thread.worker.post(job.message, job.transfer)
      } catch (error) {
        // What cannot be cloned or handed over never left this thread.
        release(thread)?.fail(error)
        rest(thread)
      }
    }
  }

  const stopping = (): AppError => new AppError('shutting_down', 'The daemon is stopping.')

  return {
    async run(owner, kind, input, { timeLimitMs = options.timeLimitMs, transfer = [], signal } = {}) {
      if (isClosed) throw stopping()
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const job: Job = {
        message: { kind, input },
        transfer,
        timeLimitMs,
        settle: resolve,
        fail: reject,
      }
      if (!queue.push(owner, job)) {
        throw new AppError('rate_limited', options.tooMuch, { retryAfterSeconds: RETRY_SECONDS })
      }
      const giveUp = (): void => {
        queue.remove(owner, job)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      pump()
      try {
        return (await promise) as OutputOf<Jobs, typeof kind>
      } finally {
        signal?.removeEventListener('abort', giveUp)
      }
    },
    get threads() {
      return threads.size
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      for (const job of queue.clear()) job.fail(stopping())
      const last = [...threads]
      threads.clear()
      for (const thread of last) release(thread)?.fail(stopping())
      await Promise.all(last.map(({ worker }) => worker.end()))
    },
  }
}
