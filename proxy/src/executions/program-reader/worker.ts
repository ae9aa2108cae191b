import { serveJobs } from '../../workers/work-pool/serve.ts'
import type { Language } from '../facts/index.ts'
import { readProgram } from '../reading/index.ts'

const JOBS = {
  read: ({ code, language }: { readonly code: string; readonly language: Language }) =>
    readProgram(code, language),
}

export type ReadingJobs = typeof JOBS

/** The first program would pay for what the parsers work out once, and might be past its time before it is begun. */
for (const language of ['javascript', 'python'] as const) readProgram('f(1)', language)

serveJobs(JOBS)
