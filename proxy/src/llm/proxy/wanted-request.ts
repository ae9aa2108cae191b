import type { Readable } from 'node:stream'
import { behindRoot, type Provider, type Providers, upstreamPath } from '../providers/index.ts'
import {
  type DeepScan,
  deepScan,
  MAX_MODEL_BYTES,
  quotesFile,
  type SpendingFacts,
  type SpendingLimits,
  type Splice,
  spendingFacts,
} from '../usage/index.ts'
import type { Caller } from './caller.ts'
import type { Exchange } from './exchange.ts'
import type { Forwarding } from './forward.ts'
import type { GrantCriteria } from './grant-criteria.ts'
import type { Identity } from './identity.ts'
import { type Patience, type PatienceDeps, patienceOf, streamFormOf } from './patience.ts'
import type { Reading } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { MAX_WHOLE_BYTES } from './request-body.ts'
import { modelsNamed } from './request-model.ts'
import { allModelsOf, endpointOfRequest, keyUseOf, mayBeJson, mayQuoteFiles } from './request-scope.ts'
import { type Spending, type SpendingRequest, spendingOf } from './spending.ts'
import type { UsageWishes } from './usage-wishes.ts'
import type { Admitted, Wanted } from './wanted.ts'
import { type Body, bodyToSend, heldAgain, onTheLoop, type WholeBodyDeps } from './whole-body.ts'

/** A request that may go out; only the key is not in it yet. */
export interface Ready extends Admitted, GrantCriteria {
  /** Path and query. */
  readonly target: string
  readonly headers: string[]
  readonly body: Readable | Buffer | null
  /** As the request names it; '' when it names none. */
  readonly model: string
  /** Nothing is charged for it: no figure of its answer is new. */
  readonly isFree: boolean
  /** Without what asks for the figures of a stream; null where nothing does, or the server is known to take it. */
  readonly plainer: Forwarding['plainer']
  /** The proxy asked for the figures of a stream, so their chunk is its own. */
  readonly dropUsageChunk: boolean
  readonly estimate: Wanted['estimate']
  readonly keyUse: Wanted['keyUse']
}

export interface WantedDeps extends WholeBodyDeps, PatienceDeps {
  readonly providers: Providers
  readonly identity: Identity
  readonly wishes: UsageWishes
}

interface Parts {
  readonly agent: Caller
  readonly provider: Provider
  /** Of the path, behind the provider's name. */
  readonly rest: string
  readonly body: Body
  /** What is put into the body already. */
  readonly splices: Splice[]
  readonly reading: Reading
  readonly exchange: Exchange
  readonly deps: WantedDeps
}

/** Where no limit asks for more: what models commonly give at most, of a request that does not say how much it wants. */
const ESTIMATED_OUTPUT_TOKENS = 16_384
export const BYTES_PER_TOKEN = 4
const NOTHING_FOUND: DeepScan = { models: [], refersToStored: false }

/**
 * What a request asks for, once its body came. A class, for there is one for each request: what only some of them are asked is a
 * method, which is made once, and worked out when somebody asks.
 */
export class WantedRequest implements Wanted, SpendingRequest {
  agent: Caller
  readonly provider: Provider
  readonly method: string
  readonly path: string
  readonly query: string
  readonly websocket: boolean
  readonly headers: string[]
  readonly models: readonly (string | null)[]
  readonly group: Wanted['group']
  readonly isMetered: boolean
  readonly isFree: boolean
  readonly isDeferred: boolean
  readonly isListing: boolean
  readonly choices: number
  readonly keyUse: Wanted['keyUse']
  readonly onlyKey: number | null
  readonly estimate: Wanted['estimate']
  readonly #upstream: string
  readonly #body: Body
  readonly #splices: Splice[]
  readonly #usageWish: Splice | null
  readonly #reading: Reading
  readonly #exchange: Exchange
  readonly #deps: WantedDeps
  #deep: DeepScan | null
  #allModels: readonly (string | null)[] | null = null

  constructor({ agent, provider, rest, body, splices, reading, exchange, deps }: Parts) {
    const { credential, head, upload } = reading
    const { scan } = body
    this.agent = agent
    this.provider = provider
    this.method = exchange.request.method ?? ''
    this.query = credential.query
    this.websocket = exchange.websocket
    this.headers = head.headers
    this.isDeferred = scan?.background === true
    this.choices = scan?.choices ?? 1
    this.#upstream = upstreamPath(provider, rest)
    this.path = behindRoot(provider, this.#upstream)
    const { method, path, query, websocket, headers, isDeferred: background } = this
    const inBody =
      scan === null ? [] : scan.model === null ? scan.moreModels : [scan.model, ...scan.moreModels]
    this.models = modelsNamed({ method, path, query, websocket, body: body.known, inBody })
    const model = this.models.find((name) => name !== null) ?? ''
    const { group, metered, free } = endpointOfRequest({
      provider,
      method,
      path,
      query,
      websocket,
      headers,
      background,
    })
    this.group = group
    this.isMetered = metered
    this.isFree = free
    this.isListing = method === 'GET' && this.models.length === 0
    this.keyUse = keyUseOf({ method, group, path, model })
    this.onlyKey = upload?.keyId ?? null
    this.estimate = {
      inputTokens: Math.ceil((body.whole?.length ?? head.bodyBytes ?? MAX_WHOLE_BYTES) / BYTES_PER_TOKEN),
      outputTokens: head.bodyBytes === 0 ? 0 : (scan?.maxTokens ?? ESTIMATED_OUTPUT_TOKENS) * this.choices,
    }
    this.#usageWish = deps.wishes.isRefused(provider, model, agent.id)
      ? null
      : askForUsage(body, provider, rest)
    if (this.#usageWish !== null) splices.push(this.#usageWish)
    this.#body = body
    this.#splices = splices
    this.#reading = reading
    this.#exchange = exchange
    this.#deps = deps
    this.#deep = body.deep
  }

  allModels(): readonly (string | null)[] {
    this.#allModels ??= allModelsOf(this.provider, this.models, this.#deepScan().models, this.headers)
    return this.#allModels
  }

  refersToStored(): boolean {
    return (
      this.#deepScan().refersToStored ||
      (mayQuoteFiles(this.provider) && this.#quotesFile()) ||
      (this.#body.known === 'unread' && mayBeJson(this.path, this.#reading.head.contentType))
    )
  }

  spending(limits: SpendingLimits, isLowered: boolean): Spending | LlmRefusal {
    return spendingOf(this, limits, isLowered)
  }

  facts(): SpendingFacts | null {
    const { spending, known, whole } = this.#body
    if (spending !== null || known !== 'read' || whole === null) return spending
    return onTheLoop(this.agent, whole, this.#deps, () => spendingFacts(whole))
  }

  patience(): Patience {
    const exchange = this.#exchange
    return patienceOf(this.#reading, exchange, this.#deps, {
      agentId: this.agent.id,
      form: streamFormOf({
        ...{ provider: this.provider, shape: exchange.shape, reading: this.#reading, exchange },
        asksForStream: this.#body.scan?.stream === true,
      }),
      bodyBytes: bytesHeld(this.#body),
    })
  }

  gone(): AbortSignal {
    return this.#exchange.gone()
  }

  revalidateToken(): Caller | null {
    return this.#deps.identity.revalidateToken(this.#reading.credential.token, this.#exchange.request)
  }

  /** The owner answers for the place that was asked for, and no other of its name. */
  isSameUpstream(): boolean {
    return isSamePlace(this.#deps.providers.find(this.provider.name), this.provider)
  }

  ready({ key, needsOwnKey, place, spending, revision, counted }: Admitted): Ready {
    const { agent, provider, path, query, group, models, headers, isListing, isFree, keyUse } = this
    if (spending !== null) this.#splices.push(...spending.splices(place.cap))
    const isTaken = this.#usageWish === null || this.#deps.wishes.isTaken(provider, keyUse.model)
    return {
      key,
      needsOwnKey,
      place,
      spending,
      revision,
      counted,
      agent,
      provider,
      path,
      group,
      models,
      allModels: () => this.allModels(),
      isListing,
      keyUse,
      target: query === '' ? this.#upstream : `${this.#upstream}?${query}`,
      headers,
      body: bodyToSend(this.#body, this.#splices, this.#reading, this.#exchange),
      isFree,
      plainer: isTaken ? null : () => this.#plainer(),
      model: keyUse.model,
      dropUsageChunk: this.#usageWish !== null,
      estimate: this.estimate,
    }
  }

  #plainer(): ReturnType<typeof heldAgain> {
    const others = this.#splices.filter((splice) => splice !== this.#usageWish)
    return heldAgain(this.#body, others, this.headers)
  }

  /** What was not read names nothing here; it is known to be unread. */
  #deepScan(): DeepScan {
    const { whole, scan } = this.#body
    this.#deep ??=
      whole === null || scan === null
        ? NOTHING_FOUND
        : onTheLoop(this.agent, whole, this.#deps, () => deepScan(whole))
    return this.#deep
  }

  #quotesFile(): boolean {
    const { whole, quotesFile: known } = this.#body
    return known ?? (whole !== null && onTheLoop(this.agent, whole, this.#deps, () => quotesFile(whole)))
  }
}

/** Prices, keys and grants are looked for by it. */
export const namesLongModel = (models: readonly (string | null)[]): LlmRefusal | null =>
  models.some((name) => name !== null && name.length > MAX_MODEL_BYTES)
    ? refused('bad_request', `A model's name has at most ${MAX_MODEL_BYTES} characters.`)
    : null

const bytesHeld = ({ whole, begun }: Body): number =>
  whole?.length ?? begun?.reduce((sum, { length }) => sum + length, 0) ?? 0

function isSamePlace(found: ReturnType<Providers['find']>, before: Provider): boolean {
  if (found === before) return true
  if (found === undefined || 'missing' in found) return false
  const placeOf = ({ scheme, host, port, auth, private: isPrivate }: Provider) =>
    JSON.stringify([scheme, host, port, auth, isPrivate])
  return placeOf(found) === placeOf(before)
}

/** A stream of chat completions tells its tokens only when it is asked to. */
const askForUsage = ({ usageWish }: Body, provider: Provider, rest: string): Splice | null =>
  usageWish !== null && provider.includeUsage && /\/(chat\/)?completions$/.test(rest) ? usageWish : null
