import { serveJobs } from '../../workers/work-pool/serve.ts'
import { DRAFT_NAMES, schemaProblem, valueProblems } from './validate.ts'

const JOBS = {
  check: ({ schema }: { readonly schema: unknown }) => schemaProblem(schema),
  validate: (input: { readonly schema: Readonly<Record<string, unknown>>; readonly value: unknown }) =>
    valueProblems(input.schema, input.value),
}

export type SchemaJobs = typeof JOBS

/** The first schema of a draft would pay for compiling the draft's own. */
for (const $schema of DRAFT_NAMES) schemaProblem({ $schema })

serveJobs(JOBS)
