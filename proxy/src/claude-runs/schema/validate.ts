/** JSON Schema of drafts 7 and 2020-12, by ajv. Runs in a worker: schema and value are both others' words. */
import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'

const SCHEMA_LIMITS = { bytes: 65_536, depth: 32 } as const
const MAX_PROBLEMS = 8
const MAX_PROBLEM_CHARS = 300

const OPTIONS = {
  // Formats are annotations in both drafts; a keyword that ajv does not know is none to it, as the drafts say.
  strict: false,
  validateFormats: false,
  allErrors: true,
  ownProperties: true,
  logger: false,
} as const

const DRAFTS: ReadonlyMap<string, typeof Ajv | typeof Ajv2020> = new Map<string, typeof Ajv | typeof Ajv2020>(
  [
    ['https://json-schema.org/draft/2020-12/schema', Ajv2020],
    ['http://json-schema.org/draft-07/schema', Ajv],
  ],
)
export const DRAFT_NAMES: readonly string[] = [...DRAFTS.keys()]
const DEFAULT_DRAFT = 'https://json-schema.org/draft/2020-12/schema'

/** What is wrong with a schema, for a person; null when it can be used. */
export function schemaProblem(schema: unknown): string | null {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return 'A schema is a JSON object.'
  const bytes = Buffer.byteLength(JSON.stringify(schema))
  if (bytes > SCHEMA_LIMITS.bytes)
    return `The schema has ${bytes} bytes; ${SCHEMA_LIMITS.bytes} are possible.`
  const shape = shapeProblem(schema, 0)
  if (shape !== null) return shape
  try {
    compile(schema as Readonly<Record<string, unknown>>)
    return null
  } catch (error) {
    return `The schema cannot be used: ${(error as Error).message.slice(0, MAX_PROBLEM_CHARS)}`
  }
}

/** What keeps the value from meeting the schema; empty when it does. Throws where the schema is none. */
export function valueProblems(schema: Readonly<Record<string, unknown>>, value: unknown): string[] {
  const validate = compile(schema)
  if (validate(value)) return []
  return (validate.errors ?? []).slice(0, MAX_PROBLEMS).map(describe)
}

function compile(schema: Readonly<Record<string, unknown>>) {
  const draft = typeof schema.$schema === 'string' ? schema.$schema.replace(/#$/, '') : DEFAULT_DRAFT
  const Draft = DRAFTS.get(draft)
  if (Draft === undefined) throw new Error(`its $schema is neither draft 7 nor draft 2020-12 (${draft})`)
  return new Draft(OPTIONS).compile(schema)
}

const describe = ({ instancePath, message, params, keyword }: ErrorObject): string => {
  const detail = keyword === 'additionalProperties' ? ` (${String(params.additionalProperty)})` : ''
  return `${instancePath === '' ? 'the value' : instancePath} ${message ?? 'does not fit'}${detail}`.slice(
    0,
    MAX_PROBLEM_CHARS,
  )
}

/** References to anything but the schema itself are refused rather than looked up; so is nesting that a stack might not hold. */
function shapeProblem(node: unknown, depth: number): string | null {
  if (typeof node !== 'object' || node === null) return null
  if (depth > SCHEMA_LIMITS.depth) return `The schema is nested more than ${SCHEMA_LIMITS.depth} deep.`
  for (const [key, value] of Object.entries(node)) {
    if (/^\$(ref|dynamicRef|recursiveRef)$/.test(key) && typeof value === 'string' && !value.startsWith('#'))
      return `The schema refers to ${value.slice(0, 100)}; only references within it (#…) are possible.`
    if (key === '$id' && typeof value === 'string')
      return 'The schema has an $id; references are within it (#…), so none is needed.'
    const problem = shapeProblem(value, depth + 1)
    if (problem !== null) return problem
  }
  return null
}
