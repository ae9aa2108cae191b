import type { z } from 'zod'
import type { Approvals } from '../../approvals/index.ts'
import type { askEntry, executionView, networkView, summaryView } from '../../contracts/agent/index.ts'
import type { AskEntry, EgressSummary } from '../../egress/index.ts'
import type { Storage, UnixMs } from '../../kernel/index.ts'
import { type Execution, type ExecutionSummary, FAILURE_CODES, type FailureCode, isFinal } from '../index.ts'

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

function messageOf({ status, failure, result, denyReason, supersededBy }: Execution): string {
  if (supersededBy !== null)
    return `Nobody answered in time; a person had it asked once more, as ${supersededBy}.`
  if (denyReason !== null) return `A person denied the request: ${denyReason}`
  const message = failure === null ? MESSAGES[status] : FAILURE_CODES[failure]
  return result?.notKept ? `${message} Its output is no longer kept.` : message
}

/** With how many have approved it, and have to, while it waits for them. */
export async function viewWithApprovals(
  {
    approvals,
    storage,
  }: { readonly approvals: Pick<Approvals, 'find'>; readonly storage: Pick<Storage, 'read'> },
  execution: Execution,
): Promise<ExecutionView> {
  const view = viewOf(execution)
  if (view.status !== 'pending') return view
  const asked = await storage.read((tx) => approvals.find(tx, execution.requestId))
  if (asked === undefined) return view
  return { ...view, approvals_needed: asked.approvalsNeeded, approvals_given: asked.approvalsGiven }
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
    ...(execution.againOf === null ? {} : { again_of: execution.againOf }),
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
      ...(execution.supersededBy === null ? {} : { superseded_by: execution.supersededBy }),
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

const networkOf = (summary: EgressSummary): z.infer<typeof networkView> => ({
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
