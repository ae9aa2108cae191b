import type { Language } from '../../domain/facts/index.ts'
import { readProgram } from '../../domain/reading/index.ts'
import { serveJobs } from '../work-pool/serve.ts'

const JOBS = {
  read: ({ code, language }: { readonly code: string; readonly language: Language }) =>
    readProgram(code, language),
}

export type ReadingJobs = typeof JOBS

serveJobs(JOBS)
