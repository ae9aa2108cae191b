import { MAX_REASON_CHARS } from '../../contracts/admin/index.ts'
import type { Agents } from '../../domain/agents/index.ts'
import type { RefusalReason } from '../../domain/approvals/index.ts'
import { type Executions, WAITING_STATES } from '../../domain/executions/index.ts'
import type { Trust } from '../../domain/trust/index.ts'
import { type AgentId, AppError, oneLine } from '../../kernel/index.ts'
import { explainProgram } from './explain.ts'
import type { AdminHandlers, Owner } from './handlers.ts'
import { viewCard, viewGrant, viewRequest, viewSummary } from './views.ts'

export interface RequestRoutesDeps {
  readonly executions: Executions
  readonly agents: Pick<Agents, 'byId'>
  readonly trust: Trust
  readonly owner: Owner
}

const LIST_LIMIT = 200
const EXPLAIN_MS = 30_000

/** Requests to run code, and what runs without asking. */
export function requestRoutes({ executions, agents, trust, owner }: RequestRoutesDeps) {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  return {
    listRequests({ query }) {
      const rows = query.all === '1' ? executions.list({ limit: LIST_LIMIT }) : waitingRequests(executions)
      return { requests: rows.map((row) => viewSummary(row, nameOf(row.agentId))) }
    },
    async explain({ body }) {
      const { card, trusted } = await explainProgram(executions, body, AbortSignal.timeout(EXPLAIN_MS))
      return { card: viewCard(card), trusted }
    },
    readRequest: ({ params }) => viewRequest(executions, executions.resolve(params.id)),
    decideRequest({ params, body: { decision, consent_hash, reason } }) {
      if (reason !== undefined && decision !== 'deny') {
        throw new AppError('invalid_request', 'A reason goes with a denial.')
      }
      const execution = executions.resolve(params.id)
      if (decision.endsWith('_any') && executions.consentOf(execution).args === null) {
        throw new AppError('invalid_request', 'The request has no args, so there are none to allow any of.')
      }
      const approver = { via: 'cli', userId: owner.uid, name: owner.name } as const
      const words = reason === undefined ? null : oneLine(reason, MAX_REASON_CHARS)
      const outcome = executions.decide(execution.requestId, consent_hash, decision, approver, words)
      if (!outcome.accepted) {
        throw new AppError('refused', refusalText(outcome.reason, outcome.subject.status), {
          details: { reason: outcome.reason, status: outcome.subject.status },
        })
      }
      return viewRequest(executions, outcome.subject)
    },

    listTrust: () => ({ grants: trust.list().map(viewGrant) }),
    revokeTrust: ({ params }) => viewGrant(trust.revoke(params.id, owner.actor)),
  } satisfies Partial<AdminHandlers>
}

export const waitingRequests = (executions: Pick<Executions, 'list'>) =>
  executions.list({ statuses: WAITING_STATES, limit: LIST_LIMIT })

function refusalText(reason: RefusalReason, status: string): string {
  if (reason === 'expired') return 'The request has expired.'
  if (reason === 'not_offered') return 'The request has no args, so there are no other args to approve.'
  if (reason === 'other_consent')
    return 'The consent is not the one that was shown; look at the request again.'
  return `The request is not waiting for a decision: it is ${status}.`
}
