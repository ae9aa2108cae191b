import { serveJobs } from '../../workers/work-pool/serve.ts'
import { schemaProblem, valueProblems } from './validate.ts'

const JOBS = {
  check: ({ schema }: { readonly schema: unknown }) => schemaProblem(schema),
  validate: (input: { readonly schema: Readonly<Record<string, unknown>>; readonly value: unknown }) =>
    valueProblems(input.schema, input.value),
}

export type SchemaJobs = typeof JOBS

serveJobs(JOBS)
