import { flushCompileCache } from 'node:module'
import { serveJobs } from '../work-pool/serve.ts'

/**
 * Jobs on the database's own files or server, of rows that the daemon wrote. In a process: a thread that is ended while it loads
 * SQLite, or has a call of it open, ends all of them. What only some of them need is loaded when it is first asked for.
 */
const JOBS = {
  'check-audit': async (input: Parameters<typeof import('./audit-jobs.ts').checkAudit>[0]) =>
    keepingCompiled((await import('./audit-jobs.ts')).checkAudit(input)),
  'read-audit': async (input: Parameters<typeof import('./audit-jobs.ts').readAudit>[0]) =>
    keepingCompiled((await import('./audit-jobs.ts')).readAudit(input)),
  /** Copies what was written lately from the write-ahead log to the database, beside readers and writers. */
  checkpoint: async ({ path }: { readonly path: string }) => {
    const { default: SqliteDatabase } = await import('better-sqlite3')
    const db = new SqliteDatabase(path, { fileMustExist: true })
    try {
      db.pragma('wal_checkpoint(PASSIVE)')
    } finally {
      db.close()
    }
  },
}

/** What the first of them loaded is read as it was compiled by the next process. It is killed, as a rule, and keeps nothing then. */
async function keepingCompiled<T>(job: Promise<T>): Promise<T> {
  try {
    return await job
  } finally {
    flushCompileCache()
  }
}

export type DatabaseJobs = typeof JOBS

serveJobs(JOBS)
