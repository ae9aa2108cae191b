import { z } from 'zod'
import {
  CAPABILITY_LIMITS,
  DEFAULT_REQUESTS,
  MAX_REQUESTS,
  methodProblem,
  parsePathPattern,
} from '../../domain/capabilities/index.ts'
import { CONSENT_SURFACES } from '../../domain/consent/index.ts'
import {
  type ExecuteRequest,
  type NetworkEntry,
  type RequestedSecret,
  RUN_DEFAULTS,
} from '../../domain/executions/index.ts'
import { AppError, canonicalJson, isReservedName, parseHostPattern, SECRET_NAME } from '../../kernel/index.ts'

/** The body of POST /execute. Unknown fields are refused: what is not understood cannot have been meant. */
const MAX_ARGS_BYTES = 65_536

const MAX_ARG_NAMES = 1_000

const secretName = z
  .string()
  .regex(SECRET_NAME, 'a secret name is 1–128 of A–Z a–z 0–9 _ and does not begin with a digit')
  .refine((name) => !isReservedName(name), 'this name steers the runtime and cannot be a secret')

const hostPattern = z.string().superRefine((text, context) => {
  const parsed = parseHostPattern(text)
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem })
})

const secret = z.union([
  secretName,
  z.strictObject({
    name: secretName,
    mode: z
      .enum(['placeholder', 'raw'])
      .optional()
      .describe(
        'placeholder (default): the environment holds a stand-in, and the gateway puts the value in on the way to the ' +
          'host. raw: the code holds the value; only for code that must compute with it, such as signing. The person ' +
          'is warned.',
      ),
    hosts: z
      .array(hostPattern)
      .max(32)
      .optional()
      .describe(
        'Hosts of metadata.network that its value may be sent to; all of them when left out. A binding of the owner ' +
          'narrows it further.',
      ),
    in: z
      .array(z.enum(CONSENT_SURFACES))
      .min(1)
      .max(CONSENT_SURFACES.length)
      .optional()
      .describe(
        'Parts of a request in which the placeholder is replaced; ["header"] when left out, Basic credentials included. path: a ' +
          'segment of the path, as in /bot<token>/sendMessage. cookie: the Cookie header. form: fields of an ' +
          'application/x-www-form-urlencoded body. body: anywhere in a body, forms and WebSocket messages included.',
      ),
  }),
])

const secrets = z
  .array(secret)
  .max(32)
  .describe(
    'Secrets that the code needs, by name, or as objects that say where each may go. Each is an environment variable ' +
      'that holds a placeholder, which works in a header to the hosts of metadata.network.',
  )

const method = z.string().superRefine((text, context) => {
  const problem = methodProblem(text)
  if (problem !== null) context.addIssue({ code: 'custom', message: problem })
})

const pathPattern = z.string().superRefine((text, context) => {
  const pattern = parsePathPattern(text)
  if ('problem' in pattern) context.addIssue({ code: 'custom', message: pattern.problem })
})

const networkEntry = z.union([
  hostPattern,
  z.strictObject({
    host: hostPattern,
    methods: z
      .array(method)
      .max(CAPABILITY_LIMITS.methods)
      .optional()
      .describe(
        'Such as ["GET"], which stands for HEAD too, or ["*"] for any; derived from the code when left out.',
      ),
    paths: z
      .array(pathPattern)
      .min(1)
      .max(CAPABILITY_LIMITS.paths)
      .optional()
      .describe(
        'Patterns by segment: "/v1/charges/*" (* is one segment), "/repos/acme/**" (** is everything below); without a ' +
          'query. Derived from the code when left out.',
      ),
    requests: z
      .int()
      .min(1)
      .max(MAX_REQUESTS)
      .optional()
      .describe(`Requests of this entry in one run; ${DEFAULT_REQUESTS} when left out.`),
    websocket: z.boolean().optional().describe('The run may open WebSockets there.'),
    graphql: z
      .enum(['query', 'mutation'])
      .optional()
      .describe(
        'query lets no GraphQL mutation pass. When left out it is derived with the paths, and query where those are stated.',
      ),
  }),
])

const metadata = z.strictObject({
  description: z.string().max(1_000).optional(),
  secrets: secrets.optional().describe('Used when the top-level list is left out.'),
  network: z
    .array(networkEntry)
    .max(32)
    .optional()
    .describe(
      'What the code may send: hosts (host, host:port, *.suffix, http://host), or entries with methods and paths. A bare host ' +
        'gets what the code is seen to send there; the gateway refuses everything else.',
    ),
  timeout: z.int().min(1).max(RUN_DEFAULTS.maxTimeoutSeconds).optional().describe('Seconds.'),
  memory: z.int().min(RUN_DEFAULTS.minMemoryMib).max(RUN_DEFAULTS.maxMemoryMib).optional().describe('MiB.'),
})

export const executeBody = z
  .strictObject({
    skill_id: z.string().regex(/^[A-Za-z0-9._:/-]{1,128}$/, '1–128 of A–Z a–z 0–9 . _ : / -'),
    code: z.string().min(1).optional().describe('The code itself, at most 1 MiB; wins over skill_url.'),
    skill_url: z
      .string()
      .min(1)
      .max(2_048)
      .optional()
      .describe('https link to the code, fetched at once, at most 1 MiB.'),
    code_hash: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'SHA-256 as 64 hex digits')
      .optional()
      .describe('Refused with code_hash_mismatch when the code is another.'),
    runtime: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, '1–64 of A–Z a–z 0–9 . _ -')
      .default('deno'),
    secrets: secrets.optional(),
    args: z
      .looseObject({})
      .superRefine((args, context) => {
        const names = Object.keys(args)
        if (names.length > MAX_ARG_NAMES) {
          context.addIssue({ code: 'custom', message: `at most ${MAX_ARG_NAMES} names` })
          return
        }
        // One issue is enough to refuse; a body could hold a hundred thousand.
        const reserved = names.find(isReservedName)
        if (reserved === undefined) return
        context.addIssue({
          code: 'custom',
          path: [reserved],
          message: 'this name steers the runtime and cannot be an argument',
        })
      })
      .optional()
      .describe('JSON for the code, in the environment variable OAUTH3_ARGS; at most 64 KiB.'),
    dynamic_code: z
      .boolean()
      .optional()
      .describe(
        'The code may run code made from text (eval and its like, WebAssembly, workers). The person is warned.',
      ),
    metadata: metadata.optional(),
  })
  .refine((body) => body.code !== undefined || body.skill_url !== undefined, {
    path: ['code'],
    message: 'send code or skill_url',
  })

export function parseExecuteBody(value: unknown): ExecuteRequest {
  const parsed = executeBody.safeParse(value)
  if (!parsed.success) throw invalidBody(parsed.error)
  const body = parsed.data
  const argsJson = body.args === undefined ? null : canonicalJson(body.args)
  if (argsJson !== null && Buffer.byteLength(argsJson) > MAX_ARGS_BYTES) {
    throw new AppError('too_large', `args are at most ${MAX_ARGS_BYTES} bytes of JSON.`)
  }
  const asked = body.secrets ?? body.metadata?.secrets
  return {
    skillId: body.skill_id,
    runtime: body.runtime,
    argsJson,
    ...given('code', body.code),
    ...given('skillUrl', body.skill_url),
    ...given('codeHash', body.code_hash),
    ...given('secrets', asked?.map(requestedSecret)),
    ...given('description', body.metadata?.description),
    ...given('network', body.metadata?.network?.map(networkOf)),
    ...given('dynamicCode', body.dynamic_code),
    ...given('timeoutSeconds', body.metadata?.timeout),
    ...given('memoryMib', body.metadata?.memory),
  }
}

function networkOf(entry: z.output<typeof networkEntry>): NetworkEntry {
  if (typeof entry === 'string') return entry
  return {
    host: entry.host,
    ...given('methods', entry.methods),
    ...given('paths', entry.paths),
    ...given('requests', entry.requests),
    ...given('websocket', entry.websocket),
    ...given('graphql', entry.graphql),
  }
}

function requestedSecret(secret: z.output<typeof secrets>[number]): RequestedSecret {
  if (typeof secret === 'string') return { name: secret }
  return {
    name: secret.name,
    ...given('mode', secret.mode),
    ...given('hosts', secret.hosts),
    ...given('in', secret.in),
  }
}

/** Every issue as `{path, message}`; those of a union's branches are told where they are. */
export function invalidBody(error: z.ZodError): AppError {
  const details = error.issues.flatMap((issue) => flatten(issue, [])).slice(0, 50)
  return new AppError('invalid_request', 'The request does not have the documented form; see details.', {
    details,
  })
}

type Issue = z.core.$ZodIssue

function flatten(
  issue: Issue,
  above: readonly PropertyKey[],
): { path: (string | number)[]; message: string }[] {
  const path = [...above, ...issue.path].map((key) =>
    typeof key === 'number' ? key : String(key).slice(0, 128),
  )
  if (issue.code === 'invalid_union') {
    const closest = issue.errors.find((branch) =>
      branch.every((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
    )
    if (closest) return closest.flatMap((inner) => flatten(inner, path))
  }
  return [{ path, message: issue.message.slice(0, 300) }]
}

const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
