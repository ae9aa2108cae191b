import { z } from 'zod'
import {
  type AnswerDetails,
  type ApprovalChoice,
  type ApprovalChoices,
  type ApprovalKind,
  type Decider,
  isOver,
  REMINDED_AT_ONCE,
  readUntil,
} from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import { type Actor, agentRequester } from '../../identity/index.ts'
import { AppError, type Clock, oneLine, type Tx, type UnixMs } from '../../kernel/index.ts'
import type { Providers } from '../providers/index.ts'
import { acceptedText, answerOfChoice, choiceOfAnswer } from './access-choices.ts'
import { accessLines, accessOutcomeLines } from './access-lines.ts'
import type { Asks } from './asks.ts'
import { allAccessChoices } from './card.ts'
import { askHash } from './content-hash.ts'
import { groupsOfAsk } from './groups.ts'
import { limitsFrom, NO_LIMITS, withLimits } from './limits.ts'
import { readModels, readPaths } from './patterns.ts'
import type { AccessAnswer, AccessCard, ProviderAsk, ProviderGrant } from './ports.ts'

const LASTS_MS: Record<Exclude<AccessAnswer['decision'], 'deny' | 'until'>, number | null> = {
  '1h': 3_600_000,
  '24h': 24 * 3_600_000,
  always: null,
}
const HOLDS = { '1h': '1h', '24h': '24h', until: 'limited', always: 'forever', deny: null } as const
/** What may be given in place of what was asked. */
const TERM_NAMES = ['models', 'paths', 'limits'] as const

/** The kind of approval that lets an agent use a provider: bound to what is asked and to where the provider is. */
export function createAccessApproval(deps: {
  readonly asks: Pick<Asks, 'write' | 'waiting' | 'again'>
  readonly providers: Pick<Providers, 'find'>
  readonly audit: AuditLog
  readonly clock: Clock
  readonly cardOf: (ask: ProviderAsk) => AccessCard
  readonly agentName: (ask: ProviderAsk) => string
  /** What stands by now for what was asked. */
  readonly grantFor: (ask: ProviderAsk) => ProviderGrant | undefined
  readonly insertGrant: (
    tx: Tx,
    input: Pick<ProviderGrant, 'agentId' | 'provider' | 'groups' | 'models' | 'paths' | 'limits'> & {
      readonly forMs: number | null
      readonly keepLimits: Partial<ProviderGrant['limits']> | null
      readonly actor: Actor
      readonly ask: string | null
    },
  ) => Promise<ProviderGrant>
  /** What waits for the very thing that was just granted need not be asked any more. */
  readonly settleCovered: (tx: Tx, grant: ProviderGrant, by: Decider) => Promise<void>
}): ApprovalKind<ProviderAsk, AccessAnswer> {
  const { asks, audit } = deps
  const about = ({ id, agentId, provider }: ProviderAsk) => ({ ask: id, agent_id: agentId, provider })
  const choices = (ask: ProviderAsk): ApprovalChoices =>
    allAccessChoices(ask).map((row) =>
      row.map(({ choice, label, decision, scope, limit }) => {
        const named = limit ?? (scope === 'model' ? scope : undefined)
        return {
          ...{ choice, label, holds: HOLDS[decision] },
          gives: scope === 'model' && ask.model !== null ? oneLine(ask.model, 128) : 'every model',
          ...(named === undefined ? {} : { scope: named }),
          ...(decision === 'deny' ? {} : { terms: termsOf(decision) }),
        }
      }),
    )
  return {
    name: 'provider_access',
    idPrefix: 'ask_',
    idOf: ({ id }) => id,
    requesterOf: ({ agentId }) => agentRequester(agentId),
    find: (tx, id) => tx.providerAccess.askById(id),
    idsBeginning: async (tx, text) => (await tx.providerAccess.asksByPrefix(text)).map(({ id }) => id),
    async list(tx, { which, requester, limit }) {
      if (requester?.kind === 'app') return []
      const agentId = requester?.id ?? null
      const waiting = await tx.providerAccess.pendingAsks(agentId, limit)
      return which === 'waiting'
        ? waiting
        : [...waiting, ...(await tx.providerAccess.settledAsks(agentId, limit))]
    },
    countWaiting: async (tx, { kind, id }, now) =>
      kind === 'agent' ? await tx.providerAccess.countPending(id, now) : 0,
    overdue: async (tx, now) => (await asks.waiting(tx, null)).filter((ask) => isOver(ask, now)),

    stateOf: ({ status }) => status,
    isWaiting: ({ status }) => status === 'pending',
    statusOf: wireStatus,
    hasEnded: ({ status }) => status !== 'pending',
    contentHash: (ask) => askHash(ask, deps.providers),
    summary: ({ provider, group, model }) => [
      'provider ',
      { name: oneLine(provider, 64) },
      ', ',
      model === null ? 'no model named' : { name: oneLine(model, 64) },
      `, ${group}`,
    ],

    choices,
    readAnswer: (choice, details) => readAnswer(choice, details, deps.clock.now()),
    choiceOf: choiceOfAnswer,
    auditOf: (ask) => ({ requestId: null, data: about(ask) }),
    nameOf: ({ decision }) => decision,

    assertGivable(ask, answer) {
      scopeOf(ask, answer)
      withLimits(NO_LIMITS, answer.limits ?? {})
    },
    async settle(tx, ask, answer, by) {
      const { decision, scope } = answer
      if (decision === 'deny') {
        await audit.append(tx, 'provider.decided', by.actor, null, { ...by.record, ...about(ask), decision })
        return await asks.write(tx, ask, 'denied', by)
      }
      if (decision !== 'until' && !Object.hasOwn(LASTS_MS, decision))
        throw new AppError('invalid_request', 'An answer is 1h, 24h, until, always or deny.')
      const forMs =
        decision === 'until'
          ? readUntil(answer.until, deps.clock.now()) - deps.clock.now()
          : LASTS_MS[decision]
      const covered = scopeOf(ask, answer)
      await audit.append(tx, 'provider.decided', by.actor, null, {
        ...by.record,
        ...about(ask),
        decision,
        scope,
      })
      const grant = await deps.insertGrant(tx, {
        ...covered,
        agentId: ask.agentId,
        provider: ask.provider,
        limits: NO_LIMITS,
        keepLimits: answer.limits ?? {},
        forMs,
        actor: by.actor,
        ask: ask.id,
      })
      const settled = await asks.write(tx, ask, 'approved', by)
      await deps.settleCovered(tx, grant, by)
      return settled
    },

    end: (tx, ask, { to, by }) => asks.write(tx, ask, to, by),

    followUp: {
      of: ({ remindedAt, againOf, supersededBy }) => ({ remindedAt, againOf, supersededBy }),
      unreminded: (tx, span) => tx.providerAccess.unreminded(span, REMINDED_AT_ONCE),
      write: (
        tx,
        ask,
        { remindedAt = ask.remindedAt, againOf = ask.againOf, supersededBy = ask.supersededBy },
      ) => tx.providerAccess.followUpAsk(ask.id, { remindedAt, againOf, supersededBy }),
      again: asks.again,
    },

    async card(_tx, ask) {
      const card = deps.cardOf(ask)
      const question = `Let ${card.agent} use ${card.provider} for ${ask.group}`
      return { form: 'lines', lines: accessLines(card), choices: choices(ask), question }
    },
    outcome(ask) {
      const { status, decidedBy, decidedByName, decidedAt } = ask
      return {
        lines: accessOutcomeLines(ask, deps.agentName(ask), deps.grantFor(ask)),
        ...(status === 'approved' ? { tone: 'good' } : {}),
        ...(decidedBy === null || decidedAt === null
          ? {}
          : { decided: { answer: wireStatus(ask), by: decidedByName ?? decidedBy, at: decidedAt } }),
      }
    },
    acceptedText: (_ask, answer) => acceptedText(answer),
    settledText: ({ decidedBy, decidedByName, ...ask }) =>
      oneLine(`Already ${wireStatus(ask)} by ${decidedByName ?? decidedBy ?? 'somebody'}.`, 200),
  }
}

/** As versions before and the table name it. */
export const wireStatus = ({ status }: Pick<ProviderAsk, 'status'>): WireStatus =>
  status === 'approved' ? 'granted' : status === 'cancelled' ? 'expired' : status

type WireStatus = 'pending' | 'granted' | 'denied' | 'expired'

const limit = z.int().min(1).nullable().optional()
const termsOf = (decision: Exclude<AccessAnswer['decision'], 'deny'>): ApprovalChoice['terms'] & object =>
  decision === 'until' ? { names: ['until', ...TERM_NAMES], areNeeded: true } : { names: TERM_NAMES }

const TERMS = z.strictObject({
  until: z.unknown().optional(),
  models: z.array(z.string()).min(1).optional(),
  paths: z.array(z.string()).min(1).optional(),
  limits: z
    .strictObject({
      requests_per_minute: limit,
      tokens_per_day: limit,
      micro_usd_per_day: limit,
      requests: limit,
    })
    .optional(),
})

function readAnswer(choice: string, { reason, terms }: AnswerDetails, now: UnixMs): AccessAnswer | undefined {
  const answer = answerOfChoice(choice)
  if (answer === undefined) return undefined
  if (reason !== null) throw new AppError('invalid_request', 'A denial of this takes no reason.')
  if (terms === null && answer.decision !== 'until') return answer
  if (answer.decision === 'deny') throw new AppError('invalid_request', 'Terms go with a yes.')
  const read = TERMS.safeParse(terms ?? {})
  if (!read.success) throw new AppError('invalid_request', 'The terms are models, paths, limits and until.')
  const { models, paths, until, limits = {} } = read.data
  if (models !== undefined && answer.scope === 'model')
    throw new AppError('invalid_request', 'Choose one of the model that was asked for and a list of models.')
  if (answer.decision !== 'until' && until !== undefined)
    throw new AppError('invalid_request', 'until goes with the choice until, and with no other.')
  const end = answer.decision === 'until' ? { until: readUntil(until, now) } : {}
  return { ...answer, ...end, models, paths, limits: { ...answer.limits, ...limitsFrom(limits) } }
}

/** What the answer grants. Throws before anything is written. */
function scopeOf(ask: ProviderAsk, answer: AccessAnswer): Pick<ProviderGrant, 'groups' | 'models' | 'paths'> {
  const named = answer.scope === 'model' && ask.model !== null ? [ask.model] : null
  return {
    groups: groupsOfAsk(ask.group),
    models: readModels(answer.models ?? named),
    paths: readPaths(answer.paths ?? null),
  }
}
