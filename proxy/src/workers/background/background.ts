import { extname } from 'node:path'
import { createWorkPool, type Surroundings, type WorkPool } from '../work-pool/index.ts'
import type { DatabaseJobs } from './database.ts'
import type { ParsingJobs } from './parser.ts'
import type { BackgroundJobs } from './worker.ts'

/** Threads and processes for pieces of work that are linear in their size, of whatever kind; owners are agents. */
export interface Background extends AsyncDisposable {
  /** For pieces of any size. With two threads, one agent's largest holds up nobody else's. */
  readonly heavy: WorkPool<BackgroundJobs>
  /** For pieces of a few milliseconds that a request waits for: they are in no queue behind large ones. */
  readonly quick: WorkPool<BackgroundJobs>
  /** For what reads or tends the database beside the daemon's own connections. */
  readonly database: WorkPool<DatabaseJobs>
  /** For pieces that are made into values, which may take many times their size. They end a process, not the daemon. */
  readonly parsing: WorkPool<ParsingJobs>
}

/** Linear work on the largest input takes a tenth of it. */
const TIME_LIMIT_MS = 5_000
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const WAITING = { perOwner: 32, total: 512 }

/** `surroundings`: in which the database is found; left out, by an absolute path alone. */
export function createBackground(surroundings?: Surroundings): Background {
  const fileOf = (name: string): URL => new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
  const common = {
    givesWay: true,
    timeLimitMs: TIME_LIMIT_MS,
    limits: LIMITS,
    waiting: WAITING,
    tooMuch: 'Too much work of yours waits to be done; let what is under way end first.',
  }
  const poolOf = (threads: number): WorkPool<BackgroundJobs> =>
    createWorkPool<BackgroundJobs>({ ...common, file: fileOf('worker'), threads })
  const [heavy, quick] = [poolOf(2), poolOf(1)]
  const parsing = createWorkPool<ParsingJobs>({
    ...common,
    file: fileOf('parser'),
    threads: 2,
    inProcesses: true,
  })
  const database = createWorkPool<DatabaseJobs>({
    ...common,
    file: fileOf('database'),
    threads: 1,
    inProcesses: true,
    ...(surroundings && { surroundings }),
  })
  return {
    heavy,
    quick,
    database,
    parsing,
    async [Symbol.asyncDispose]() {
      await Promise.all([heavy, quick, database, parsing].map((pool) => pool[Symbol.asyncDispose]()))
    },
  }
}
