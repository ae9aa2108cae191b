import { z } from 'zod'
import {
  EGRESS_RULES,
  type EgressRule,
  EXECUTION_STATES,
  FAILURE_CODES,
  type FailureCode,
} from '../../kernel/index.ts'

/** What agents read. Times are ISO 8601 in UTC, durations milliseconds. */
const time = z.iso.datetime()
const failureCodes = Object.keys(FAILURE_CODES) as [FailureCode, ...FailureCode[]]
const base = {
  request_id: z.string().regex(/^req_[0-9a-f]{32}$/),
  skill_id: z.string(),
  code_hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 of the code, hex.'),
  message: z.string().describe('The state in words.'),
  trusted: z.boolean().describe('Whether a stored approval covered the request.'),
  created_at: time,
  again_of: z
    .string()
    .optional()
    .describe('The request that nobody answered and that a person had asked once more, as this one.'),
}
const statusUrl = z.string().describe('Path of GET /execute/:id on this server.')
const failure = z.strictObject({ code: z.enum(failureCodes), message: z.string() })

const rules = Object.keys(EGRESS_RULES) as [EgressRule, ...EgressRule[]]
export const askEntry = z.strictObject({
  host: z.string(),
  methods: z.array(z.string()).optional(),
  paths: z.array(z.string()).optional(),
  requests: z.int().optional(),
  websocket: z.literal(true).optional(),
  graphql: z.literal('mutation').optional(),
})
export const networkView = z.strictObject({
  requests: z.int().describe('Requests that the code made, refused ones counted.'),
  refused: z
    .array(
      z.strictObject({
        rule: z.enum(rules),
        origin: z.string().describe('Scheme, host and port, as the code named them.'),
        count: z.int(),
        request: z
          .string()
          .optional()
          .describe('Method and path, where it was those that were not approved.'),
        ask: askEntry
          .optional()
          .describe(
            'The entry of metadata.network that would allow it; add it and submit again if the task needs it.',
          ),
        secrets: z
          .array(z.string())
          .optional()
          .describe('Secrets whose placeholder was where it may not go; it was not replaced.'),
      }),
    )
    .describe('What the gateway refused. The code got 403 with the same rule in `error.rule`.'),
  more_refused: z.int().describe('Refusals beyond those listed.'),
})

const approvalCounts = {
  approvals_needed: z.int().describe('How many persons have to say yes.'),
  approvals_given: z.int().describe('How many have.'),
}

const waitingView = z.strictObject({
  status: z.enum(['pending', 'awaiting_secrets', 'approved', 'running']),
  ...base,
  /** Of what is pending. */
  approvals_needed: approvalCounts.approvals_needed.optional(),
  approvals_given: approvalCounts.approvals_given.optional(),
  expires_at: time.describe('Until when a person can answer and a missing secret can come.'),
  status_url: statusUrl,
})

const ranView = z.strictObject({
  status: z.enum(['success', 'failed']),
  ...base,
  stdout: z.string(),
  stderr: z.string(),
  exit_code: z.int().nullable().describe('Null when the sandbox ended the run or the code did not run.'),
  duration: z.int().nullable().describe('Milliseconds; null when the code did not run to an end.'),
  truncated: z.boolean().describe('Whether output beyond the limit was dropped.'),
  finished_at: time,
  error: failure.optional().describe('Why it failed.'),
  network: networkView.optional().describe('What the code did on the network; left out when it did not run.'),
})

const endedView = z.strictObject({
  status: z.enum(['denied', 'expired', 'cancelled']),
  ...base,
  deny_reason: z
    .string()
    .optional()
    .describe('Why it was denied, in the words of the person; left out where none were given.'),
  superseded_by: z
    .string()
    .optional()
    .describe(
      'Of what expired: the request by which a person had it asked once more. Read that one from now on.',
    ),
  finished_at: time,
})

export const executionView = z.union([waitingView, ranView, endedView])

export const summaryView = z.strictObject({
  request_id: base.request_id,
  skill_id: base.skill_id,
  status: z.enum(EXECUTION_STATES),
  code_hash: base.code_hash,
  trusted: base.trusted,
  created_at: time,
  expires_at: time,
  finished_at: time.nullable(),
  duration: z.int().nullable(),
  error: failure.optional(),
  status_url: statusUrl,
})

export const listView = z.strictObject({
  executions: z.array(summaryView),
  next: z.string().nullable().describe('Pass as `before` for the next, older page; null on the last one.'),
})

/**
 * What an agent may know of the vault: names and hosts of all that is stored, never values. Any agent may ask for any name, and is told of
 * one that is missing, so a list for each agent would hide nothing; the person decides about each use.
 */
export const secretsView = z.strictObject({
  secrets: z.array(
    z.strictObject({
      name: z.string(),
      hosts: z
        .array(z.string())
        .nullable()
        .describe(
          'Where its value may be sent, and never elsewhere; null: it is bound to no host, each use names its own.',
        ),
    }),
  ),
})

/** Something that the agent asked a person for, whatever it is. */
export const requestView = z.strictObject({
  id: z.string(),
  kind: z.string().describe('`execution`, `provider_access` …'),
  summary: z.string().describe('What it is for.'),
  state: z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled']),
  status: z
    .string()
    .describe('The state in the words of its kind: an execution goes on once it is approved.'),
  waiting: z.boolean().describe('A person has something to do; until then nothing comes of it.'),
  ...approvalCounts,
  message: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().describe('Until when a person can answer.'),
})
export const requestsView = z.strictObject({ requests: z.array(requestView) })

export const healthView = z.strictObject({
  status: z.enum(['ok', 'starting', 'degraded']),
  telegram: z.enum(['connected', 'disconnected', 'disabled']),
  database: z.enum(['ok', 'error']),
  database_engine: z.enum(['sqlite', 'postgres']),
  disk: z.enum(['ok', 'low']).describe('Low: new requests are refused.'),
  sandbox: z.enum(['docker', 'embedded', 'unavailable']),
  version: z.string(),
  uptime_s: z.int(),
  notes: z.array(z.string()),
})
