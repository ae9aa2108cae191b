import type { RefusalReason } from '../../approvals/index.ts'
import type { Trust } from '../../approvals/trust/index.ts'
import { MAX_REASON_CHARS } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import { type AgentId, AppError, oneLine, type ReadTx, type Storage } from '../../kernel/index.ts'
import { type Execution, type Executions, WAITING_STATES } from '../index.ts'
import { explainProgram } from './explain.ts'
import { viewCard, viewGrant, viewRequest, viewSummary } from './request-views.ts'

export interface RequestRoutesDeps {
  readonly executions: Executions
  readonly agents: Pick<Agents, 'byId'>
  readonly trust: Trust
  readonly storage: Pick<Storage, 'read'>
  readonly owner: Owner
}

const LIST_LIMIT = 200
const EXPLAIN_MS = 30_000

/** Requests to run code, and what runs without asking. */
export function requestRoutes({ executions, agents, trust, storage, owner }: RequestRoutesDeps) {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  const view = (execution: Execution) => storage.read((tx) => viewRequest(tx, executions, execution))
  return {
    async listRequests({ query }) {
      const rows = await storage.read((tx) =>
        query.all === '1' ? executions.list(tx, { limit: LIST_LIMIT }) : waitingRequests(tx, executions),
      )
      return { requests: rows.map((row) => viewSummary(row, nameOf(row.agentId))) }
    },
    async explain({ body }) {
      const { card, trusted } = await explainProgram(executions, body, AbortSignal.timeout(EXPLAIN_MS))
      return { card: viewCard(card), trusted }
    },
    readRequest: async ({ params }) => await view(await executions.resolve(params.id)),
    async decideRequest({ params, body: { decision, consent_hash, reason } }) {
      if (reason !== undefined && decision !== 'deny') {
        throw new AppError('invalid_request', 'A reason goes with a denial.')
      }
      const execution = await executions.resolve(params.id)
      if (decision.endsWith('_any') && executions.consentOf(execution).args === null) {
        throw new AppError('invalid_request', 'The request has no args, so there are none to allow any of.')
      }
      const words = reason === undefined ? null : oneLine(reason, MAX_REASON_CHARS)
      const outcome = await executions.decide(
        execution.requestId,
        consent_hash,
        decision,
        owner.principal,
        words,
      )
      if (!outcome.accepted) {
        throw new AppError('refused', refusalText(outcome), {
          details: { reason: outcome.reason, status: outcome.subject.status },
        })
      }
      return await view(outcome.subject)
    },

    stopRequest: async ({ params }) => await view(await executions.stopAndWait(owner.principal, params.id)),

    async listTrust({ query }) {
      const which = query.all === '1' ? 'newest' : 'standing'
      return { grants: (await storage.read((tx) => trust.list(tx, which))).map(viewGrant) }
    },
    async readTrust({ params, query: { limit, before } }) {
      const { grant, runs } = await storage.read(async (tx) => ({
        grant: await trust.read(tx, params.id),
        runs: await executions.ofGrant(tx, params.id, { limit, before }),
      }))
      return {
        ...viewGrant(grant),
        runs: runs.map((run) => ({
          ...viewSummary(run, nameOf(run.agentId)),
          ...{ finished_at: run.finishedAt, duration_ms: run.durationMs },
        })),
        next: runs.length < limit ? null : (runs.at(-1)?.rowId ?? null),
      }
    },
    async revokeTrust({ params }) {
      const grant = await trust.revoke(params.id, owner.actor)
      const running = await storage.read((tx) => executions.runningBy(tx, grant))
      return { ...viewGrant(grant), running: running.map(({ requestId }) => requestId) }
    },
  } satisfies Partial<AdminHandlers>
}

const waitingRequests = (tx: ReadTx, executions: Pick<Executions, 'list'>) =>
  executions.list(tx, { statuses: WAITING_STATES, limit: LIST_LIMIT })

function refusalText({
  reason,
  message,
  subject,
}: {
  reason: RefusalReason
  message: string
  subject: Execution
}): string {
  if (reason === 'not_permitted') return 'You may not decide this request.'
  if (reason === 'expired') return 'The request has expired.'
  if (reason === 'not_offered') return 'The request has no args, so there are no other args to approve.'
  if (reason === 'other_consent')
    return 'The consent is not the one that was shown; look at the request again.'
  if (reason === 'already_decided')
    return `The request is not waiting for a decision: it is ${subject.status}.`
  return message
}
