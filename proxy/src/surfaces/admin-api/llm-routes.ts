import type { Express } from 'express'
import type { Agents } from '../../domain/agents/index.ts'
import {
  type LlmRooms,
  NO_LIMITS,
  type ProviderAsk,
  type ProviderGrant,
} from '../../domain/provider-access/index.ts'
import { type AgentId, AppError, type Clock, SecretValue } from '../../kernel/index.ts'
import { viewGivenGrant } from './given-grant.ts'
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
import { parse, wholeNumber } from './parse.ts'
import {
  accessDecisionBody,
  addGrantBody,
  addKeyBody,
  addProviderBody,
  changeGrantBody,
  setParamBody,
  setPriceBody,
  USAGE_BY,
} from './wire-llm.ts'

/** The rooms behind the LLM proxy. */
interface LlmRouteDeps {
  readonly llm: LlmRooms
  readonly agents: Agents
  readonly clock: Clock
  readonly owner: { readonly name: string; readonly actor: string }
}

const DAY_MS = 86_400_000
const LONGEST_REPORT_DAYS = 3_660

export function addLlmRoutes(app: Express, deps: LlmRouteDeps): void {
  addProviderRoutes(app, deps)
  addKeyRoutes(app, deps)
  addGrantRoutes(app, deps)
  addAskRoutes(app, deps)
  addUsageRoutes(app, deps)
}

function addProviderRoutes(app: Express, { llm, owner }: LlmRouteDeps): void {
  const view = (name: string) => {
    const listing = llm.providers.list().find((row) => row.name === name)
    if (!listing) throw new AppError('not_found', `No provider ${name}.`)
    return viewProvider(listing, llm.providers, llm.keys.list(name).length)
  }
  app.get('/v1/providers', (_request, response) => {
    const counts = new Map<string, number>()
    for (const { provider } of llm.keys.list()) counts.set(provider, (counts.get(provider) ?? 0) + 1)
    const providers = llm.providers
      .list()
      .map((listing) => viewProvider(listing, llm.providers, counts.get(listing.name) ?? 0))
    response.json({ providers })
  })
  app.post('/v1/providers', (request, response) => {
    const added = llm.providers.add(parse(addProviderBody, request.body), owner.actor)
    response.json(view(added.name))
  })
  app.delete('/v1/providers/:name', (request, response) => {
    llm.providers.remove(request.params.name, owner.actor)
    response.json({ ok: true })
  })
  app.put('/v1/providers/:name/params/:param', (request, response) => {
    const { name, param } = request.params
    const { value, ...options } = parse(setParamBody, request.body)
    llm.providers.setParam(name, param, value, owner.actor, options)
    response.json(view(name))
  })
}

function addKeyRoutes(app: Express, { llm, owner }: LlmRouteDeps): void {
  app.get('/v1/provider-keys', (_request, response) => {
    const keys = llm.keys.list().map((key) => ({ ...viewKey(key), cooldown: key.cooldown }))
    response.json({ keys })
  })
  app.post('/v1/provider-keys', (request, response) => {
    const { value, ...rest } = parse(addKeyBody, request.body)
    response.json(viewKey(llm.keys.add({ ...rest, value: new SecretValue(value) }, owner.actor)))
  })
  app.delete('/v1/provider-keys/:id', (request, response) => {
    const id = wholeNumber(request.params.id, 'The id of a key')
    response.json(viewKey(llm.keys.remove(id, owner.actor)))
  })
}

function addGrantRoutes(app: Express, { llm, agents, owner }: LlmRouteDeps): void {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  app.get('/v1/provider-grants', (_request, response) => {
    response.json({
      grants: llm.access.grants().map((grant) => viewAccessGrant(grant, nameOf(grant.agentId))),
    })
  })
  app.post('/v1/provider-grants', (request, response) => {
    const body = parse(addGrantBody, request.body)
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
    response.json(viewGivenGrant(llm, agents, grant))
  })
  app.patch('/v1/provider-grants/:id', (request, response) => {
    const { groups, models, paths, limits } = parse(changeGrantBody, request.body)
    const change = {
      ...(groups === undefined ? {} : { groups }),
      ...(models === undefined ? {} : { models }),
      ...(paths === undefined ? {} : { paths }),
      limits: limitsFrom(limits),
    }
    const grant = llm.access.limit(wholeNumber(request.params.id, 'A grant'), change, owner.actor)
    response.json(viewGivenGrant(llm, agents, grant))
  })
  app.delete('/v1/provider-grants/:id', (request, response) => {
    const grant = llm.access.revoke(wholeNumber(request.params.id, 'A grant'), owner.actor)
    response.json(viewAccessGrant(grant, nameOf(grant.agentId)))
  })
}

function addAskRoutes(app: Express, { llm, agents, owner }: LlmRouteDeps): void {
  const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
  const view = (ask: ProviderAsk) => viewAsk(ask, nameOf(ask.agentId), llm.access.card(ask.id))
  const grantOf = (ask: ProviderAsk) => {
    if (ask.status !== 'granted') return null
    const newest = llm.access
      .grants()
      .filter((grant) => grant.agentId === ask.agentId && grant.provider === ask.provider)
      .reduce<ProviderGrant | null>((best, grant) => (best && best.id > grant.id ? best : grant), null)
    return newest && viewGivenGrant(llm, agents, newest, ask.model)
  }
  app.get('/v1/asks', (_request, response) => {
    response.json({ asks: llm.access.pending().map((ask) => viewAskSummary(ask, nameOf(ask.agentId))) })
  })
  app.get('/v1/asks/:id', (request, response) => {
    response.json(view(llm.access.resolve(request.params.id)))
  })
  app.post('/v1/asks/:id/decision', (request, response) => {
    const { limits, ...answer } = parse(accessDecisionBody, request.body)
    const ask = llm.access.resolve(request.params.id)
    if (answer.scope === 'model' && ask.model === null && answer.models === undefined) {
      throw new AppError('invalid_request', 'The request names no model, so there is none to allow alone.')
    }
    const decided = llm.access.decide(
      ask.id,
      { ...answer, ...(limits === undefined ? {} : { limits: limitsFrom(limits) }) },
      owner,
    )
    response.json({ ...view(decided), grant: grantOf(decided) })
  })
}

function addUsageRoutes(app: Express, { llm, clock, owner }: LlmRouteDeps): void {
  app.get('/v1/usage', (request, response) => {
    const by = USAGE_BY.find((kind) => kind === (request.query.by ?? 'agent'))
    if (!by) throw new AppError('invalid_request', `by is one of ${USAGE_BY.join(', ')}.`)
    const days = wholeNumber(String(request.query.days ?? '30'), 'days')
    if (days < 1 || days > LONGEST_REPORT_DAYS) {
      throw new AppError('invalid_request', `days is 1 to ${LONGEST_REPORT_DAYS}.`)
    }
    const since = new Date(clock.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10)
    const groups = llm.usage.report(by, since)
    const models = by === 'model' ? groups : llm.usage.report('model', since)
    response.json({
      by,
      since,
      groups: groups.map(viewUsage),
      unpriced_models: models.filter((group) => group.unpriced > 0).map((group) => group.key),
    })
  })
  app.get('/v1/prices', (_request, response) => {
    response.json({ prices: llm.usage.prices().map(viewPrice) })
  })
  app.put('/v1/prices', (request, response) => {
    const body = parse(setPriceBody, request.body)
    const { provider } = body
    if (llm.providers.find(provider) === undefined) {
      throw new AppError('not_found', `No provider ${provider}.`)
    }
    const price = priceFrom(body)
    llm.usage.setPrice(price, owner.actor)
    response.json(viewPrice({ ...price, own: true }))
  })
  app.delete('/v1/prices/:provider/:model', (request, response) => {
    const { provider, model } = request.params
    llm.usage.removePrice(provider, model, owner.actor)
    response.json({ ok: true })
  })
}
