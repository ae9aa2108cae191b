import type { Clock, RequestId } from '../../kernel/index.ts'
import {
  type ApprovalKind,
  type CardModel,
  DECISIONS,
  type DecisionKind,
  isDecisionKind,
} from '../approvals/index.ts'
import type { Consent } from '../consent/index.ts'
import type { Trust } from '../trust/index.ts'
import type { Execution, ExecutionRepository } from './execution.ts'
import type { Ledger } from './ledger.ts'

export interface ExecutionAnswer {
  readonly decision: DecisionKind
  /** For the agent, of a denial: one visible line. */
  readonly denyReason: string | null
}

/** A decision in words, as on the card and in the answer to whoever took it. */
export const describeDecision = (decision: DecisionKind): string => DESCRIPTIONS[decision]

const DESCRIPTIONS: Record<DecisionKind, string> = {
  once: 'Approved once',
  deny: 'Denied',
  trust24h: 'Trusted for 24 h',
  forever: 'Always trusted',
  trust24h_any: 'Trusted for 24 h with any args',
  forever_any: 'Always trusted with any args',
}

/** The kind of approval that lets code run: bound to its consent, and a yes is a grant and the way to the run. */
export function createExecutionApproval(deps: {
  readonly repository: Pick<ExecutionRepository, 'byRequestId' | 'countWaiting'>
  readonly ledger: Ledger
  readonly trust: Pick<Trust, 'grant'>
  readonly clock: Clock
  readonly consentOf: (execution: Execution) => Consent
  readonly cardOf: (execution: Execution) => CardModel
  readonly codeOf: (execution: Execution) => string
  readonly expire: (execution: Execution) => Execution
  /** From approved to the run, or to waiting for secrets. */
  readonly runOrAwaitSecrets: (execution: Execution, consent: Consent) => Execution
}): ApprovalKind<Execution, ExecutionAnswer> {
  const { ledger, clock, consentOf } = deps
  return {
    idPrefix: 'req_',
    find: (id) => deps.repository.byRequestId(id as RequestId),
    contentHash: ({ consentHash }) => consentHash,
    readAnswer: (choice) => (isDecisionKind(choice) ? { decision: choice, denyReason: null } : undefined),
    // "Any args" is offered where a person saw args; without any it would allow what nobody was shown.
    whyNotOffered(execution, { decision }) {
      const verdict = DECISIONS[decision]
      return verdict.approves && verdict.anyArgs && consentOf(execution).args === null
        ? 'The request has no args to approve others of.'
        : null
    },
    countWaiting: (agentId, now) => deps.repository.countWaiting(agentId, now),
    isPending: ({ status }) => status === 'pending',
    isOpenTo: ({ status }, { decision }) =>
      status === 'pending' || (status === 'awaiting_secrets' && !DECISIONS[decision].approves),
    hasExpired: ({ status }) => status === 'expired',
    expire: deps.expire,
    auditOf: ({ requestId }) => ({ requestId, data: {} }),
    nameOf: ({ decision }) => decision,
    card: (execution) => ({
      form: 'program',
      model: deps.cardOf(execution),
      exactCode: deps.codeOf(execution),
    }),
    outcomeLines: ({ skillId, status }) => [[{ name: skillId }, `: ${status}`]],

    settle(execution, { decision, denyReason }, by) {
      const verdict = DECISIONS[decision]
      const decided = { decision, decidedBy: by.actor, decidedByName: by.name, decidedAt: clock.now() }
      const note = (more: Record<string, string> = {}) =>
        ({
          event: 'approval.decided',
          actor: by.actor,
          data: { decision, consent_hash: execution.consentHash, ...more },
        }) as const
      if (!verdict.approves) {
        const ended = { ...decided, denyReason, finishedAt: clock.now() }
        return ledger.move(
          execution,
          'denied',
          ended,
          note(denyReason === null ? {} : { reason: denyReason }),
        )
      }
      const consent = consentOf(execution)
      deps.trust.grant({
        sealed: { consent, json: execution.consentJson, hash: execution.consentHash },
        level: verdict.level,
        anyArgs: verdict.anyArgs,
        requestId: execution.requestId,
        actor: by.actor,
      })
      return deps.runOrAwaitSecrets(ledger.move(execution, 'approved', decided, note()), consent)
    },

    acceptedText: ({ status }, { decision }) =>
      `${describeDecision(decision)}${status === 'awaiting_secrets' ? '; a secret is missing' : ''}`,
    settledText: ({ status, decision, decidedByName }) =>
      decision === null
        ? `Already ${status}.`
        : `Already decided by ${decidedByName}: ${describeDecision(decision)}`,
  }
}
