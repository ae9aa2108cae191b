import { type AgentId, AppError, type Clock, type EventPublisher, type UnixMs } from '../../kernel/index.ts'
import type { Agents } from '../agents/index.ts'
import type { Approvals, ClockGuard, DecisionOutcome } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { Providers } from '../providers/index.ts'
import type { FreeSpace } from '../retention/index.ts'
import { createAccessApproval } from './access-approval.ts'
import { DENIED_MINUTES } from './access-lines.ts'
import { createActiveGrants } from './active-grants.ts'
import { type Asks, createAsks } from './asks.ts'
import { accessCard } from './card.ts'
import { askHash } from './content-hash.ts'
import { readGroups } from './groups.ts'
import { NO_LIMITS, strictest, withLimits } from './limits.ts'
import { readModels, readPaths, scopeCovers, scopeIncludes } from './patterns.ts'
import type {
  AccessCard,
  AccessEvent,
  ProviderAccess,
  ProviderAccessRepository,
  ProviderAsk,
  ProviderGrant,
} from './ports.ts'

const DENIED_MS = DENIED_MINUTES * 60_000

/** Ten years: more is meant to be for ever. */
const MAX_FOR_MS = 10 * 366 * 24 * 3_600_000

const anyGrant = (): boolean => true
const limitsSpending = ({ limits }: ProviderGrant): boolean =>
  limits.tokensPerDay !== null || limits.microUsdPerDay !== null

interface ProviderAccessDeps {
  readonly repository: ProviderAccessRepository
  readonly providers: Pick<Providers, 'find'>
  readonly agents: Pick<Agents, 'byId'>
  readonly approvals: Approvals
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  readonly events: EventPublisher<AccessEvent>
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  /** How many keys of the provider there are, for the card; left out: it is not said. */
  readonly keyCount?: (provider: string) => number
}

/**
 * Who may use which provider. A request is evaluated from memory; what nobody has granted becomes an ask to the owner,
 * whose answer is good once.
 */
export function createProviderAccess(deps: ProviderAccessDeps): ProviderAccess {
  const { repository, providers, agents, audit, transactor, clock, clockGuard, events } = deps
  const activeGrants = createActiveGrants(deps)
  const asks: Asks = createAsks({ ...deps, onDenied: () => activeGrants.touch() })

  const grantFacts = (grant: Omit<ProviderGrant, 'id'>) => ({
    agent_id: grant.agentId,
    provider: grant.provider,
    groups: grant.groups,
    models: grant.models,
    paths: grant.paths,
    limits: {
      requests_per_minute: grant.limits.requestsPerMinute,
      tokens_per_day: grant.limits.tokensPerDay,
      micro_usd_per_day: grant.limits.microUsdPerDay,
    },
    expires_at: grant.expiresAt,
  })

  /** What waits for the very thing that was just granted need not be asked any more. */
  const settleCovered = (grant: ProviderGrant, by: { actor: string; name: string | null }): void => {
    for (const ask of asks.waiting(grant.agentId)) {
      if (ask.provider === grant.provider && scopeCovers(grant, ask)) asks.settle(ask, 'granted', by)
    }
  }

  const insert = (
    input: Pick<ProviderGrant, 'agentId' | 'provider' | 'groups' | 'models' | 'paths' | 'limits'> & {
      readonly forMs: number | null
      /** Where the answer named none, limits stay: of what is replaced, and of what else the agent may do there. */
      readonly keepLimits: Partial<ProviderGrant['limits']> | null
      readonly actor: string
      readonly ask: string | null
    },
  ): ProviderGrant => {
    const now = clock.now()
    clockGuard.vouch(now)
    const before = activeGrants.of(input.agentId, input.provider)
    const replaced = before.filter((older) => scopeIncludes(input, older))
    const kept = input.keepLimits ? strictest(before.map((older) => older.limits)) : NO_LIMITS
    const limits = input.keepLimits ? withLimits(kept, input.keepLimits) : withLimits(NO_LIMITS, input.limits)
    for (const { id, agentId, provider } of replaced) {
      repository.endGrant(id, now, 'replaced')
      audit.append('provider.ended', input.actor, null, {
        grant: id,
        agent_id: agentId,
        provider,
        why: 'replaced',
      })
    }
    const grant = repository.insertGrant({
      agentId: input.agentId,
      provider: input.provider,
      groups: input.groups,
      models: input.models,
      paths: input.paths,
      limits,
      grantedBy: input.actor,
      grantedAt: now,
      expiresAt: input.forMs === null ? null : now + input.forMs,
      endedAt: null,
      endedWhy: null,
    })
    activeGrants.touch()
    audit.append('provider.granted', input.actor, null, {
      grant: grant.id,
      ask: input.ask,
      ...grantFacts(grant),
    })
    return grant
  }

  const existing = (id: number): ProviderGrant => {
    const grant = repository.activeGrants().find((candidate) => candidate.id === id)
    if (!grant) throw new AppError('not_found', `No standing grant ${id} for a provider.`)
    return grant
  }

  const deniedFor = (agentId: AgentId, provider: string, now: UnixMs): number => {
    const at = activeGrants.deniedAt(agentId, provider)
    return at === undefined || now < at ? 0 : Math.max(0, at + DENIED_MS - now)
  }

  const agentName = ({ agentId }: ProviderAsk): string => agents.byId(agentId)?.name ?? agentId
  const cardOf = (ask: ProviderAsk): AccessCard =>
    accessCard({
      ask,
      agent: agentName(ask),
      provider: providers.find(ask.provider),
      activeGrants: activeGrants.of(ask.agentId, ask.provider),
      keys: deps.keyCount?.(ask.provider),
    })
  const decisions = deps.approvals.register(
    createAccessApproval({
      ...deps,
      ...{ asks, cardOf, agentName, settleCovered },
      grantFor: (ask) => activeGrants.covering(ask),
      insertGrant: insert,
    }),
  )

  return {
    get revision() {
      return activeGrants.revision
    },

    evaluate(use) {
      const grant = activeGrants.covering(use)
      if (grant) return { verdict: 'granted', grant }
      const deniedMs = deniedFor(use.agentId, use.provider, clock.now())
      return deniedMs > 0
        ? { verdict: 'denied', retryAfterSeconds: Math.ceil(deniedMs / 1_000) }
        : { verdict: 'ask' }
    },

    holdsGrant: (agentId, provider) => activeGrants.some(agentId, provider ?? undefined, anyGrant),
    limitsSpending: (agentId, provider) => activeGrants.some(agentId, provider ?? undefined, limitsSpending),
    ask: (use) => asks.ask(use),
    find: (askId) => asks.find(askId),
    resolve: (idOrBeginning) => asks.resolve(idOrBeginning),
    pending: () => asks.pending(),

    async wait(askId, ms, signal) {
      await asks.wait(askId, ms, signal)
      return asks.present(askId)
    },

    card(askId) {
      const ask = asks.find(askId)
      return ask && cardOf(ask)
    },

    contentHash: (ask) => askHash(ask, providers),

    decide(askId, shownHash, answer, by) {
      const outcome = decisions.decide(askId, shownHash, answer, by)
      if (outcome.accepted) return outcome.subject
      throw new AppError('refused', refusalText(outcome), {
        details: { reason: outcome.reason, status: outcome.subject.status },
      })
    },

    grant(input, actor) {
      return transactor.transact(() => {
        const agent = agents.byId(input.agentId)
        if (!agent || agent.revokedAt !== null) throw new AppError('not_found', 'No such agent.')
        if (providers.find(input.provider) === undefined) throw new AppError('not_found', 'No such provider.')
        if (input.forMs !== null && !(input.forMs >= 1_000 && input.forMs <= MAX_FOR_MS)) {
          throw new AppError('invalid_request', 'A grant stands for a second to ten years, or for ever.')
        }
        const grant = insert({
          ...input,
          groups: readGroups(input.groups ?? ['inference']),
          models: readModels(input.models),
          paths: readPaths(input.paths),
          forMs: input.forMs === null ? null : Math.trunc(input.forMs),
          keepLimits: null,
          actor,
          ask: null,
        })
        settleCovered(grant, { actor, name: null })
        return grant
      })
    },

    grants: () => activeGrants.all(),

    limit(id, change, actor) {
      return transactor.transact(() => {
        const before = existing(id)
        const after: ProviderGrant = {
          ...before,
          groups: change.groups === undefined ? before.groups : readGroups(change.groups),
          models: change.models === undefined ? before.models : readModels(change.models),
          paths: change.paths === undefined ? before.paths : readPaths(change.paths),
          limits: withLimits(before.limits, change.limits ?? {}),
        }
        repository.setGrant(id, after)
        activeGrants.touch()
        audit.append('provider.changed_grant', actor, null, { grant: id, ...grantFacts(after) })
        settleCovered(after, { actor, name: null })
        return after
      })
    },

    revoke(id, actor) {
      return transactor.transact(() => {
        const grant = existing(id)
        endByPerson(grant, actor)
        return grant
      })
    },

    agentRevoked(agentId, actor) {
      for (const grant of repository.activeGrants()) if (grant.agentId === agentId) endByPerson(grant, actor)
      for (const ask of asks.waiting(agentId)) asks.settle(ask, 'expired', { actor, name: null })
    },

    providerRemoved(name, actor) {
      for (const grant of repository.activeGrants()) if (grant.provider === name) endByPerson(grant, actor)
      for (const ask of asks.waitingFor(name)) asks.settle(ask, 'expired', { actor, name: null })
    },

    limitPassed(grant, limit) {
      transactor.transact(() => {
        const { id, agentId, provider } = grant
        audit.append('provider.limit_passed', `agent:${agentId}`, null, { grant: id, provider, limit })
        events.publish({ type: 'access.limit_passed', grant, limit })
      })
    },

    tick() {
      activeGrants.tick()
      asks.tick()
    },
  }

  function endByPerson(grant: ProviderGrant, actor: string): void {
    repository.endGrant(grant.id, clock.now(), 'revoked')
    activeGrants.touch()
    const { id, agentId, provider } = grant
    audit.append('provider.revoked', actor, null, { grant: id, agent_id: agentId, provider })
  }
}

/** For the owner at a terminal. */
function refusalText({ reason, subject, message }: Refused): string {
  if (reason === 'expired') return 'This ask has expired; nothing was decided.'
  if (reason === 'other_consent') return 'The ask is by now another than was shown; look at it again.'
  return reason === 'not_offered' ? message : `This ask was ${subject.status} already.`
}

type Refused = Extract<DecisionOutcome<ProviderAsk>, { accepted: false }>
