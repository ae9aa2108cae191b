import { z } from 'zod'
import {
  CAPABILITY_LIMITS,
  CONSENT_SURFACES,
  DEFAULT_REQUESTS,
  isReservedName,
  MAX_NAMED,
  MAX_REQUESTS,
  parseHostPattern,
  RUN_LIMITS,
  SECRET_NAME,
} from '../../kernel/index.ts'
import { SKILL_REFERENCE, SKILL_REFERENCE_FORM, skillName } from '../registry/index.ts'

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
      .max(MAX_NAMED)
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
  .max(MAX_NAMED)
  .describe(
    'Secrets that the code needs, by name, or as objects that say where each may go. Each is an environment variable ' +
      'that holds a placeholder, which works in a header to the hosts of metadata.network.',
  )

/** What a daemon checks of texts beyond their form; null, or the problem with one. */
export interface ExecuteChecks {
  readonly method: (text: string) => string | null
  readonly path: (text: string) => string | null
}

const textWithout = (problemOf: (text: string) => string | null) =>
  z.string().superRefine((text, context) => {
    const problem = problemOf(text)
    if (problem !== null) context.addIssue({ code: 'custom', message: problem })
  })

/** The body of POST /execute with checks that a JSON Schema cannot tell of. */
/** The body of POST /execute. Unknown fields are refused: what is not understood cannot have been meant. */
export function executeBodyWith(checks: ExecuteChecks) {
  const method = textWithout(checks.method)
  const pathPattern = textWithout(checks.path)

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
      .max(MAX_NAMED)
      .optional()
      .describe(
        'What the code may send: hosts (host, host:port, *.suffix, http://host), or entries with methods and paths. A bare host ' +
          'gets what the code is seen to send there; the gateway refuses everything else.',
      ),
    timeout: z.int().min(1).max(RUN_LIMITS.maxTimeoutSeconds).optional().describe('Seconds.'),
    memory: z.int().min(RUN_LIMITS.minMemoryMib).max(RUN_LIMITS.maxMemoryMib).optional().describe('MiB.'),
  })

  return z
    .strictObject({
      skill_id: z
        .string()
        .regex(/^[A-Za-z0-9._:/-]{1,128}$/, '1–128 of A–Z a–z 0–9 . _ : / -')
        .optional()
        .describe('Required, but with skill, whose name it is.'),
      skill: z
        .string()
        .regex(SKILL_REFERENCE_FORM, 'name@version, or registry/name@version')
        .refine((text) => SKILL_REFERENCE.test(text), 'a name and a version have at most 64 characters')
        .optional()
        .describe(
          "A skill of a registry that the owner added, as name@version, in place of code. What is left out of description, secrets and network is its entry's. The person is asked as for any code.",
        ),
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
    .superRefine(({ skill, skill_id, code, skill_url }, context) => {
      const issue = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message })
      if (skill === undefined) {
        if (skill_id === undefined) issue('skill_id', 'required, but with skill')
        if (code === undefined && skill_url === undefined) issue('code', 'send code, skill_url or skill')
        return
      }
      if (code !== undefined || skill_url !== undefined)
        issue('skill', 'stands in place of code and skill_url: send one of them')
      if (skill_id !== undefined && skill_id !== skillName(skill))
        issue('skill_id', 'the name of the skill, or left out')
    })
}

/** As JSON Schema says it, which knows no refinements. */
export const executeBody = executeBodyWith({ method: () => null, path: () => null }).meta({
  anyOf: [{ required: ['skill_id'] }, { required: ['skill'] }],
})
