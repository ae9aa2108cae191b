export { createWorkPool, JobFailed, type WorkPool, type WorkPoolOptions } from './work-pool.ts'
