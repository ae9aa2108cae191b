import type { Agents } from '../../domain/agents/index.ts'
import {
  type LlmModules,
  NO_LIMITS,
  type ProviderAsk,
  type ProviderGrant,
} from '../../domain/provider-access/index.ts'
import { type AgentId, AppError, type Clock, SecretValue } from '../../kernel/index.ts'
import { viewGivenGrant } from './given-grant.ts'
import type { AdminHandlers, Owner } from './handlers.ts'
import {
  limitsFrom,
  priceFrom,
  viewAccessGrant,
  viewAsk,
  viewAskSummary,
  viewKey,
  viewPrice,
  viewProvider,
  viewUsage,
} from './llm-views.ts'

/** The rooms behind the LLM proxy. */
interface LlmRouteDeps {
  readonly llm: LlmModules
  readonly agents: Agents
  readonly clock: Clock
  readonly owner: Owner
}

const DAY_MS = 86_400_000

/** The owner's routes about providers of LLMs. */
export const llmRoutes = (deps: LlmRouteDeps) => ({
  ...providerRoutes(deps),
  ...keyRoutes(deps),
  ...grantRoutes(deps),
  ...askRoutes(deps),
  ...usageRoutes(deps),
})

function providerRoutes({ llm, owner }: LlmRouteDeps) {
  const view = (name: string) => {
    const listing = llm.providers.list().find((row) => row.name === name)
    if (!listing) throw new AppError('not_found', `No provider ${name}.`)
    return viewProvider(listing, llm.providers, llm.keys.list(name).length)
  }
  return {
    listProviders() {
      const counts = new Map<string, number>()
      for (const { provider } of llm.keys.list()) counts.set(provider, (counts.get(provider) ?? 0) + 1)
      const providers = llm.providers
        .list()
        .map((listing) => viewProvider(listing, llm.providers, counts.get(listing.name) ?? 0))
      return { providers }
    },
    addProvider: ({ body }) => view(llm.providers.add(body, owner.actor).name),
    removeProvider({ params }) {
      llm.providers.remove(params.name, owner.actor)
      return { ok: true }
    },
    setProviderParam({ params: { name, param }, body: { value, ...options } }) {
      llm.providers.setParam(name, param, value, owner.actor, options)
      return view(name)
    },
  } satisfies Partial<AdminHandlers>
}

function keyRoutes({ llm, owner }: LlmRouteDeps) {
  return {
    listProviderKeys: () => ({
      keys: llm.keys.list().map((key) => ({ ...viewKey(key), cooldown: key.cooldown })),
    }),
    addProviderKey: ({ body: { value, ...rest } }) =>
      viewKey(llm.keys.add({ ...rest, value: new SecretValue(value) }, owner.actor)),
    removeProviderKey: ({ params }) => viewKey(llm.keys.remove(params.id, owner.actor)),
  } satisfies Partial<AdminHandlers>
}

function grantRoutes({ llm, agents, owner }: LlmRouteDeps) {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  return {
    listProviderGrants: () => ({
      grants: llm.access.grants().map((grant) => viewAccessGrant(grant, nameOf(grant.agentId))),
    }),
    addProviderGrant({ body }) {
      const agent = agents.list().find((row) => row.name === body.agent && row.revokedAt === null)
      if (!agent) throw new AppError('not_found', `No agent named ${body.agent}.`)
      if (llm.providers.find(body.provider) === undefined) {
        throw new AppError('not_found', `No provider ${body.provider}.`)
      }
      const grant = llm.access.grant(
        {
          agentId: agent.id,
          provider: body.provider,
          forMs: body.for_ms,
          groups: body.groups,
          models: body.models,
          paths: body.paths,
          limits: { ...NO_LIMITS, ...limitsFrom(body.limits) },
        },
        owner.actor,
      )
      return viewGivenGrant(llm, agents, grant)
    },
    changeProviderGrant({ params, body: { groups, models, paths, limits } }) {
      const change = {
        ...(groups === undefined ? {} : { groups }),
        ...(models === undefined ? {} : { models }),
        ...(paths === undefined ? {} : { paths }),
        limits: limitsFrom(limits),
      }
      const grant = llm.access.limit(params.id, change, owner.actor)
      return viewGivenGrant(llm, agents, grant)
    },
    revokeProviderGrant({ params }) {
      const grant = llm.access.revoke(params.id, owner.actor)
      return viewAccessGrant(grant, nameOf(grant.agentId))
    },
  } satisfies Partial<AdminHandlers>
}

function askRoutes({ llm, agents, owner }: LlmRouteDeps) {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  const view = (ask: ProviderAsk) =>
    viewAsk(ask, nameOf(ask.agentId), llm.access.contentHash(ask), llm.access.card(ask.id))
  const grantOf = (ask: ProviderAsk) => {
    if (ask.status !== 'granted') return null
    const newest = llm.access
      .grants()
      .filter((grant) => grant.agentId === ask.agentId && grant.provider === ask.provider)
      .reduce<ProviderGrant | null>((best, grant) => (best && best.id > grant.id ? best : grant), null)
    return newest && viewGivenGrant(llm, agents, newest, ask.model)
  }
  return {
    listAsks: () => ({
      asks: llm.access
        .pending()
        .map((ask) => viewAskSummary(ask, nameOf(ask.agentId), llm.access.contentHash(ask))),
    }),
    readAsk: ({ params }) => view(llm.access.resolve(params.id)),
    decideAsk({ params, body: { consent_hash, limits, ...answer } }) {
      const ask = llm.access.resolve(params.id)
      if (answer.scope === 'model' && ask.model === null && answer.models === undefined) {
        throw new AppError('invalid_request', 'The request names no model, so there is none to allow alone.')
      }
      const decided = llm.access.decide(
        ask.id,
        consent_hash,
        { ...answer, ...(limits === undefined ? {} : { limits: limitsFrom(limits) }) },
        owner,
      )
      return { ...view(decided), grant: grantOf(decided) }
    },
  } satisfies Partial<AdminHandlers>
}

function usageRoutes({ llm, clock, owner }: LlmRouteDeps) {
  return {
    reportUsage({ query: { by, days } }) {
      const since = new Date(clock.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10)
      const groups = llm.usage.report(by, since)
      const models = by === 'model' ? groups : llm.usage.report('model', since)
      return {
        by,
        since,
        groups: groups.map(viewUsage),
        unpriced_models: models.filter((group) => group.unpriced > 0).map((group) => group.key),
      }
    },
    listPrices: () => ({ prices: llm.usage.prices().map(viewPrice) }),
    setPrice({ body }) {
      if (llm.providers.find(body.provider) === undefined) {
        throw new AppError('not_found', `No provider ${body.provider}.`)
      }
      const price = priceFrom(body)
      llm.usage.setPrice(price, owner.actor)
      return viewPrice({ ...price, own: true })
    },
    removePrice({ params: { provider, model } }) {
      llm.usage.removePrice(provider, model, owner.actor)
      return { ok: true }
    },
  } satisfies Partial<AdminHandlers>
}
