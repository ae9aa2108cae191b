import { extname } from 'node:path'
import { createWorkPool, JobFailed } from '../../workers/work-pool/index.ts'
import type { SchemaJobs } from './worker.ts'

/** A pattern, or a schema, can take longer than anybody lives. What does is ended, and taken for not met. */
const TIME_LIMIT_MS = 5_000
const THREADS = 2
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const MAX_WAITING_EACH = 64

/** JSON Schemas of apps, compiled and checked in processes of their own. `owner`: whose turn it is, e.g. the app's id. */
export interface SchemaChecker extends AsyncDisposable {
  /** What is wrong with a schema, for a person; null when it can be used. */
  check(owner: string, schema: unknown): Promise<string | null>
  /** What keeps the value from meeting a schema that was checked; empty when it meets it. */
  problems(owner: string, schema: unknown, value: unknown): Promise<readonly string[]>
}

export function createSchemaChecker(options: { readonly timeLimitMs?: number } = {}): SchemaChecker {
  const pool = createWorkPool<SchemaJobs>({
    file: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
    threads: THREADS,
    inProcesses: true,
    // A run waits for it, and would be repaired for nothing if it were late.
    givesWay: false,
    timeLimitMs: options.timeLimitMs ?? TIME_LIMIT_MS,
    limits: LIMITS,
    waiting: { perOwner: MAX_WAITING_EACH, total: Number.POSITIVE_INFINITY },
    tooMuch: 'Too many schemas of yours wait to be checked.',
  })
  return {
    async check(owner, schema) {
      try {
        return await pool.run(owner, 'check', { schema })
      } catch (error) {
        if (error instanceof JobFailed) return `The schema cannot be used: ${reason(error)}.`
        throw error
      }
    },
    async problems(owner, schema, value) {
      try {
        return await pool.run(owner, 'validate', {
          schema: schema as Readonly<Record<string, unknown>>,
          value,
        })
      } catch (error) {
        if (error instanceof JobFailed) return [`the check could not be done: ${reason(error)}`]
        throw error
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}

const reason = ({ why, message }: JobFailed): string =>
  why === 'time' ? 'it took too long' : why === 'limits' ? 'it took too much memory' : message
