import { type Consent, consentCode, openConsent } from '../approvals/consent/index.ts'
import {
  type AnswerDetails,
  type ApprovalKind,
  type CardModel,
  DECISIONS,
  type DecisionKind,
  describeTerms,
  type GrantTerms,
  isDecisionKind,
  programChoices,
  REMINDED_AT_ONCE,
  readGrantTerms,
} from '../approvals/index.ts'
import type { Trust } from '../approvals/trust/index.ts'
import { hostsOf } from '../egress/capabilities/index.ts'
import { agentRequester } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  isIpLiteral,
  isPublicAddress,
  oneLine,
  parseHostPattern,
  type ReadTx,
  type RequestId,
  type Tx,
} from '../kernel/index.ts'
import type { createAskAgain } from './ask-again.ts'
import { readEndedCode } from './code/index.ts'
import {
  approvalStateOf,
  type Execution,
  type ExecutionFacts,
  isFinal,
  isStoppable,
  WAITING_STATES,
} from './execution.ts'
import { describeDecision, executionOutcome } from './execution-outcome.ts'
import type { Ledger } from './ledger.ts'
import type { SkillRegistries } from './registry/index.ts'

export interface ExecutionAnswer {
  readonly decision: DecisionKind
  /** For the agent, of a denial: one visible line. */
  readonly denyReason: string | null
  /** Of a yes with limits. */
  readonly terms: GrantTerms | null
}

const isNotPublic = (text: string): boolean => {
  const pattern = parseHostPattern(text)
  return 'problem' in pattern || (isIpLiteral(pattern.host) && !isPublicAddress(pattern.host))
}

/** Of the words that an agent is told with a denial. */
const MAX_REASON_LENGTH = 500

/** The kind of approval that lets code run: bound to its consent, and a yes is a grant and the way to the run. */
export function createExecutionApproval(deps: {
  readonly ledger: Ledger
  readonly trust: Pick<Trust, 'grant' | 'takeBack' | 'closest'>
  readonly registries: Pick<SkillRegistries, 'accepted'>
  readonly clock: Clock
  readonly consentOf: (execution: Execution) => Consent
  readonly cardOf: (tx: ReadTx, execution: Execution) => Promise<CardModel>
  readonly codeOf: (tx: ReadTx, execution: Execution) => Promise<string>
  readonly missingOf: (tx: ReadTx, consent: Consent) => Promise<readonly string[]>
  /** From approved to the run, or to waiting for secrets. */
  readonly askAgain: ReturnType<typeof createAskAgain>
  readonly runOrAwaitSecrets: (tx: Tx, execution: Execution, consent: Consent) => Promise<Execution>
}): ApprovalKind<ExecutionFacts, ExecutionAnswer, Execution> {
  const { ledger, clock, consentOf } = deps
  const choices = (execution: Execution) => programChoices(consentOf(execution).args !== null)
  return {
    name: 'execution',
    idPrefix: 'req_',
    idOf: ({ requestId }) => requestId,
    requesterOf: ({ agentId }) => agentRequester(agentId),
    find: (tx, id) => tx.executions.byRequestId(id as RequestId),
    idsBeginning: (tx, text) => tx.executions.byPrefix(text),
    async list(tx, { which, requester, limit }) {
      if (requester?.kind === 'app') return []
      const statuses = which === 'waiting' ? { statuses: WAITING_STATES } : {}
      return await tx.executions.list({
        ...{ ...statuses, limit },
        ...(requester === undefined ? {} : { agentId: requester.id }),
      })
    },
    countWaiting: async (tx, { kind, id }, now) =>
      kind === 'agent' ? await tx.executions.countWaiting(id, now) : 0,
    overdue: (tx, now) => tx.executions.expiredBy(now),

    stateOf: ({ status }) => approvalStateOf(status),
    isWaiting: ({ status }) => status === 'pending' || status === 'awaiting_secrets',
    statusOf: ({ status }) => status,
    hasEnded: ({ status }) => isFinal(status),
    canStop: ({ status }) => isStoppable(status),
    failureOf: ({ failure }) => failure,
    contentHash: ({ consentHash }) => consentHash,
    async secretsOf(tx, { requestId }) {
      const { secrets } = consentOf(await ledger.read(tx, requestId))
      return secrets.map(({ name }) => name)
    },
    reachesHost: (execution) => hostsOf(consentOf(execution).network).some(isNotPublic),
    summary: ({ skillId }) => [{ name: oneLine(skillId, 128) }],

    choices,
    readAnswer(choice, details) {
      if (!isDecisionKind(choice)) return undefined
      const isLimited = isLimitedDecision(choice)
      return {
        decision: choice,
        denyReason: reasonOf(choice, isLimited ? { ...details, terms: null } : details),
        terms: isLimited ? readGrantTerms(details.terms, clock) : null,
      }
    },
    choiceOf: ({ decision }) => decision,
    auditOf: ({ requestId }) => ({ requestId, data: {} }),
    nameOf: ({ decision }) => decision,

    async settle(tx, execution, { decision, denyReason, terms }, by) {
      const verdict = DECISIONS[decision]
      if (isLimitedDecision(decision) !== (terms !== null))
        throw new AppError('invalid_request', 'Limits go with a yes that has some, and with no other.')
      const decided = { decision, decidedBy: by.actor, decidedByName: by.name, decidedAt: clock.now() }
      const note = (more: Record<string, string> = {}) =>
        ({
          event: 'approval.decided',
          actor: by.actor,
          data: { ...by.record, decision, ...more },
        }) as const
      if (!verdict.approves) {
        // After a yes, as while a secret is missing: whoever says no last has said no to what comes later too.
        if (execution.decision !== null) await deps.trust.takeBack(tx, execution, by.actor)
        const ended = { ...decided, denyReason, finishedAt: clock.now() }
        const why = denyReason === null ? {} : { reason: denyReason }
        return await ledger.transition(tx, execution, 'denied', ended, note(why))
      }
      const consent = consentOf(execution)
      await deps.trust.grant(tx, {
        sealed: { consent, json: execution.consentJson, hash: execution.consentHash },
        level: verdict.level,
        anyArgs: verdict.anyArgs,
        terms,
        requestId: execution.requestId,
        actor: by.actor,
      })
      const { source } = consent
      if (source?.relation === 'signed') await deps.registries.accepted(tx, source, by.actor)
      const approved = await ledger.transition(tx, execution, 'approved', decided, note())
      return await deps.runOrAwaitSecrets(tx, approved, consent)
    },

    async end(tx, execution, { to, by, why }) {
      if (to !== 'expired' && to !== 'cancelled')
        throw new AppError('conflict', `Nobody else can answer: ${to}.`)
      const finishedAt = clock.now()
      return await ledger.transition(
        tx,
        execution,
        to,
        // Who takes it back need not be woken to read that.
        to === 'cancelled' ? { finishedAt, seenAt: finishedAt } : { finishedAt },
        {
          event: `execution.${to}`,
          actor: by?.actor ?? 'daemon',
          data: { was: execution.status, ...(why === undefined ? {} : { why }) },
        },
      )
    },

    followUp: {
      of: ({ remindedAt, againOf, supersededBy }) => ({ remindedAt, againOf, supersededBy }),
      unreminded: (tx, span) => tx.executions.unreminded(span, REMINDED_AT_ONCE),
      // `again` has written to other rows only.
      write: (tx, execution, change) => tx.executions.update({ ...execution, ...change }),
      again: deps.askAgain,
    },

    card: async (tx, execution) => ({
      form: 'program',
      model: await deps.cardOf(tx, execution),
      exactCode: isFinal(execution.status) ? null : await deps.codeOf(tx, execution),
      choices: choices(execution),
    }),
    outcome: executionOutcome,
    async awaited(tx, execution) {
      if (execution.status !== 'awaiting_secrets') return null
      const missing = await deps.missingOf(tx, consentOf(execution))
      return `It is approved and waits for ${missing.join(', ')}: oauth3 secret add ${missing[0] ?? 'NAME'}`
    },
    async compared(tx, execution) {
      const asked = consentOf(execution)
      const grant = await deps.trust.closest(tx, asked)
      if (grant === undefined) return []
      const given = openConsent(grant.consentJson, grant.consentHash)
      const code =
        given.code.sha256 === asked.code.sha256 ? null : await readEndedCode(tx, consentCode(asked))
      return [
        ...(given.args === asked.args || grant.anyArgs
          ? []
          : [{ label: 'Args', before: given.args ?? '', now: asked.args ?? '' }]),
        ...(code === null
          ? []
          : [{ label: 'Code', before: await readEndedCode(tx, consentCode(given)), now: code }]),
      ]
    },
    acceptedText: ({ status }, { decision, terms }) =>
      `${describeDecision(decision)}${terms === null ? '' : `: ${describeTerms(terms)}`}` +
      (status === 'awaiting_secrets' ? '; a secret is missing' : ''),
    settledText: ({ status, decision, decidedByName }) =>
      decision === null
        ? `Already ${status}.`
        : `Already decided by ${decidedByName}: ${describeDecision(decision)}`,
  }
}

const isLimitedDecision = (decision: DecisionKind): boolean => {
  const verdict = DECISIONS[decision]
  return verdict.approves && verdict.level === 'limited'
}

function reasonOf(decision: DecisionKind, { reason, terms }: AnswerDetails): string | null {
  if (terms !== null)
    throw new AppError(
      'invalid_request',
      'Models, paths and limits are for providers; of a program, uses and until go with the choice limited.',
    )
  if (reason === null) return null
  if (decision !== 'deny') throw new AppError('invalid_request', 'A reason goes with a denial.')
  return oneLine(reason, MAX_REASON_LENGTH)
}
