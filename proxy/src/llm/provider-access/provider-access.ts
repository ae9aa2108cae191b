import {
  type Approvals,
  type ClockGuard,
  type Decider,
  type DecisionOutcome,
  type KindApprovals,
  MAX_GRANT_MS,
} from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import type { Actor } from '../../identity/index.ts'
import { agentActor } from '../../identity/index.ts'
import {
  type AgentId,
  AppError,
  type Clock,
  type EventPublisher,
  type ReadTx,
  type Storage,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import type { FreeSpace } from '../../retention/index.ts'
import type { Providers } from '../providers/index.ts'
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
  AccessAnswer,
  AccessCard,
  AccessEvent,
  ProviderAccess,
  ProviderAsk,
  ProviderGrant,
} from './ports.ts'

const DENIED_MS = DENIED_MINUTES * 60_000

const anyGrant = (): boolean => true
const limitsSpending = ({ limits }: ProviderGrant): boolean =>
  limits.tokensPerDay !== null || limits.microUsdPerDay !== null

interface ProviderAccessDeps {
  readonly providers: Pick<Providers, 'find'>
  readonly agents: Pick<Agents, 'byId'>
  readonly approvals: Approvals
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  readonly events: EventPublisher<AccessEvent>
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  /** How many keys of the provider there are, for the card; left out: it is not said. */
  readonly keyCount?: (provider: string) => number
  /** Names of apps whose runs may go by a key of the provider that any agent may go by; left out: there are none. */
  readonly sharingApps?: (provider: string) => readonly string[]
}

/**
 * Who may use which provider. A request is evaluated from memory; what nobody has granted becomes an ask to the owner,
 * whose answer is good once.
 */
export function createProviderAccess(deps: ProviderAccessDeps): ProviderAccess {
  const { providers, agents, audit, storage, clock, clockGuard, events } = deps
  const activeGrants = createActiveGrants(deps)
  const asks: Asks = createAsks({
    ...deps,
    requests: () => requests,
    onDenied: activeGrants.refresh,
  })

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
      requests: grant.limits.requests,
    },
    expires_at: grant.expiresAt,
  })

  /** What waits for the very thing that was just granted need not be asked any more. */
  const settleCovered = async (tx: Tx, grant: ProviderGrant, by: Decider): Promise<void> => {
    for (const ask of await asks.waiting(tx, grant.agentId)) {
      if (ask.provider === grant.provider && scopeCovers(grant, ask))
        await requests.end(tx, ask, { to: 'approved', by })
    }
  }

  const insert = async (
    tx: Tx,
    input: Pick<ProviderGrant, 'agentId' | 'provider' | 'groups' | 'models' | 'paths' | 'limits'> & {
      readonly forMs: number | null
      /** Where the answer named none, limits stay: of what is replaced, and of what else the agent may do there. */
      readonly keepLimits: Partial<ProviderGrant['limits']> | null
      readonly actor: Actor
      readonly ask: string | null
    },
  ): Promise<ProviderGrant> => {
    const now = clock.now()
    await clockGuard.lowerWatermark(tx, now)
    const before = await activeGrants.withoutWatermark(tx, input.agentId, input.provider, now)
    const replaced = before.filter((older) => scopeIncludes(input, older))
    const kept = input.keepLimits
      ? { ...NO_LIMITS, ...strictest(before.map((older) => older.limits)) }
      : NO_LIMITS
    const limits = input.keepLimits ? withLimits(kept, input.keepLimits) : withLimits(NO_LIMITS, input.limits)
    for (const { id, agentId, provider } of replaced) {
      await tx.providerAccess.endGrant(id, now, 'replaced')
      await audit.append(tx, 'provider.ended', input.actor, null, {
        grant: id,
        agent_id: agentId,
        provider,
        why: 'replaced',
      })
    }
    const grant = await tx.providerAccess.insertGrant({
      agentId: input.agentId,
      provider: input.provider,
      groups: input.groups,
      models: input.models,
      paths: input.paths,
      limits,
      requestsUsed: 0,
      grantedBy: input.actor,
      grantedAt: now,
      expiresAt: input.forMs === null ? null : now + input.forMs,
      endedAt: null,
      endedWhy: null,
    })
    await activeGrants.refresh(tx)
    await audit.append(tx, 'provider.granted', input.actor, null, {
      grant: grant.id,
      ask: input.ask,
      ...grantFacts(grant),
    })
    return grant
  }

  const existing = async (tx: ReadTx, id: number): Promise<ProviderGrant> => {
    const grant = (await tx.providerAccess.activeGrants()).find((candidate) => candidate.id === id)
    if (!grant) throw new AppError('not_found', `No active grant ${id} for a provider.`)
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
      tags: agents.byId(ask.agentId)?.tags ?? [],
      provider: providers.find(ask.provider),
      activeGrants: activeGrants.of(ask.agentId, ask.provider),
      keys: deps.keyCount?.(ask.provider),
      sharingApps: deps.sharingApps?.(ask.provider) ?? [],
    })
  const requests: KindApprovals<ProviderAsk, AccessAnswer> = deps.approvals.register(
    createAccessApproval({
      ...deps,
      ...{ asks, cardOf, agentName, settleCovered },
      grantFor: (ask) => activeGrants.covering(ask),
      insertGrant: insert,
    }),
  )

  return {
    load: activeGrants.load,
    get revision() {
      return activeGrants.revision
    },

    evaluate(use, counted) {
      const grant = activeGrants.covering(use, counted)
      if (grant) return { verdict: 'granted', grant }
      const deniedMs = deniedFor(use.agentId, use.provider, clock.now())
      return deniedMs > 0
        ? { verdict: 'denied', retryAfterSeconds: Math.ceil(deniedMs / 1_000) }
        : { verdict: 'ask' }
    },

    async takeRequest(counted) {
      if (!activeGrants.take(counted)) return false
      try {
        return await storage.transaction(async (tx) => {
          for (const id of counted) if (!(await tx.providerAccess.takeRequest(id))) throw new NoneLeft()
          return true
        }, 'grouped')
      } catch (error) {
        // Whatever the disk says by then, memory stays at what it counted: rather one less than one twice.
        activeGrants.over(counted)
        if (error instanceof NoneLeft) return false
        throw error
      }
    },
    requestOver: activeGrants.over,

    holdsGrant: (agentId, provider) => activeGrants.some(agentId, provider ?? undefined, anyGrant),
    limitsSpending: (agentId, provider) => activeGrants.some(agentId, provider ?? undefined, limitsSpending),
    ask: asks.ask,
    find: asks.find,
    resolve: asks.resolve,
    pending: asks.pending,
    wait: asks.wait,

    async card(askId) {
      const ask = await asks.find(askId)
      return ask && cardOf(ask)
    },

    contentHash: (ask) => askHash(ask, providers),

    async decide(askId, shownHash, answer, by) {
      const outcome = await storage.transaction((tx) => requests.decide(tx, askId, shownHash, answer, by))
      if (outcome.accepted) return outcome.subject
      throw new AppError('refused', refusalText(outcome), {
        details: { reason: outcome.reason, status: outcome.subject.status },
      })
    },

    async grant(input, actor) {
      return await storage.transaction(async (tx) => {
        const agent = await tx.agents.byId(input.agentId)
        if (!agent || agent.revokedAt !== null) throw new AppError('not_found', 'No such agent.')
        if (providers.find(input.provider) === undefined) throw new AppError('not_found', 'No such provider.')
        if (input.forMs !== null && !(input.forMs >= 1_000 && input.forMs <= MAX_GRANT_MS)) {
          throw new AppError('invalid_request', 'A grant stands for a second to ten years, or for ever.')
        }
        const grant = await insert(tx, {
          ...input,
          groups: readGroups(input.groups ?? ['inference']),
          models: readModels(input.models),
          paths: readPaths(input.paths),
          forMs: input.forMs === null ? null : Math.trunc(input.forMs),
          keepLimits: null,
          actor,
          ask: null,
        })
        await settleCovered(tx, grant, { actor, name: null })
        return grant
      })
    },

    grants: () => activeGrants.all(),

    async limit(id, change, actor) {
      return await storage.transaction(async (tx) => {
        const before = await existing(tx, id)
        const after: ProviderGrant = {
          ...before,
          groups: change.groups === undefined ? before.groups : readGroups(change.groups),
          models: change.models === undefined ? before.models : readModels(change.models),
          paths: change.paths === undefined ? before.paths : readPaths(change.paths),
          limits: withLimits(before.limits, change.limits ?? {}),
        }
        await tx.providerAccess.setGrant(id, after)
        await activeGrants.refresh(tx)
        await audit.append(tx, 'provider.changed_grant', actor, null, { grant: id, ...grantFacts(after) })
        await settleCovered(tx, after, { actor, name: null })
        return after
      })
    },

    async revoke(id, actor) {
      return await storage.transaction(async (tx) => {
        const grant = await existing(tx, id)
        await endByPerson(tx, grant, actor)
        return grant
      })
    },

    async agentRevoked(tx: Tx, agentId, actor) {
      for (const grant of await tx.providerAccess.activeGrants())
        if (grant.agentId === agentId) await endByPerson(tx, grant, actor)
    },

    async revokeAll(tx: Tx, actor) {
      for (const grant of await tx.providerAccess.activeGrants()) await endByPerson(tx, grant, actor)
    },

    async providerRemoved(tx: Tx, name, actor) {
      for (const grant of await tx.providerAccess.activeGrants())
        if (grant.provider === name) await endByPerson(tx, grant, actor)
      for (const ask of await asks.waiting(tx, null))
        if (ask.provider === name) await requests.end(tx, ask, { to: 'cancelled', by: { actor, name: null } })
    },

    async limitPassed(grant, limit) {
      await storage.transaction(async (tx) => {
        const { id, agentId, provider } = grant
        await audit.append(tx, 'provider.limit_passed', agentActor(agentId), null, {
          grant: id,
          provider,
          limit,
        })
        await events.publish(tx, { type: 'access.limit_passed', grant, limit })
      })
    },

    tick: activeGrants.tick,
  }

  async function endByPerson(tx: Tx, grant: ProviderGrant, actor: Actor): Promise<void> {
    await tx.providerAccess.endGrant(grant.id, clock.now(), 'revoked')
    await activeGrants.refresh(tx)
    const { id, agentId, provider } = grant
    await audit.append(tx, 'provider.revoked', actor, null, { grant: id, agent_id: agentId, provider })
  }
}

/** Rolls back what was taken of other grants for the same request. */
class NoneLeft extends Error {}

/** For the owner at a terminal. */
function refusalText({ reason, subject, message }: Refused): string {
  if (reason === 'expired') return 'This ask has expired; nothing was decided.'
  if (reason === 'other_consent') return 'The ask is by now another than was shown; look at it again.'
  return reason === 'already_decided' ? `This ask was ${subject.status} already.` : message
}

type Refused = Extract<DecisionOutcome<ProviderAsk>, { accepted: false }>
