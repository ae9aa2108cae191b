import { extname } from 'node:path'
import { type ProgramReader, unreadableFacts } from '../../domain/facts/index.ts'
import { createWorkPool, JobFailed, type WorkPool } from '../work-pool/index.ts'
import type { ReadingJobs } from './worker.ts'

/** A program that takes longer, or more memory, is told as one that cannot be read. */
const TIME_LIMIT_MS = 3_000
/** What takes longer is read among others of its kind, so that nobody's usual program waits for it. */
const USUAL_MS = 400
const LIMITS = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
/** Programs of one agent that may wait; a program takes a few milliseconds, at worst the time limit. */
const MAX_WAITING_EACH = 16

/** Reads programs in threads of its own: one for usual programs, and one, while it is needed, for those that take long. */
export function createProgramReader(options: { readonly timeLimitMs?: number } = {}): ProgramReader {
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS
  const poolOf = (limitMs: number): WorkPool<ReadingJobs> =>
    createWorkPool<ReadingJobs>({
      file: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
      threads: 1,
      timeLimitMs: limitMs,
      limits: LIMITS,
      waiting: { perOwner: MAX_WAITING_EACH, total: Number.POSITIVE_INFINITY },
      tooMuch: 'Too many programs of yours wait to be read.',
    })
  const usual = poolOf(Math.min(USUAL_MS, timeLimitMs))
  const long = poolOf(timeLimitMs)
  return {
    async read(code, language, owner) {
      try {
        try {
          return await usual.run(owner, 'read', { code, language })
        } catch (error) {
          if (!(error instanceof JobFailed) || error.why !== 'time' || timeLimitMs <= USUAL_MS) throw error
          return await long.run(owner, 'read', { code, language })
        }
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
