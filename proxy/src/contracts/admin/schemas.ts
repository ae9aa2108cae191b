/**
 * What goes over the admin socket, as schemas: the daemon builds its answers from these types and the CLI parses
 * with them. Times are unix milliseconds.
 */
import { z } from 'zod'

/** In a query. */
export const flag = z.enum(['0', '1'])
export const consentHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'takes a SHA-256 as 64 hex digits in small letters')
export const queryNumber = z
  .string()
  .regex(/^[0-9]{1,15}$/, 'takes a whole number')
  .transform(Number)
/** A row's number in the path. */
export const numberParams = z.object({ id: queryNumber })

const hostList = z.array(z.string().max(300)).max(64)

/** High: a yes to a request that names the secret takes a passkey. */
export const RISKS = ['normal', 'high'] as const
export const riskBody = z.strictObject({ risk: z.enum(RISKS) })
/** `risk` left out: as before. */
export const putSecretBody = z.strictObject({
  value: z.string(),
  hosts: hostList.optional(),
  risk: z.enum(RISKS).optional(),
})
export const renameSecretBody = z.strictObject({ to: z.string().max(128) })

export const secretView = z.object({
  name: z.string(),
  version: z.int(),
  hosts: z.array(z.string()).nullable(),
  risk: z.enum(RISKS),
  created_at: z.int(),
  updated_at: z.int(),
})
export const secretList = z.object({ secrets: z.array(secretView) })

export const WAKE_KINDS = ['openclaw-hook', 'openclaw-cli', 'webhook'] as const

const tagList = z.array(z.string().min(1).max(64)).max(32)
/** How long the old token is good beside the new one. */
export const rotateAgentBody = z.strictObject({
  overlap_ms: z
    .int()
    .min(0)
    .max(7 * 24 * 3_600_000)
    .default(0),
})
export const agentTagsBody = z.strictObject({ tags: tagList })

export const addAgentBody = z.strictObject({
  name: z.string().max(64),
  cidrs: z.array(z.string().max(64)).max(64).default([]),
  tags: tagList.default([]),
  wake: z
    .strictObject({
      kind: z.enum(WAKE_KINDS),
      target: z.string().min(1).max(2_048),
      session_key: z.string().min(1).max(512).optional(),
      token: z.string().min(1).max(4_096).optional(),
    })
    .optional(),
})

export const agentView = z.object({
  id: z.string(),
  name: z.string(),
  cidrs: z.array(z.string()),
  tags: z.array(z.string()),
  wake: z
    .object({
      kind: z.enum([...WAKE_KINDS, 'machine']),
      target: z.string(),
      session_key: z.string().nullable(),
    })
    .nullable(),
  created_at: z.int(),
  revoked_at: z.int().nullable(),
  /** Until when the token before the present one is good; null: it is not. */
  old_token_until: z.int().nullable(),
})
export const agentList = z.object({
  agents: z.array(agentView),
  /** Whether an agent without a target of its own is woken at the daemon's. */
  has_default_wake: z.boolean(),
})
/** The token is in this answer and nowhere else. */
export const addedAgent = z.object({
  agent: agentView,
  token: z.string(),
  /** Where the daemon listens for agents. */
  url: z.string(),
})

const DECISION_KINDS = ['once', 'deny', 'trust24h', 'forever', 'trust24h_any', 'forever_any'] as const
/** Those with limits take terms, which go with a decision of any kind of request. */
const ALL_DECISIONS = [...DECISION_KINDS, 'limited', 'limited_any'] as const

/** Of the words that an agent is told with a denial. */
export const MAX_REASON_CHARS = 500

export const decisionBody = z.strictObject({
  decision: z.enum(DECISION_KINDS),
  /** Of the consent that the person was shown. */
  consent_hash: consentHash,
  /** Of a denial: told to the agent. */
  reason: z.string().trim().min(1).max(MAX_REASON_CHARS).optional(),
})

const requestSummary = z.object({
  request_id: z.string(),
  skill_id: z.string(),
  agent: z.string(),
  status: z.string(),
  /** The state is final: nothing comes of it any more. */
  ended: z.boolean(),
  code_hash: z.string(),
  consent_hash: z.string(),
  created_at: z.int(),
  expires_at: z.int(),
})
export const requestList = z.object({ requests: z.array(requestSummary) })

/** The card as approvals builds it: every text in it is visible already. */
export const cardView = z.object({
  requestId: z.string(),
  skillId: z.string(),
  description: z.string(),
  agent: z.string(),
  changes: z.array(z.string()),
  warnings: z.array(z.object({ kind: z.string(), text: z.string(), short: z.string(), pinned: z.boolean() })),
  secrets: z.array(
    z.object({
      name: z.string(),
      /** Whether the code holds the value itself. */
      raw: z.boolean(),
      goes: z.string(),
      /** The parts of a request that it may be in, or that the code reads it. */
      how: z.string(),
      missing: z.boolean(),
    }),
  ),
  sends: z.string(),
  network: z.string(),
  imports: z.string().nullable(),
  runtime: z.string(),
  limits: z.string(),
  args: z.string().nullable(),
  source: z.string().nullable(),
  /** Of a registry's skill: whose signature covers these very bytes, and what its entry says that the code needs. */
  provenance: z
    .object({
      /** `name@version`. */
      skill: z.string(),
      url: z.string(),
      registry: z.object({ name: z.string(), key: z.string() }),
      publisher: z.string(),
      /** The key accepted for this name before; null when none was. */
      acceptedPublisher: z.string().nullable(),
      pinned: z.boolean(),
      declaredDescription: z.string(),
      declaredSecrets: z.array(z.string()),
      declaredNetwork: z.array(z.string()),
    })
    .nullable(),
  codeHash: z.string(),
  /** Where it is not kept, the text says so. */
  code: z.object({ text: z.string(), lines: z.int(), bytes: z.int(), kept: z.boolean() }),
  expiresAt: z.int(),
  /** Whether a text above was cut; `full` then says what it leaves out. */
  cut: z.boolean(),
  full: z.string(),
  choices: z.array(z.array(z.object({ decision: z.enum(ALL_DECISIONS), label: z.string() }))),
})

/** What the run did on the network; null in results of daemons without a gateway. */
const networkView = z.object({
  requests: z.int(),
  refused: z.array(
    z.object({
      rule: z.string(),
      origin: z.string(),
      secrets: z.array(z.string()),
      count: z.int(),
      /** The refusal as one visible line. */
      said: z.string(),
    }),
  ),
  more_refused: z.int(),
})

export const explainBody = z.strictObject({
  code: z.string().min(1),
  runtime: z.string().max(64),
  /** Hosts; those that the code names when left out. */
  network: z.array(z.string().max(280)).max(32).optional(),
  secrets: z.array(z.string().max(128)).max(32).optional(),
  description: z.string().max(1_000).optional(),
  dynamic_code: z.boolean().optional(),
})
export const explanationView = z.object({ card: cardView, trusted: z.boolean() })

export const requestView = requestSummary.extend({
  trusted: z.boolean(),
  decision: z.string().nullable(),
  decided_by: z.string().nullable(),
  decided_by_name: z.string().nullable(),
  decided_at: z.int().nullable(),
  deny_reason: z.string().nullable(),
  finished_at: z.int().nullable(),
  duration_ms: z.int().nullable(),
  failure: z.string().nullable(),
  result: z
    .object({
      stdout: z.string(),
      stderr: z.string(),
      exit_code: z.int().nullable(),
      truncated: z.boolean(),
      /** The output was dropped since, by age or to make room. */
      not_kept: z.boolean(),
      network: networkView.nullable(),
    })
    .nullable(),
  card: cardView,
})

const grantView = z.object({
  id: z.int(),
  skill_id: z.string(),
  code_hash: z.string(),
  /** Limited: it ends with its uses or at `expires_at`, whichever is first. */
  level: z.enum(['once', '24h', 'forever', 'limited']),
  any_args: z.boolean(),
  /** As its card named them; empty, as the two lists are, where the consent cannot be read. */
  agent: z.string(),
  secrets: z.array(z.string()),
  hosts: z.array(z.string()),
  /** What it may send, as a card says it. */
  sends: z.string(),
  approved_by: z.string(),
  approved_at: z.int(),
  expires_at: z.int().nullable(),
  /** The request that was approved with it. */
  request_id: z.string(),
  /** How many requests it may cover, the one that was approved with it among them; null: any number. */
  max_uses: z.int().nullable(),
  uses: z.int(),
  /** Null: any number. */
  uses_left: z.int().nullable(),
  last_used_at: z.int().nullable(),
  ended_at: z.int().nullable(),
  ended_why: z.enum(['used', 'expired', 'revoked', 'replaced']).nullable(),
})
export const revokedGrantView = grantView.extend({
  /** Requests that it let run and whose code is under way: they go on. stopRequest ends one. */
  running: z.array(z.string()),
})
export const grantList = z.object({ grants: z.array(grantView) })
export const grantsQuery = z.strictObject({
  /** The newest, ended ones among them, in place of what stands. */
  all: flag.optional(),
})
export const grantUsesQuery = z.strictObject({
  limit: queryNumber.default(20).transform((limit) => Math.min(200, Math.max(1, limit))),
  /** Only runs before this one: `next` of the page before. */
  before: queryNumber.optional(),
})
/** A grant with the requests that it covered, newest first: a page of those that are still kept. */
export const grantUsesView = grantView.extend({
  runs: z.array(requestSummary.extend({ finished_at: z.int().nullable(), duration_ms: z.int().nullable() })),
  /** For the next page; null: this was the last. */
  next: z.int().nullable(),
})

export const rotateKeysBody = z.strictObject({ what: z.enum(['data', 'master']) })
export const rotatedKeys = z.object({ what: z.enum(['data', 'master']), secrets: z.int().nullable() })

/** Ages in milliseconds, sizes in bytes; null: as the settings say. */
export const pruneBody = z.strictObject({
  dry_run: z.boolean(),
  older_than_ms: z.int().min(0).nullable(),
  max_bytes: z.int().min(1).nullable(),
})
export const pruneAnswer = z.object({
  /** What goes, or went: in a dry run by age alone. */
  outputs: z.int(),
  output_bytes: z.int().nullable(),
  code: z.int().nullable(),
  code_bytes: z.int().nullable(),
  executions: z.int(),
  ended: z.int().nullable(),
  usage_rows: z.int(),
  kept: z.object({ waiting: z.int(), grants: z.int(), unsent: z.int(), young: z.int() }),
  used_bytes: z.int(),
  free_bytes: z.int(),
  /** False: there is more to do; ask again. */
  finished: z.boolean(),
})

export const doctorReport = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      /** Only where it is ok: it works, and could be stronger. */
      warning: z.boolean(),
      said: z.string(),
      duration_ms: z.int(),
    }),
  ),
})

export const statusView = z.object({
  status: z.enum(['ok', 'starting', 'degraded']),
  telegram: z.enum(['connected', 'disconnected', 'disabled']),
  database: z.enum(['ok', 'error']),
  database_engine: z.enum(['sqlite', 'postgres']),
  disk: z.enum(['ok', 'low']),
  sandbox: z.enum(['docker', 'embedded', 'unavailable']),
  version: z.string(),
  url: z.string(),
  uptime_s: z.number(),
  notes: z.array(z.string()),
  pid: z.int(),
  /** What waits for a person. */
  waiting: z.int(),
  /** Code under way. */
  running: z.int(),
})

export const errorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
})

export const okBody = z.object({ ok: z.literal(true) })

export type SecretView = z.infer<typeof secretView>
export type AgentView = z.infer<typeof agentView>
export type RequestSummary = z.infer<typeof requestSummary>
export type RequestView = z.infer<typeof requestView>
export type CardView = z.infer<typeof cardView>
export type NetworkView = z.infer<typeof networkView>
export type GrantView = z.infer<typeof grantView>
export type PruneAnswer = z.infer<typeof pruneAnswer>
export type DoctorReportView = z.infer<typeof doctorReport>
export type WireDecision = (typeof DECISION_KINDS)[number]

/** Header that names the tenant a call is about; left out: `default`. */
export const TENANT_HEADER = 'x-oauth3-tenant'
