import { extname } from 'node:path'
import { createWorkPool, JobFailed, type WorkPool } from '../../workers/work-pool/index.ts'
import { type ProgramReader, unreadableFacts } from '../facts/index.ts'
import type { ReadingJobs } from './worker.ts'

/** A program that takes longer, or more memory, is told as one that cannot be read. */
const TIME_LIMIT_MS = 3_000
/** What takes longer is read among others of its kind, so that nobody's usual program waits for it. */
const USUAL_MS = 400
/** A longer program is one of these from the start: it would be begun twice, and cost the others a thread that must load anew. */
const USUAL_CHARS = 131_072
/** With two, one agent's program that has to be given up holds up nobody else's. */
const USUAL_THREADS = 2
const LIMITS = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
/** Programs of one agent that may wait; a program takes a few milliseconds, at worst the time limit. */
const MAX_WAITING_EACH = 16

/**
 * Reads programs in processes of its own: two for usual programs, and one, while it is needed, for those that take long.
 * Agents write what is parsed here, so that a parser that is ended by it must end nothing of the daemon.
 */
export function createProgramReader(options: { readonly timeLimitMs?: number } = {}): ProgramReader {
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS
  const poolOf = (limitMs: number, threads: number, givesWay: boolean): WorkPool<ReadingJobs> =>
    createWorkPool<ReadingJobs>({
      file: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
      threads,
      givesWay,
      inProcesses: true,
      timeLimitMs: limitMs,
      limits: LIMITS,
      waiting: { perOwner: MAX_WAITING_EACH, total: Number.POSITIVE_INFINITY },
      tooMuch: 'Too many programs of yours wait to be read.',
    })
  // Somebody waits for the card of a usual program.
  const usual = poolOf(USUAL_MS, USUAL_THREADS, false)
  const long = poolOf(timeLimitMs, 1, true)
  return {
    async read(code, language, owner) {
      const readIn = (pool: WorkPool<ReadingJobs>) => pool.run(owner, 'read', { code, language })
      try {
        if (code.length > USUAL_CHARS || timeLimitMs <= USUAL_MS) return await readIn(long)
        return await readIn(usual).catch((error: unknown) => {
          if (error instanceof JobFailed && error.why === 'time') return readIn(long)
          throw error
        })
      } catch (error) {
        if (!(error instanceof JobFailed)) throw error
        return unreadableFacts(
          language,
          error.why === 'time' ? 'reading it takes too long' : 'it is beyond the limits of reading',
        )
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([usual[Symbol.asyncDispose](), long[Symbol.asyncDispose]()])
    },
  }
}
