import { z } from 'zod'
import { EXECUTION_STATES, type ExecutionStatus } from '../../kernel/index.ts'

/** Longest time, in seconds, that an answer is held. */
export const MAX_WAIT_SECONDS = 120
const MAX_PAGE = 100
const DEFAULT_PAGE = 20

/** A parameter as its text; twice the same is a mistake of the caller. */
const parameter = (name: string) =>
  z.string({
    error: ({ input }) => (Array.isArray(input) ? `${name} is given more than once.` : undefined),
  })

/** The number that a text is, or undefined. */
export function wholeNumberIn(text: string, min: number, max: number): number | undefined {
  const value = /^[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : undefined
}

const integer = (name: string, [min, max]: readonly [number, number], problem: string) =>
  parameter(name)
    .transform((text, context) => {
      const value = wholeNumberIn(text, min, max)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: problem })
      return z.NEVER
    })
    .meta({ type: 'integer', minimum: min, maximum: max })

export const waitProblem = (what: string): string => `${what} takes whole seconds, 0–${MAX_WAIT_SECONDS}.`

export const waitQuery = z.object({
  wait: integer('wait', [0, MAX_WAIT_SECONDS], waitProblem('wait'))
    .describe('Seconds to hold the answer until the state is final.')
    .optional(),
})

/** A dry run that is misspelt must not ask a person: nothing that is not known is passed over. */
export const executeQuery = z.strictObject(
  {
    dry_run: parameter('dry_run')
      .transform((text, context) => {
        if (text === '1' || text === 'true') return true
        if (text !== '0' && text !== 'false') {
          context.addIssue({ code: 'custom', message: 'dry_run takes 1 or 0.' })
        }
        return false
      })
      .meta({ type: 'string', enum: ['0', '1'] })
      .describe('`1` answers with an Explanation: nobody is asked, nothing is stored, nothing runs.')
      .optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `POST /execute has no parameter "${String(issue.keys[0]).slice(0, 64)}"; it takes dry_run=1.`
        : undefined,
  },
)

const STATES = EXECUTION_STATES.join(', ')

export const listQuery = z.object({
  status: parameter('status')
    .transform((text, context) => {
      const states = text.split(',').map((one) => EXECUTION_STATES.find((state) => state === one))
      if (!states.includes(undefined)) return [...new Set(states as ExecutionStatus[])]
      context.addIssue({ code: 'custom', message: `status takes ${STATES}, comma-separated.` })
      return z.NEVER
    })
    .describe(`Comma-separated: ${STATES}.`)
    .optional(),
  limit: integer('limit', [1, MAX_PAGE], `limit takes 1–${MAX_PAGE}.`)
    .describe(`How many; ${DEFAULT_PAGE} when left out.`)
    .optional()
    .transform((limit) => limit ?? DEFAULT_PAGE),
  before: parameter('before').describe('The `next` of the page before.').optional(),
})
