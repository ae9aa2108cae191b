export { createWorkPool, JobFailed, type WorkPool, type WorkPoolOptions } from './work-pool.ts'
export type { Surroundings } from './worker-handle.ts'
