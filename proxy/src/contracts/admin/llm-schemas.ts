/**
 * What goes over the admin socket about providers of LLMs: their keys, what agents may use of them, what that used
 * and what it costs. Times are unix milliseconds, money is in millionths of a US dollar.
 */
import { z } from 'zod'
import { consentHash } from './schemas.ts'

const name = z.string().min(1).max(64)
const tags = z.array(z.string().min(1).max(64)).max(32)
/** Exact names, or beginnings that end in `*`. */
const models = z.array(z.string().min(1).max(200)).min(1).max(64)
const paths = z.array(z.string().min(1).max(500)).min(1).max(64)
/** What may be done at the provider: `inference`, `files`, …; see docs/llm-proxy.md. */
const groups = z.array(z.string().min(1).max(32)).min(1).max(16)

export const ERROR_SHAPES = ['openai', 'anthropic', 'google'] as const

const authForm = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('bearer') }),
  z.object({ kind: z.literal('header'), name: z.string().min(1).max(64) }),
  z.object({ kind: z.literal('none') }),
])

export const addProviderBody = z.strictObject({
  name,
  url: z.string().min(1).max(2_048),
  auth: authForm.default({ kind: 'bearer' }),
  errors: z.enum(ERROR_SHAPES).default('openai'),
  private: z.boolean().default(false),
})
export const setParamBody = z.strictObject({
  value: z.string().min(1).max(500),
  private: z.boolean().optional(),
})

export const providerView = z.object({
  name: z.string(),
  url: z.string(),
  auth: authForm,
  /** Whose error object its SDKs read; null while a parameter is missing. */
  errors: z.enum(ERROR_SHAPES).nullable(),
  own: z.boolean(),
  /** Built in, and at another address than the built-in one. */
  moved: z.boolean(),
  private: z.boolean(),
  /** Parameters to fill in before it can be used. */
  missing: z.array(z.string()),
  keys: z.int(),
})
export const providerList = z.object({ providers: z.array(providerView) })

export const addKeyBody = z.strictObject({
  provider: name,
  label: z.string().min(1).max(64).optional(),
  tags: tags.optional(),
  weight: z.int().min(1).max(1_000).optional(),
  models: models.optional(),
  /** The token of a subscription's seat, for runs of apps that may use it. */
  seat: z.boolean().optional(),
  value: z.string(),
})
export const keyView = z.object({
  id: z.int(),
  provider: z.string(),
  label: z.string(),
  tags: z.array(z.string()),
  weight: z.int(),
  models: z.array(z.string()).nullable(),
  seat: z.boolean(),
  created_at: z.int(),
})
const listedKey = keyView.extend({
  /**
   * Until when it is not taken, since its vendor refused it, for how many agents (0: all) and how many models and endpoints (0: all); null:
   * it may be taken.
   */
  cooldown: z.object({ until: z.int(), agents: z.int(), parts: z.int() }).nullable(),
})
export const keyList = z.object({ keys: z.array(listedKey) })

const limit = z.int().min(1).nullable()
const limitsForm = z.strictObject({
  requests_per_minute: limit,
  tokens_per_day: limit,
  micro_usd_per_day: limit,
  /** In all, for as long as the grant stands: behind the last of them it ends. */
  requests: limit,
})
const someLimits = limitsForm.partial()

export const addGrantBody = z.strictObject({
  agent: name,
  provider: name,
  /** Null: until it is revoked. */
  for_ms: z
    .int()
    .min(60_000)
    .max(366 * 86_400_000)
    .nullable(),
  groups: groups.default(['inference']),
  models: models.nullable().default(null),
  paths: paths.nullable().default(null),
  limits: someLimits.default({}),
})
export const changeGrantBody = z.strictObject({
  groups: groups.optional(),
  models: models.nullable().optional(),
  paths: paths.nullable().optional(),
  limits: someLimits.default({}),
})
export const accessGrantView = z.object({
  id: z.int(),
  agent: z.string(),
  provider: z.string(),
  groups: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  paths: z.array(z.string()).nullable(),
  limits: limitsForm,
  /** Of `limits.requests`; null: any number. */
  requests_left: z.int().nullable(),
  granted_by: z.string(),
  granted_at: z.int(),
  expires_at: z.int().nullable(),
})
export const accessGrantList = z.object({ grants: z.array(accessGrantView) })
/** For whoever gave or changed it. */
export const givenGrant = accessGrantView.extend({
  /** What its limit of money refuses, since nobody knows the price; `*` for every model of the provider. */
  unpriced: z.array(z.string()),
  /** Whether a key is stored that the agent's tags fit; `other_tags`: only ones that they do not. */
  key: z.enum(['there', 'none', 'other_tags', 'not_needed']),
  /** Parameters of the provider's address that the owner has not filled in. */
  missing_params: z.array(z.string()),
})

const ACCESS_DECISIONS = ['1h', '24h', 'always', 'deny'] as const
const ACCESS_SCOPES = ['provider', 'model'] as const

export const accessDecisionBody = z.strictObject({
  /** Of the card that the person was shown. */
  consent_hash: consentHash,
  decision: z.enum(ACCESS_DECISIONS),
  scope: z.enum(ACCESS_SCOPES).default('provider'),
  models: models.optional(),
  paths: paths.optional(),
  limits: someLimits.optional(),
})

const askSummary = z.object({
  id: z.string(),
  agent: z.string(),
  provider: z.string(),
  /** Null when the request named none. */
  model: z.string().nullable(),
  /** What the request does, and all that a grant of it gives. */
  group: z.string(),
  path: z.string(),
  status: z.enum(['pending', 'granted', 'denied', 'expired']),
  /** Of what its card shows; a decision names it. */
  consent_hash: z.string(),
  created_at: z.int(),
  expires_at: z.int(),
})
export const askList = z.object({ asks: z.array(askSummary) })

/** The card as llm/provider-access builds it: every text in it is visible already. */
const accessCard = z.object({
  askId: z.string(),
  agent: z.string(),
  provider: z.string(),
  origin: z.string(),
  model: z.string(),
  path: z.string(),
  gives: z.string(),
  notes: z.array(z.string()),
  expiresAt: z.int(),
  choices: z.array(
    z.array(
      z.object({
        choice: z.string(),
        decision: z.enum([...ACCESS_DECISIONS, 'until']),
        scope: z.enum(ACCESS_SCOPES),
        label: z.string(),
      }),
    ),
  ),
})
const askView = askSummary.extend({
  decided_at: z.int().nullable(),
  decided_by: z.string().nullable(),
  decided_by_name: z.string().nullable(),
  card: accessCard.nullable(),
})

/** With what it granted; null where nothing stands for it. */
export const decidedAsk = askView.extend({ grant: givenGrant.nullable() })

export const USAGE_BY = ['agent', 'model', 'day'] as const
export const LONGEST_REPORT_DAYS = 3_660

/** The present day and those before it, in UTC. */
const days = z
  .string()
  .regex(/^[0-9]{1,15}$/, 'takes a whole number')
  .default('30')
  .transform(Number)
  .pipe(z.int().min(1).max(LONGEST_REPORT_DAYS))
export const usageQuery = z.strictObject({ by: z.enum(USAGE_BY).default('agent'), days })
export const hostUsageQuery = z.strictObject({ days })

const usageGroup = z.object({
  /** An agent's name, a model with its provider, or a day. */
  key: z.string(),
  requests: z.int(),
  failed: z.int(),
  untold: z.int(),
  /** With what was read from and written to a cache. */
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  micro_usd: z.int(),
  unpriced: z.int(),
})
/** Of one hosted agent: its machine's time, and its model calls, which `usageReport` has below its name. */
export const hostUsage = usageGroup.omit({ key: true }).extend({
  /** The first day that counts, in UTC. */
  since: z.string(),
  /** While it ran. */
  awake_seconds: z.number(),
  /** Its limit of memory in GB of 1,024 MiB, times the seconds in which it held it: paused as well. */
  gb_seconds: z.number(),
})
export const usageReport = z.object({
  by: z.enum(USAGE_BY),
  /** The first day that counts, in UTC. */
  since: z.string(),
  groups: z.array(usageGroup),
  /** Models whose tokens have no price; their money is in no sum. */
  unpriced_models: z.array(z.string()),
})

/** For a million tokens. */
const money = z.int().min(0).max(1_000_000_000_000)
/** Of tokens of sound and of images; of one piece each. Where they are left out, built-in prices count, or none. */
const priceParts = {
  audio_input: z.int().optional(),
  audio_output: z.int().optional(),
  image_input: z.int().optional(),
  image_output: z.int().optional(),
  items: z.record(z.string(), z.int()).optional(),
}

export const setPriceBody = z.strictObject({
  provider: name,
  model: z.string().min(1).max(200),
  input: money,
  output: money,
  cache_read: money.nullable().default(null),
  cache_write: money.nullable().default(null),
  ...priceParts,
})
export const priceView = z.object({
  provider: z.string(),
  model: z.string(),
  input: z.int(),
  output: z.int(),
  cache_read: z.int().nullable(),
  cache_write: z.int().nullable(),
  ...priceParts,
  /** Set by the owner; else of the table that comes with the daemon. */
  own: z.boolean(),
})
export const priceList = z.object({ prices: z.array(priceView) })

export type ProviderView = z.infer<typeof providerView>
export type KeyView = z.infer<typeof keyView>
export type ListedKey = z.infer<typeof listedKey>
export type LimitsView = z.infer<typeof limitsForm>
export type AccessGrantView = z.infer<typeof accessGrantView>
export type GivenGrantView = z.infer<typeof givenGrant>
export type AskSummary = z.infer<typeof askSummary>
export type AskView = z.infer<typeof askView>
export type UsageGroupView = z.infer<typeof usageGroup>
export type HostUsageView = z.infer<typeof hostUsage>
export type UsageReportView = z.infer<typeof usageReport>
export type PriceView = z.infer<typeof priceView>
