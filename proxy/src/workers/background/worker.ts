import { type BodyQuestions, readBody } from '../../llm/usage/index.ts'
import { Moved, serveJobs } from '../work-pool/serve.ts'

/** Jobs that are linear in their input, and end. What only some of them need is loaded when it is first asked for. */
const JOBS = {
  /** The parts of a request's body, joined and read. */
  'read-body': ({
    parts,
    questions,
  }: {
    readonly parts: readonly Uint8Array[]
    readonly questions: BodyQuestions
  }) => {
    const body = joined(parts)
    return new Moved({ body, reading: readBody(body, questions) }, [body.buffer])
  },
  'check-audit': async (input: Parameters<typeof import('./audit-jobs.ts').checkAudit>[0]) =>
    (await import('./audit-jobs.ts')).checkAudit(input),
  'read-audit': async (input: Parameters<typeof import('./audit-jobs.ts').readAudit>[0]) =>
    (await import('./audit-jobs.ts')).readAudit(input),
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

/** Its memory is its own, so that it can be handed over. */
function joined(parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export type BackgroundJobs = typeof JOBS

serveJobs(JOBS)
