import { z } from 'zod'
import {
  type AskEntry,
  EGRESS_RULES,
  type EgressRule,
  type EgressSummary,
} from '../../domain/egress/index.ts'
import {
  EXECUTION_STATES,
  type Execution,
  type ExecutionSummary,
  FAILURE_CODES,
  type FailureCode,
  isFinal,
} from '../../domain/executions/index.ts'
import type { UnixMs } from '../../kernel/index.ts'

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
}
const statusUrl = z.string().describe('Path of GET /execute/:id on this server.')
const failure = z.strictObject({ code: z.enum(failureCodes), message: z.string() })

const rules = Object.keys(EGRESS_RULES) as [EgressRule, ...EgressRule[]]
const askEntry = z.strictObject({
  host: z.string(),
  methods: z.array(z.string()).optional(),
  paths: z.array(z.string()).optional(),
  requests: z.int().optional(),
  websocket: z.literal(true).optional(),
  graphql: z.literal('mutation').optional(),
})
const network = z.strictObject({
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

const waitingView = z.strictObject({
  status: z.enum(['pending', 'awaiting_secrets', 'approved', 'running']),
  ...base,
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
  network: network.optional().describe('What the code did on the network; left out when it did not run.'),
})

const endedView = z.strictObject({
  status: z.enum(['denied', 'expired', 'cancelled']),
  ...base,
  deny_reason: z
    .string()
    .optional()
    .describe('Why it was denied, in the words of the person; left out where none were given.'),
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

export type ExecutionView = z.infer<typeof executionView>

const MESSAGES = {
  pending: 'Waiting for a person to approve.',
  awaiting_secrets: 'Approved; waiting for a person to store the missing secrets.',
  approved: 'Approved; about to run.',
  running: 'Running.',
  success: 'The code ended with exit code 0.',
  failed: 'The run failed.',
  denied: 'A person denied the request.',
  expired: 'Nobody answered in time; the code did not run.',
  cancelled: 'Cancelled before it started.',
} as const

function messageOf({ status, failure, result, denyReason }: Execution): string {
  if (denyReason !== null) return `A person denied the request: ${denyReason}`
  const said = failure === null ? MESSAGES[status] : FAILURE_CODES[failure]
  return result?.notKept ? `${said} Its output is no longer kept.` : said
}

export function viewOf(execution: Execution): ExecutionView {
  const { status } = execution
  const shared = {
    request_id: execution.requestId,
    skill_id: execution.skillId,
    code_hash: execution.codeHash,
    message: messageOf(execution),
    trusted: execution.trusted,
    created_at: iso(execution.createdAt),
  }
  if (status === 'success' || status === 'failed') {
    return {
      status,
      ...shared,
      stdout: execution.result?.stdout ?? '',
      stderr: execution.result?.stderr ?? '',
      exit_code: execution.result?.exitCode ?? null,
      duration: execution.durationMs,
      truncated: execution.result?.truncated ?? false,
      finished_at: iso(execution.finishedAt ?? execution.createdAt),
      ...errorOf(execution.failure),
      ...(execution.result?.network === undefined ? {} : { network: networkOf(execution.result.network) }),
    }
  }
  if (status === 'denied' || status === 'expired' || status === 'cancelled') {
    return {
      status,
      ...shared,
      ...(execution.denyReason === null ? {} : { deny_reason: execution.denyReason }),
      finished_at: iso(execution.finishedAt ?? execution.createdAt),
    }
  }
  return {
    status,
    ...shared,
    expires_at: iso(execution.expiresAt),
    status_url: statusPath(execution.requestId),
  }
}

export function summaryOf(execution: ExecutionSummary): z.infer<typeof summaryView> {
  return {
    request_id: execution.requestId,
    skill_id: execution.skillId,
    status: execution.status,
    code_hash: execution.codeHash,
    trusted: execution.trusted,
    created_at: iso(execution.createdAt),
    expires_at: iso(execution.expiresAt),
    finished_at: execution.finishedAt === null ? null : iso(execution.finishedAt),
    duration: execution.durationMs,
    ...errorOf(execution.failure),
    status_url: statusPath(execution.requestId),
  }
}

/** A final answer is 200 everywhere; what still waits is 202 where it was asked for. */
export const submitStatus = (execution: Execution): 200 | 202 => (isFinal(execution.status) ? 200 : 202)

const networkOf = (summary: EgressSummary): z.infer<typeof network> => ({
  requests: summary.requests,
  refused: summary.refused.map(({ rule, origin, count, secrets, request, ask }) => ({
    rule,
    origin,
    count,
    ...(request === undefined ? {} : { request }),
    ...(ask === undefined ? {} : { ask: askView(ask) }),
    ...(secrets.length === 0 ? {} : { secrets: [...secrets] }),
  })),
  more_refused: summary.moreRefused,
})

const askView = ({ methods, paths, ...rest }: AskEntry): z.infer<typeof askEntry> => ({
  ...rest,
  ...(methods === undefined ? {} : { methods: [...methods] }),
  ...(paths === undefined ? {} : { paths: [...paths] }),
})

const statusPath = (requestId: string): string => `/execute/${requestId}`
const iso = (at: UnixMs): string => new Date(at).toISOString()
const errorOf = (failure: FailureCode | null) =>
  failure === null ? {} : { error: { code: failure, message: FAILURE_CODES[failure] } }
