import { z } from 'zod'
import { type UpstreamPool, wholeAnswer } from '../../egress/relay/index.ts'
import { isCleanInTurns, type Scrubber } from '../../scrub/index.ts'
import type { KeyAnswer, KeyUse, PickedKey, ProviderKeys } from '../provider-keys/index.ts'
import { behindRoot, type Provider, upstreamPath } from '../providers/index.ts'
import type { Admission, Usage } from '../usage/index.ts'
import { type AccessRules, type Caller, countedBy, type Permission } from './caller.ts'
import { anyGrant } from './grant-check.ts'
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
  readonly pool: UpstreamPool
  /** Finds the key in what the provider says; null where there is none. */
  readonly scrubber: Scrubber | null
  /** In the limits of the agent; it is settled here. */
  readonly place: Admission
  /** Grants that count this as one of their requests. */
  readonly counted: readonly number[]
  /** What the provider answered with the key. */
  readonly answered: (answer: KeyAnswer) => void
}

export interface ModelListDeps {
  readonly access: AccessRules
  readonly keys: ProviderKeys
  readonly usage: Usage
  readonly usable: () => readonly Provider[]
  readonly poolOf: (provider: Provider) => UpstreamPool
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
 * whose list holds the key. Null when the agent was revoked meanwhile.
 */
export async function listModels(
  revalidateToken: () => Caller | null,
  gone: AbortSignal,
  deps: ModelListDeps,
): Promise<string | null> {
  const before = revalidateToken()
  if (before === null) return null
  const keys = await Promise.all(deps.usable().map((provider) => keyFor(before, provider, deps)))
  // Keys took their time: from here on nothing is waited for until every place is taken.
  const agent = revalidateToken()
  if (agent === null) return null
  const passed: (() => Promise<void>)[] = []
  const from = keys.flatMap((one) => (one && admitted(agent, one, passed, deps)) ?? [])
  const lists = await Promise.all(
    from.map(async (one) => {
      const models = await told(one, gone, deps)
      return models.map(({ name, created }) => ({
        id: `${one.provider.name}/${name}`,
        object: 'model',
        created,
        owned_by: one.provider.name,
      }))
    }),
  )
  for (const tell of passed) await tell()
  return JSON.stringify({ object: 'list', data: lists.flat() })
}

interface Keyed {
  readonly provider: Provider
  readonly key: PickedKey | null
  readonly use: KeyUse
}

/** Of a provider that the agent may list, and has a key for. */
async function keyFor(
  agent: Caller,
  provider: Provider,
  { access, keys }: ModelListDeps,
): Promise<Keyed | undefined> {
  if (grantToList(agent, provider, access) === undefined) return undefined
  const use = keyUseOf({ method: 'GET', group: 'models', path: listPath(provider), model: '' })
  if (provider.auth.kind === 'none') return { provider, key: null, use }
  const key = await keys.pick({
    ...{ provider: provider.name, model: null, tags: agent.tags, agentId: agent.id, use },
  })
  return 'refused' in key ? undefined : { provider, key, use }
}

/** With a grant, the key and a place in the limits; undefined where one of them is missing. */
function admitted(
  agent: Caller,
  { provider, key, use }: Keyed,
  passed: (() => Promise<void>)[],
  deps: ModelListDeps,
): Listed | undefined {
  const { access, keys, usage } = deps
  const grant = grantToList(agent, provider, access)
  if (grant === undefined || !deps.usable().includes(provider)) return undefined
  const only = (id: number): boolean => id === key?.id
  if (key !== null && !keys.isThere({ provider: provider.name, model: null, tags: agent.tags, only })) {
    return undefined
  }
  const scrubber = deps.scrubberOf({ provider, key })
  const pool = deps.poolOf(provider)
  const place = usage.reserveQuota({
    agentId: agent.id,
    provider: provider.name,
    model: null,
    limits: grant.limits,
    estimate: NO_TOKENS,
    reportsCost: true,
  })
  if ('limit' in place) {
    const { limit } = place
    if (limit !== 'no_price' && place.first) passed.push(() => access.limitPassed(grant, limit))
    return undefined
  }
  const answered: Listed['answered'] = (answer) => {
    if (key !== null) keys.answered(key.id, agent.id, use, answer)
  }
  return { provider, key, pool, scrubber, place, counted: countedBy(grant), answered }
}

const listPath = (provider: Provider): string => behindRoot(provider, upstreamPath(provider, '/models'))

/** As at the provider's own path. */
function grantToList(agent: Caller, provider: Provider, access: AccessRules): Permission | undefined {
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
async function told(one: Listed, gone: AbortSignal, { access, read }: ModelListDeps): Promise<Model[]> {
  const { counted, key, place } = one
  if (counted.length > 0 && !(await access.takeRequest(counted).catch(() => false))) {
    place.release()
    return []
  }
  let models: Model[] | null = null
  try {
    models = await modelsOf(one, gone, read)
  } catch {}
  const failed = models === null
  place.settle({ model: '', askedModel: '', keyId: key?.id ?? 0, failed, usage: null, isFree: true })
  if (counted.length > 0) access.requestOver(counted)
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
  const {
    status,
    headers: answerHeaders,
    body,
  } = await wholeAnswer(
    pool,
    { method: 'GET', path: upstreamPath(provider, '/models'), headers, body: null },
    {
      maxBytes: MAX_BYTES,
      signal: AbortSignal.any([gone, AbortSignal.timeout(TIMEOUT_MS)]),
      // The body of a refusal may take its time, and says only more of the same.
      onHead: (status, headers) => (status === 401 ? undefined : answered({ status, headers, body: '' })),
    },
  )
  read(body.length)
  if (status === 401)
    answered({ status, headers: answerHeaders, body: body.toString('utf8', 0, MAX_ERROR_BYTES) })
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
