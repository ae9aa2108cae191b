/** What goes over the port of apps. Names that `clawdforge` had keep their meaning; all else is beside them. */
import { z } from 'zod'
import { RUN_ENDING_CODES, RUN_STATES } from './codes.ts'

/** Characters; the CLI refuses more than 5 MB. */
const MAX_PROMPT = 1_500_000
const MAX_FILES = 32
const MAX_TOOLS = 64

const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
const text = z.string().max(MAX_PROMPT)
const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/, 'is not the name of a model')
export const fileToken = z.string().regex(/^ff_[0-9a-f]{32}$/, 'is not a file_token')
const sessionId = z.string().regex(/^ses_[0-9a-f]{32}$/, 'is not the id of a session')

export const runBody = z.strictObject({
  prompt: text.min(1),
  model: modelName.nullish().describe('An id, or opus, sonnet, haiku; CLAWDFORGE_MODEL when left out.'),
  system: text.nullish().describe("In place of the CLI's own system prompt."),
  append_system: text.nullish().describe('Behind the system prompt.'),
  files: z.array(fileToken).max(MAX_FILES).nullish().describe('Tokens of POST /files.'),
  timeout_secs: z.int().min(1).max(3_600).nullish().describe('300 when left out.'),
  schema: z.looseObject({}).nullish().describe('A JSON Schema that `result` has to meet.'),
  stream: z.boolean().nullish().describe('Answer with server-sent events.'),
  detach: z
    .boolean()
    .nullish()
    .describe('Answer at once with the run, which goes on when its caller leaves.'),
  session: z
    .strictObject({ id: sessionId.nullish(), fork: z.boolean().nullish() })
    .nullish()
    .describe('`{}` keeps the conversation, `id` goes on with one, `fork` begins another where that stands.'),
  tools: z
    .array(z.string().min(1).max(128))
    .max(MAX_TOOLS)
    .nullish()
    .describe("The CLI's tools; none when left out."),
  budget: z
    .strictObject({
      usd: z.number().min(0.000_001).max(1_000_000).nullish(),
      tokens: count.nullish(),
      requests: count.nullish(),
    })
    .nullish()
    .describe('What the run may use at most; the limits of the app hold beside it.'),
  max_turns: z.int().min(1).max(1_000).nullish(),
})

const usageView = z.strictObject({
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  requests: z.int(),
})

const errorOf = <T extends readonly [string, ...string[]]>(codes: T) =>
  z.strictObject({ code: z.enum(codes), message: z.string(), details: z.unknown().optional() })

/** `ok` is true exactly where there is a `result`. */
export const runView = z.strictObject({
  ok: z.boolean(),
  result: z
    .unknown()
    .optional()
    .describe('Parsed where it is JSON, else a string; there exactly where ok is true.'),
  duration_ms: z.int().nullable(),
  stop_reason: z.string().nullable(),
  run_id: z.string(),
  state: z.enum(RUN_STATES),
  code: z
    .enum([...RUN_ENDING_CODES, 'gone'])
    .nullable()
    .describe('How it ended; `gone`: the result is not kept any more.'),
  error: errorOf([...RUN_ENDING_CODES, 'gone']).optional(),
  partial: z.string().optional().describe('Of a run that failed: the text as far as it came.'),
  denials: z.array(z.strictObject({ tool: z.string(), message: z.string() })).optional(),
  model: z.string(),
  usage: usageView,
  cost_usd: z.number().nullable(),
  session_id: z.string().nullable(),
  note: z.string().optional(),
  position: z.int().optional().describe('How many turns come first, of a run that waits.'),
  prompt_sha256: z.string(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  first_byte_ms: z.int().nullable(),
})
export type RunView = z.infer<typeof runView>

export const fileView = z.strictObject({
  file_token: z.string(),
  name: z.string(),
  size: z.int(),
  ttl_secs: z.int().describe('Seconds that are left.'),
})
export const fileList = z.strictObject({ files: z.array(fileView) })

const sessionView = z.strictObject({
  session_id: z.string(),
  parent: z.string().nullable(),
  runs: z.int(),
  size: z.int(),
  created_at: z.string(),
  used_at: z.string(),
  expires_at: z.string(),
})
export const sessionList = z.strictObject({ sessions: z.array(sessionView) })

export const serviceHealth = z.strictObject({
  ok: z.boolean(),
  claude_present: z.boolean(),
  version: z.string().nullable().describe('Of the CLI.'),
  daemon_version: z.string(),
  queue: z.strictObject({ running: z.int(), waiting: z.int() }),
  notes: z.array(z.string()),
})

export const mintBody = z.strictObject({
  name: z.string().min(1).max(64),
  ip_cidrs: z.array(z.string().max(64)).max(64).nullish(),
})
const tokenView = z.strictObject({
  name: z.string(),
  app_id: z.string(),
  ip_cidrs: z.array(z.string()),
  scopes: z.array(z.string()),
  created_at: z.string(),
})
export const mintedToken = tokenView.extend({ token: z.string().describe('Shown this once.') })
export const tokenList = z.strictObject({ tokens: z.array(tokenView) })
export const okView = z.strictObject({ ok: z.literal(true) })
