import { extname } from 'node:path'
import { type ProgramReader, unreadableFacts } from '../../domain/facts/index.ts'
import { createWorkPool, JobFailed } from '../work-pool/index.ts'
import type { ReadingJobs } from './worker.ts'

/** A program that takes longer, or more memory, is told as one that cannot be read. */
const TIME_LIMIT_MS = 3_000
const LIMITS = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
/** Programs of one agent that may wait; a program takes a few milliseconds, at worst the time limit. */
const MAX_WAITING_EACH = 16

/** Reads programs in a thread of its own: one program may take seconds, and nothing else waits for that. */
export function createProgramReader(options: { readonly timeLimitMs?: number } = {}): ProgramReader {
  const pool = createWorkPool<ReadingJobs>({
    file: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
    threads: 1,
    timeLimitMs: options.timeLimitMs ?? TIME_LIMIT_MS,
    limits: LIMITS,
    waiting: { perOwner: MAX_WAITING_EACH, total: Number.POSITIVE_INFINITY },
    tooMuch: 'Too many programs of yours wait to be read.',
  })
  return {
    async read(code, language, owner) {
      try {
        return await pool.run(owner, 'read', { code, language })
      } catch (error) {
        if (!(error instanceof JobFailed)) throw error
        return unreadableFacts(
          language,
          error.why === 'time' ? 'reading it takes too long' : 'it is beyond the limits of reading',
        )
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}
