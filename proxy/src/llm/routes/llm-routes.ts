import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import {
  type AgentId,
  AppError,
  type Clock,
  firstOfDays,
  SecretValue,
  type Storage,
} from '../../kernel/index.ts'
import {
  type LlmModules,
  limitsFrom,
  NO_LIMITS,
  type ProviderAsk,
  type ProviderGrant,
} from '../provider-access/index.ts'
import { viewGivenGrant } from './given-grant.ts'
import {
  priceFrom,
  viewAccessGrant,
  viewAsk,
  viewAskSummary,
  viewKey,
  viewPrice,
  viewProvider,
  viewUsage,
} from './llm-views.ts'

/** The modules behind the LLM proxy. */
interface LlmRouteDeps {
  readonly llm: LlmModules
  readonly agents: Agents
  readonly storage: Storage
  readonly clock: Clock
  readonly owner: Owner
}

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
    return viewProvider(listing, llm.providers, llm.keys.list(name).filter(({ isSeat }) => !isSeat).length)
  }
  return {
    listProviders() {
      const counts = new Map<string, number>()
      for (const { provider, isSeat } of llm.keys.list())
        if (!isSeat) counts.set(provider, (counts.get(provider) ?? 0) + 1)
      const providers = llm.providers
        .list()
        .map((listing) => viewProvider(listing, llm.providers, counts.get(listing.name) ?? 0))
      return { providers }
    },
    addProvider: async ({ body }) => view((await llm.providers.add(body, owner.actor)).name),
    async removeProvider({ params }) {
      await llm.providers.remove(params.name, owner.actor)
      return { ok: true }
    },
    async setProviderParam({ params: { name, param }, body: { value, ...options } }) {
      await llm.providers.setParam(name, param, value, owner.actor, options)
      return view(name)
    },
  } satisfies Partial<AdminHandlers>
}

function keyRoutes({ llm, storage, owner }: LlmRouteDeps) {
  return {
    listProviderKeys: () => ({
      keys: llm.keys.list().map((key) => ({ ...viewKey(key), cooldown: key.cooldown })),
    }),
    addProviderKey: async ({ body: { value, seat: isSeat, ...rest } }) => {
      const input = { ...rest, isSeat, value: new SecretValue(value) }
      return viewKey(await storage.transaction((tx) => llm.keys.add(tx, input, owner.actor)))
    },
    removeProviderKey: async ({ params }) =>
      viewKey(await storage.transaction((tx) => llm.keys.remove(tx, params.id, owner.actor))),
  } satisfies Partial<AdminHandlers>
}

function grantRoutes({ llm, agents, owner }: LlmRouteDeps) {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  return {
    listProviderGrants: () => ({
      grants: llm.access.grants().map((grant) => viewAccessGrant(grant, nameOf(grant.agentId))),
    }),
    async addProviderGrant({ body }) {
      const agent = agents.list().find((row) => row.name === body.agent && row.revokedAt === null)
      if (!agent) throw new AppError('not_found', `No agent named ${body.agent}.`)
      if (llm.providers.find(body.provider) === undefined) {
        throw new AppError('not_found', `No provider ${body.provider}.`)
      }
      const grant = await llm.access.grant(
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
    async changeProviderGrant({ params, body: { groups, models, paths, limits } }) {
      const change = {
        ...(groups === undefined ? {} : { groups }),
        ...(models === undefined ? {} : { models }),
        ...(paths === undefined ? {} : { paths }),
        limits: limitsFrom(limits),
      }
      const grant = await llm.access.limit(params.id, change, owner.actor)
      return viewGivenGrant(llm, agents, grant)
    },
    async revokeProviderGrant({ params }) {
      const grant = await llm.access.revoke(params.id, owner.actor)
      return viewAccessGrant(grant, nameOf(grant.agentId))
    },
  } satisfies Partial<AdminHandlers>
}

function askRoutes({ llm, agents, storage, owner }: LlmRouteDeps) {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  const view = async (ask: ProviderAsk) => ({
    ...viewAsk(ask, nameOf(ask.agentId), llm.access.contentHash(ask), await llm.access.card(ask.id)),
    grant: grantOf(ask),
  })
  const grantOf = (ask: ProviderAsk) => {
    if (ask.status !== 'approved') return null
    const newest = llm.access
      .grants()
      .filter((grant) => grant.agentId === ask.agentId && grant.provider === ask.provider)
      .reduce<ProviderGrant | null>((best, grant) => (best && best.id > grant.id ? best : grant), null)
    return newest && viewGivenGrant(llm, agents, newest, ask.model)
  }
  return {
    listAsks: async () => ({
      asks: (await storage.read((tx) => llm.access.pending(tx))).map((ask) =>
        viewAskSummary(ask, nameOf(ask.agentId), llm.access.contentHash(ask)),
      ),
    }),
    readAsk: async ({ params }) => await view(await llm.access.resolve(params.id)),
    async decideAsk({ params, body: { consent_hash, limits, ...answer } }) {
      const ask = await llm.access.resolve(params.id)
      if (answer.scope === 'model' && ask.model === null && answer.models === undefined) {
        throw new AppError('invalid_request', 'The request names no model, so there is none to allow alone.')
      }
      const decided = await llm.access.decide(
        ask.id,
        consent_hash,
        { ...answer, ...(limits === undefined ? {} : { limits: limitsFrom(limits) }) },
        owner.principal,
      )
      return await view(decided)
    },
  } satisfies Partial<AdminHandlers>
}

function usageRoutes({ llm, clock, owner }: LlmRouteDeps) {
  return {
    async reportUsage({ query: { by, days } }) {
      const since = firstOfDays(clock.now(), days)
      const groups = await llm.usage.report(by, since)
      const models = by === 'model' ? groups : await llm.usage.report('model', since)
      return {
        by,
        since,
        groups: groups.map(viewUsage),
        unpriced_models: models.filter((group) => group.unpriced > 0).map((group) => group.key),
      }
    },
    listPrices: () => ({ prices: llm.usage.prices().map(viewPrice) }),
    async setPrice({ body }) {
      if (llm.providers.find(body.provider) === undefined) {
        throw new AppError('not_found', `No provider ${body.provider}.`)
      }
      const price = priceFrom(body)
      await llm.usage.setPrice(price, owner.actor)
      return viewPrice({ ...price, own: true })
    },
    async removePrice({ params: { provider, model } }) {
      await llm.usage.removePrice(provider, model, owner.actor)
      return { ok: true }
    },
  } satisfies Partial<AdminHandlers>
}
