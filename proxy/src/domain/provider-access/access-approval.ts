import { AppError, oneLine } from '../../kernel/index.ts'
import type { ApprovalKind, Decider } from '../approvals/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Providers } from '../providers/index.ts'
import { acceptedText, answerOfChoice } from './access-choices.ts'
import { accessLines, accessOutcomeLines } from './access-lines.ts'
import type { Asks } from './asks.ts'
import { askHash } from './content-hash.ts'
import { groupsOfAsk } from './groups.ts'
import { NO_LIMITS, withLimits } from './limits.ts'
import { isPlainModel, readModels, readPaths } from './patterns.ts'
import type {
  AccessAnswer,
  AccessCard,
  ProviderAccessRepository,
  ProviderAsk,
  ProviderGrant,
} from './ports.ts'

const LASTS_MS: Record<Exclude<AccessAnswer['decision'], 'deny'>, number | null> = {
  '1h': 3_600_000,
  '24h': 24 * 3_600_000,
  always: null,
}

/** The kind of approval that lets an agent use a provider: bound to what is asked and to where the provider is. */
export function createAccessApproval(deps: {
  readonly asks: Pick<Asks, 'find' | 'settle'>
  readonly repository: Pick<ProviderAccessRepository, 'countPending'>
  readonly providers: Pick<Providers, 'find'>
  readonly audit: AuditLog
  readonly cardOf: (ask: ProviderAsk) => AccessCard
  readonly agentName: (ask: ProviderAsk) => string
  /** What stands by now for what was asked. */
  readonly grantFor: (ask: ProviderAsk) => ProviderGrant | undefined
  readonly insertGrant: (
    input: Pick<ProviderGrant, 'agentId' | 'provider' | 'groups' | 'models' | 'paths' | 'limits'> & {
      readonly forMs: number | null
      readonly keepLimits: Partial<ProviderGrant['limits']> | null
      readonly actor: string
      readonly ask: string | null
    },
  ) => ProviderGrant
  /** What waits for the very thing that was just granted need not be asked any more. */
  readonly settleCovered: (grant: ProviderGrant, by: Decider) => void
}): ApprovalKind<ProviderAsk, AccessAnswer> {
  const { asks, audit } = deps
  const about = ({ id, agentId, provider }: ProviderAsk) => ({ ask: id, agent_id: agentId, provider })
  return {
    idPrefix: 'ask_',
    find: asks.find,
    contentHash: (ask) => askHash(ask, deps.providers),
    readAnswer: answerOfChoice,
    whyNotOffered: (ask, answer) =>
      isForItsModel(answer) && (ask.model === null || !isPlainModel(ask.model))
        ? 'This ask names no model that could be granted by its name.'
        : null,
    countWaiting: (agentId, now) => deps.repository.countPending(agentId, now),
    isPending,
    isOpenTo: isPending,
    hasExpired: ({ status }) => status === 'expired',
    expire: (ask) => asks.settle(ask, 'expired', null),
    auditOf: (ask) => ({ requestId: null, data: about(ask) }),
    nameOf: ({ decision }) => decision,
    card(ask) {
      const card = deps.cardOf(ask)
      return { form: 'lines', lines: accessLines(card), choices: card.choices }
    },
    outcomeLines: (ask) => accessOutcomeLines(ask, deps.agentName(ask), deps.grantFor(ask)),

    settle(ask, answer, by) {
      const { decision, scope } = answer
      if (decision === 'deny') {
        audit.append('provider.decided', by.actor, null, { ...about(ask), decision })
        return asks.settle(ask, 'denied', by)
      }
      if (!Object.hasOwn(LASTS_MS, decision))
        throw new AppError('invalid_request', 'An answer is 1h, 24h, always or deny.')
      const covered = scopeOf(ask, answer)
      withLimits(NO_LIMITS, answer.limits ?? {})
      audit.append('provider.decided', by.actor, null, { ...about(ask), decision, scope })
      const grant = deps.insertGrant({
        ...covered,
        agentId: ask.agentId,
        provider: ask.provider,
        limits: NO_LIMITS,
        keepLimits: answer.limits ?? {},
        forMs: LASTS_MS[decision],
        actor: by.actor,
        ask: ask.id,
      })
      const settled = asks.settle(ask, 'granted', by)
      deps.settleCovered(grant, by)
      return settled
    },

    acceptedText: (_ask, answer) => acceptedText(answer),
    settledText: ({ status, decidedBy, decidedByName }) =>
      oneLine(`Already ${status} by ${decidedByName ?? decidedBy ?? 'somebody'}.`, 200),
  }
}

const isPending = ({ status }: ProviderAsk): boolean => status === 'pending'
const isForItsModel = ({ scope, models }: AccessAnswer): boolean => scope === 'model' && models === undefined

/** What the answer grants. Throws before anything is written. */
function scopeOf(ask: ProviderAsk, answer: AccessAnswer): Pick<ProviderGrant, 'groups' | 'models' | 'paths'> {
  const named = isForItsModel(answer) && ask.model !== null ? [ask.model] : null
  return {
    groups: groupsOfAsk(ask.group),
    models: readModels(answer.models ?? named),
    paths: readPaths(answer.paths ?? null),
  }
}
