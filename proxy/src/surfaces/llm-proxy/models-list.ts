import type { Pool } from 'undici'
import { z } from 'zod'
import type { Agent } from '../../domain/agents/index.ts'
import type { ProviderAccess, ProviderGrant } from '../../domain/provider-access/index.ts'
import type { KeyAnswer, PickedKey, ProviderKeys } from '../../domain/provider-keys/index.ts'
import { behindRoot, type Provider, upstreamPath } from '../../domain/providers/index.ts'
import { isCleanInTurns, type Scrubber } from '../../domain/scrub/index.ts'
import type { Admission, Usage } from '../../domain/usage/index.ts'
import { anyGrant } from './admission.ts'
import { keyUseOf } from './request-scope.ts'
import { putKey } from './upstream-headers.ts'

const TIMEOUT_MS = 10_000
const MAX_BYTES = 4 * 1_048_576
const MAX_ERROR_BYTES = 8_192
const MAX_NAMES = 5_000
/** What a provider names otherwise is no model that a request could name. */
const NAME = /^[\x21-\x7e]{1,256}$/

/** OpenAI's and Anthropic's lists have `data` with `id`, Gemini's `models` with `name`. */
const listing = z.union([
  z.object({
    data: z.array(
      z.object({ id: z.string(), created: z.unknown().optional(), created_at: z.unknown().optional() }),
    ),
  }),
  z.object({ models: z.array(z.object({ name: z.string() })) }),
])

interface Listed {
  readonly provider: Provider
  readonly key: PickedKey | null
  readonly pool: Pool
  /** Finds the key in what the provider says; null where there is none. */
  readonly scrubber: Scrubber | null
  /** In the limits of the agent; it is settled here. */
  readonly place: Admission
  /** What the provider answered with the key. */
  readonly answered: (answer: KeyAnswer) => void
}

export interface ModelListDeps {
  readonly access: ProviderAccess
  readonly keys: ProviderKeys
  readonly usage: Usage
  readonly usable: () => readonly Provider[]
  readonly poolOf: (provider: Provider) => Pool
  readonly scrubberOf: (of: {
    readonly provider: Provider
    readonly key: PickedKey | null
  }) => Scrubber | null
  /** Told of the bytes of each list. */
  readonly read: (bytes: number) => void
}

const NO_TOKENS = { inputTokens: 0, outputTokens: 0 }

/**
 * Answers `GET /v1/models` for a base URL that serves all providers: what each of those that the agent was granted tells,
 * named `provider/model` as requests may name it. A provider that does not answer in time is left out, and so is one
 * whose list holds the key.
 */
export async function listModels(agent: Agent, gone: AbortSignal, deps: ModelListDeps): Promise<string> {
  const from = deps.usable().flatMap((provider) => admitted(agent, provider, deps) ?? [])
  const lists = await Promise.all(
    from.map(async (one) => {
      const models = await counted(one, gone, deps.read)
      return models.map(({ name, created }) => ({
        id: `${one.provider.name}/${name}`,
        object: 'model',
        created,
        owned_by: one.provider.name,
      }))
    }),
  )
  return JSON.stringify({ object: 'list', data: lists.flat() })
}

/** With a grant, a key and a place in the limits; undefined where one of them is missing. */
function admitted(agent: Agent, provider: Provider, deps: ModelListDeps): Listed | undefined {
  const { access, keys, usage } = deps
  const grant = grantToList(agent, provider, access)
  if (grant === undefined) return undefined
  const use = keyUseOf({ method: 'GET', group: 'models', path: listPath(provider), model: '' })
  const key =
    provider.auth.kind === 'none'
      ? null
      : keys.pick({ provider: provider.name, model: null, tags: agent.tags, agentId: agent.id, use })
  if (key !== null && 'refused' in key) return undefined
  const scrubber = deps.scrubberOf({ provider, key })
  const pool = deps.poolOf(provider)
  const place = usage.admit({
    agentId: agent.id,
    provider: provider.name,
    model: null,
    limits: grant.limits,
    estimate: NO_TOKENS,
    tellsCost: true,
  })
  if ('limit' in place) {
    if (place.limit !== 'no_price' && place.first) access.limitPassed(grant, place.limit)
    return undefined
  }
  const answered: Listed['answered'] = (answer) => {
    if (key !== null) keys.answered(key.id, agent.id, use, answer)
  }
  return { provider, key, pool, scrubber, place, answered }
}

const listPath = (provider: Provider): string => behindRoot(provider, upstreamPath(provider, '/models'))

/** As at the provider's own path. */
function grantToList(agent: Agent, provider: Provider, access: ProviderAccess): ProviderGrant | undefined {
  const path = listPath(provider)
  const use = { agentId: agent.id, provider: provider.name, model: null, group: 'models' as const, path }
  const verdict = access.evaluate(use)
  if (verdict.verdict === 'granted') return verdict.grant
  return verdict.verdict === 'denied' ? undefined : anyGrant(use, access)
}

interface Model {
  readonly name: string
  /** Unix seconds, as OpenAI's object of a model has them; 0 where the provider does not tell. */
  readonly created: number
}

/** OpenAI and who follow it: seconds. Anthropic: a date. */
function secondsOf(created: unknown, createdAt: unknown): number {
  const told = typeof created === 'number' ? created : Date.parse(String(createdAt)) / 1_000
  return Number.isFinite(told) && told > 0 && told < 1e11 ? Math.floor(told) : 0
}

/** What an error says is told to nobody: it may quote what the provider said. */
async function counted(one: Listed, gone: AbortSignal, read: ModelListDeps['read']): Promise<Model[]> {
  let models: Model[] | null = null
  try {
    models = await modelsOf(one, gone, read)
  } catch {}
  const failed = models === null
  one.place.settle({ model: '', askedModel: '', keyId: one.key?.id ?? 0, failed, usage: null, isFree: true })
  return models ?? []
}

/** Null when the provider told of none. */
async function modelsOf(
  { provider, key, pool, scrubber, answered }: Listed,
  gone: AbortSignal,
  read: ModelListDeps['read'],
): Promise<Model[] | null> {
  const headers = ['accept', 'application/json', 'accept-encoding', 'identity']
  if (key !== null) putKey(headers, provider, key.value.open())
  if (provider.errors === 'anthropic') headers.push('anthropic-version', '2023-06-01')
  const answer = await pool.request({
    method: 'GET',
    path: upstreamPath(provider, '/models'),
    headers,
    signal: AbortSignal.any([gone, AbortSignal.timeout(TIMEOUT_MS)]),
  })
  const status = answer.statusCode
  // The body of a refusal may take its time, and says only more of the same.
  const said = Object.entries(answer.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : [],
  )
  if (status !== 401) answered({ status, headers: said, body: '' })
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer.body) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BYTES) throw new Error('the list is too long')
    parts.push(chunk as Buffer)
  }
  const body = Buffer.concat(parts)
  read(bytes)
  if (status === 401) answered({ status, headers: said, body: body.toString('utf8', 0, MAX_ERROR_BYTES) })
  if (status !== 200) return null
  if (scrubber !== null && !(await isCleanInTurns(scrubber, body))) return null
  const told = listing.parse(JSON.parse(body.toString('utf8')))
  const all =
    'data' in told
      ? told.data.map((one) => ({ name: one.id, created: secondsOf(one.created, one.created_at) }))
      : told.models.map(({ name }) => ({ name: name.replace(/^models\//, ''), created: 0 }))
  const models = all.filter(({ name }) => NAME.test(name)).slice(0, MAX_NAMES)
  // Escapes of JSON hide a key in the bytes, and several names could hold it together.
  const names = Buffer.from(models.map(({ name }) => name).join(''))
  return scrubber !== null && !(await isCleanInTurns(scrubber, names)) ? null : models
}
