import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type CodeFacts,
  type Language,
  type ProgramReader,
  unreadableFacts,
} from '../../domain/facts/index.ts'
import { AppError, createFairQueue } from '../../kernel/index.ts'

/** A program that takes longer, or more memory, is told as one that cannot be read. */
const TIME_LIMIT_MS = 3_000
/** From its start to its first program a worker loads the parsers. */
const START_LIMIT_MS = 10_000
const LIMITS = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
/** A worker that nobody needs gives its memory back. */
const IDLE_MS = 60_000
/** Programs of one agent that may wait; a program takes a few milliseconds, at worst the time limit. */
const MAX_WAITING_EACH = 16

interface Job {
  readonly code: string
  readonly language: Language
  settle(facts: CodeFacts): void
  fail(error: Error): void
}

/**
 * Reads programs in a thread of its own, one at a time. What a program does to the parser ends with the thread: it is
 * replaced, and the program is told as not readable.
 */
export function createProgramReader(options: { readonly timeLimitMs?: number } = {}): ProgramReader {
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS
  const waiting = createFairQueue<Job>({ perOwner: MAX_WAITING_EACH, total: Number.POSITIVE_INFINITY })
  let current: { readonly job: Job; readonly timer: NodeJS.Timeout } | undefined
  let worker: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let isClosed = false

  const file = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

  const finish = (facts: CodeFacts): void => {
    const done = current
    if (done === undefined) return
    clearTimeout(done.timer)
    current = undefined
    done.job.settle(facts)
    pump()
  }

  const giveUp = (why: string): void => {
    const lost = worker
    worker = undefined
    void lost?.terminate()
    if (current !== undefined) finish(unreadableFacts(current.job.language, why))
  }

  const started = (): Worker => {
    const fresh = new Worker(file, { resourceLimits: LIMITS, stdin: false, env: {} })
    fresh.on('message', (facts: CodeFacts) => fresh === worker && finish(facts))
    fresh.on('error', () => fresh === worker && giveUp('it is beyond the limits of reading'))
    fresh.on('exit', () => fresh === worker && giveUp('it is beyond the limits of reading'))
    fresh.unref()
    return fresh
  }

  const pump = (): void => {
    clearTimeout(idle)
    if (current !== undefined) return
    const job = waiting.shift()?.item
    if (job === undefined) {
      idle = setTimeout(() => giveUp(''), IDLE_MS).unref()
      return
    }
    const limit = worker === undefined ? START_LIMIT_MS : timeLimitMs
    worker ??= started()
    current = { job, timer: setTimeout(() => giveUp('reading it takes too long'), limit) }
    worker.postMessage({ code: job.code, language: job.language })
  }

  return {
    read(code, language, owner) {
      if (isClosed) return Promise.reject(new AppError('shutting_down', 'The daemon is stopping.'))
      return new Promise((settle, fail) => {
        if (!waiting.push(owner, { code, language, settle, fail })) {
          const message = 'Too many programs of yours wait to be read.'
          return fail(new AppError('rate_limited', message, { retryAfterSeconds: 5 }))
        }
        pump()
      })
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      clearTimeout(idle)
      for (const job of waiting.clear()) job.fail(new AppError('shutting_down', 'The daemon is stopping.'))
      const last = worker
      giveUp('the daemon stops')
      await last?.terminate()
    },
  }
}
