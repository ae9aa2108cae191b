import type { HonestCase, Runtime } from './case.ts'
import type { Context } from './context.ts'

/** One way to write a program, filled with the calls of several APIs. */
export interface Style {
  family: string
  /** Deno unless said. */
  runtime?: Runtime
  /** Whether the request states its capability in place of a bare host. */
  stated?: boolean
  args?: Record<string, unknown>
  deserves?: HonestCase['deserves']
  code: (context: Context) => string
}
