import { extname } from 'node:path'
import { createWorkPool, type WorkPool } from '../work-pool/index.ts'
import type { BackgroundJobs } from './worker.ts'

/** Threads for pieces of work that are linear in their size, of whatever kind; owners are agents. */
export interface Background extends AsyncDisposable {
  /** For pieces of any size. With two threads, one agent's largest holds up nobody else's. */
  readonly heavy: WorkPool<BackgroundJobs>
  /** For pieces of a few milliseconds that a request waits for: they are in no queue behind large ones. */
  readonly quick: WorkPool<BackgroundJobs>
}

/** Linear work on the largest input takes a tenth of it. */
const TIME_LIMIT_MS = 5_000
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const WAITING = { perOwner: 32, total: 512 }

export function createBackground(): Background {
  const poolOf = (threads: number): WorkPool<BackgroundJobs> =>
    createWorkPool<BackgroundJobs>({
      file: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
      threads,
      givesWay: true,
      timeLimitMs: TIME_LIMIT_MS,
      limits: LIMITS,
      waiting: WAITING,
      tooMuch: 'Too much work of yours waits to be done; let what is under way end first.',
    })
  const [heavy, quick] = [poolOf(2), poolOf(1)]
  return {
    heavy,
    quick,
    async [Symbol.asyncDispose]() {
      await Promise.all([heavy[Symbol.asyncDispose](), quick[Symbol.asyncDispose]()])
    },
  }
}
