/** Apps and their runs as the owner sees them. Times are unix milliseconds, money is in millionths of a US dollar. */
import { z } from 'zod'
import { RUN_ENDING_CODES, RUN_STATES } from '../claude-runs/index.ts'
import { queryNumber } from './schemas.ts'

const name = z.string().min(1).max(64)
const limit = z.int().min(1).nullable()
const words = z.array(z.string().min(1).max(200)).max(64)

/** Null: no limit. Days are days in UTC. */
const appLimits = z.strictObject({
  micro_usd_per_day: limit,
  tokens_per_day: limit,
  requests_per_minute: limit,
  runs_per_day: limit,
  micro_usd_per_run: limit,
  tokens_per_run: limit,
  requests_per_run: limit,
  max_running: limit,
})

export type AppLimitsView = z.output<typeof appLimits>

export const APP_SCOPE_WORDS = ['run', 'files'] as const
export const APP_NETWORK_WORDS = ['off', 'ask'] as const

const appTerms = z.strictObject({
  /** Networks that it may call from; none: wherever the port may be called from. */
  cidrs: words.optional(),
  scopes: z.array(z.enum(APP_SCOPE_WORDS)).min(1).max(2).optional(),
  /** The CLI's tools that its runs may have. */
  tools: words.optional(),
  /** Names of secrets that requests of its runs may ask for; null: any. */
  secrets: words.nullable().optional(),
  /** Whether a person is asked where a command wants to reach a host that is not listed. */
  network: z.enum(APP_NETWORK_WORDS).optional(),
  /** Hosts that commands reach without a question where `network` is `ask`: `HOST` or `HOST:PORT`. */
  hosts: words.optional(),
  /** Ids, or beginnings that end in `*`; null: any. */
  models: words.min(1).nullable().optional(),
  provider: name.optional(),
  /** Whether its runs go by the seat of the owner's subscription in place of a key; of anthropic alone. */
  seat: z.boolean().optional(),
  limits: appLimits.partial().optional(),
  /** Whether prompts are kept, sealed, as long as results. */
  keeps_prompts: z.boolean().optional(),
})
export const addAppBody = appTerms.extend({ name })
export const changeAppBody = appTerms

export const appView = z.object({
  id: z.string(),
  name: z.string(),
  cidrs: z.array(z.string()),
  scopes: z.array(z.enum(APP_SCOPE_WORDS)),
  tools: z.array(z.string()),
  secrets: z.array(z.string()).nullable(),
  network: z.enum(APP_NETWORK_WORDS),
  hosts: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  provider: z.string(),
  seat: z.boolean(),
  limits: appLimits,
  keeps_prompts: z.boolean(),
  created_at: z.int(),
  revoked_at: z.int().nullable(),
  /** What its owner should know: whose seat it uses, with whom it shares a key, that nobody can call with it. */
  notes: z.array(z.string()),
})
export type AppView = z.output<typeof appView>

/** `url`: where apps call; null where the port is off (CLAWDFORGE_PORT). */
export const appList = z.object({ apps: z.array(appView), url: z.string().nullable() })
/** The token is told this once. */
export const appWithToken = z.object({ app: appView, token: z.string(), url: z.string().nullable() })

export type MadeApp = z.output<typeof appWithToken>

export const runsQuery = z.strictObject({
  app: name.optional(),
  state: z.enum([...RUN_STATES, 'open']).optional(),
  code: z.enum(RUN_ENDING_CODES).optional(),
  before: z.string().max(64).optional(),
  limit: queryNumber.optional(),
})

const runRow = z.object({
  id: z.string(),
  /** Its name. */
  app: z.string(),
  state: z.enum(RUN_STATES),
  /** Null until it is over. */
  code: z.enum(RUN_ENDING_CODES).nullable(),
  /** How many turns come first, of one that waits here. */
  position: z.int().nullable(),
  model: z.string(),
  prompt_sha256: z.string(),
  prompt_chars: z.int(),
  result_chars: z.int().nullable(),
  detached: z.boolean(),
  session_id: z.string().nullable(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  /** Calls of the model. */
  requests: z.int(),
  /** Null where no price is known. */
  micro_usd: z.int().nullable(),
  created_at: z.int(),
  started_at: z.int().nullable(),
  finished_at: z.int().nullable(),
  first_byte_ms: z.int().nullable(),
})
export type RunRow = z.output<typeof runRow>
/** `next`: for `before`; null where there are no more. */
export const runList = z.object({ runs: z.array(runRow), next: z.string().nullable() })

/** For a person: what is hidden in a text is written out as `⟨U+202E⟩`. */
const shownText = z.object({
  label: z.enum(['Result', 'As far as it came', 'Prompt', 'System prompt']),
  text: z.string(),
  /** Whether there is more of it than is shown. */
  cut: z.boolean(),
})

export const runDetail = runRow.extend({
  /** Whether its texts are kept still; where they are not, none is here. */
  kept: z.boolean(),
  kept_until: z.int().nullable(),
  /** Why it failed; null where it did not. */
  message: z.string().nullable(),
  stop_reason: z.string().nullable(),
  /** A prompt only where its app keeps them. */
  texts: z.array(shownText),
  denials: z.array(z.object({ tool: z.string(), message: z.string() })),
})
export type RunDetail = z.output<typeof runDetail>

export const followQuery = z.strictObject({ after: queryNumber.default(0) })
export const runEvents = z.object({
  /** `shown`: for a person, as `texts` are; pieces of one text that come at once are one. */
  events: z.array(z.object({ id: z.int(), event: z.string(), shown: z.string() })),
  /** For `after`: of the last event, shown or not. */
  last: z.int(),
  /** Events up to this one are not kept any more; null where none is missing. */
  lost_up_to: z.int().nullable(),
  /** Nothing comes any more. */
  over: z.boolean(),
})
export type RunEvents = z.output<typeof runEvents>

export const appFileRow = z.object({
  file_token: z.string(),
  name: z.string(),
  bytes: z.int(),
  created_at: z.int(),
  expires_at: z.int(),
})
export type AppFileRow = z.output<typeof appFileRow>

export const runSessionRow = z.object({
  id: z.string(),
  /** The one that it was forked from; null for none. */
  parent: z.string().nullable(),
  runs: z.int(),
  bytes: z.int(),
  created_at: z.int(),
  used_at: z.int(),
  expires_at: z.int(),
})
export type RunSessionView = z.output<typeof runSessionRow>
