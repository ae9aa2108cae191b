import { extname } from 'node:path'
import { createWorkPool, type WorkPool } from '../work-pool/index.ts'
import type { BackgroundJobs } from './worker.ts'

type BackgroundPool = WorkPool<BackgroundJobs>

/** With two, one agent's largest piece of work holds up nobody else's. */
const THREADS = 2
/** Linear work on the largest input takes a tenth of it. */
const TIME_LIMIT_MS = 5_000
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }
const WAITING = { perOwner: 16, total: 256 }

/** Threads for pieces of work that are linear in their size, of whatever kind; owners are agents. */
export function createBackgroundPool(): BackgroundPool {
  return createWorkPool<BackgroundJobs>({
    file: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
    threads: THREADS,
    timeLimitMs: TIME_LIMIT_MS,
    limits: LIMITS,
    waiting: WAITING,
    tooMuch: 'Too much work of yours waits to be done; let what is under way end first.',
  })
}
