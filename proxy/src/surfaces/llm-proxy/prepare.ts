import type { Readable } from 'node:stream'
import type { Agent } from '../../domain/agents/index.ts'
import { behindRoot, type Provider, type Providers, upstreamPath } from '../../domain/providers/index.ts'
import { type DeepScan, deepScan, scanBody, withIncludeUsage, withModel } from '../../domain/usage/index.ts'
import { streamed } from '../relay/index.ts'
import { type AdmissionDeps, type Admitted, admit, type Judged, type Wanted } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { Identity } from './identity.ts'
import { chooseByModel, type Reading, shapeAt } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { type Came, type createBodyBudget, MAX_WHOLE_BYTES, readUpTo, STALL_MS } from './request-body.ts'
import { modelOfPath, modelsNamed, namesOfQuery } from './request-model.ts'
import { allModelsOf, endpointOfRequest, mayBeJson, once, quotesFile } from './request-scope.ts'
import type { Stalls } from './stalls.ts'

/** A request that may go out; only the key is not in it yet. */
export interface Ready extends Admitted, Judged {
  /** Path and query. */
  readonly target: string
  readonly headers: string[]
  readonly body: Readable | Buffer | null
  /** As the request names it; '' when it names none. */
  readonly model: string
  /** The proxy asked for the figures of a stream, so their chunk is its own. */
  readonly dropUsageChunk: boolean
  readonly estimate: Wanted['estimate']
}

export interface PreparationDeps extends AdmissionDeps {
  readonly providers: Providers
  readonly identity: Identity
  readonly budget: ReturnType<typeof createBodyBudget>
  readonly stalls: Stalls
  /** Those that a model's name alone may lead to. */
  readonly usable: () => readonly Provider[]
}

const DEFAULT_WAIT_SECONDS = 60
const MAX_WAIT_SECONDS = 120
/** For limits, of a request that does not say how much it wants: what models commonly give at most. */
const ESTIMATED_OUTPUT_TOKENS = 16_384
export const BYTES_PER_TOKEN = 4

type Scan = Exclude<ReturnType<typeof scanBody>, { readonly problem: string }>

/** What is known of a body: read whole with its scan, or only where it begins. */
interface Body {
  /** `unread`: it may say anything. */
  readonly known: 'none' | 'read' | 'unread'
  whole: Buffer | null
  readonly begun: Buffer | null
  scan: Scan | null
}

const UNREAD: Body = { known: 'unread', whole: null, begun: null, scan: null }
const NO_BODY: Body = { known: 'none', whole: null, begun: null, scan: null }

/** Everything up to the moment at which a request goes out. A refused one has taken no place in any limit. */
export async function prepare(
  entered: Agent,
  reading: Reading,
  exchange: Exchange,
  deps: PreparationDeps,
): Promise<Ready | LlmRefusal> {
  const { credential, head, rest } = reading
  const { request, websocket } = exchange
  const stillGood = (): Agent | null => deps.identity.stillGood(credential.token, request)
  const unread = kindOfBody(reading)
  // Nothing is waited for that is there already: each wait costs a busy proxy a turn.
  const body = unread ?? bodyOf(await wholeBody(entered, exchange, deps))
  if ('code' in body) return body
  // A body may have taken its time, and its agent may have changed meanwhile.
  const agent = unread === null ? stillGood() : entered
  if (agent === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
  const provider = reading.provider ?? chooseProvider(reading, body, deps)
  if ('code' in provider) return provider
  exchange.shape = shapeAt(provider, rest)

  const upstream = upstreamPath(provider, rest)
  const path = behindRoot(provider, upstream)
  const method = request.method ?? ''
  const { scan } = body
  const { query } = credential
  const { headers } = head
  const background = scan?.background === true
  const { group, metered } = endpointOfRequest({
    provider,
    method,
    path,
    query,
    websocket,
    headers,
    background,
  })
  const models = modelsNamed({
    method,
    path,
    query,
    websocket,
    body: body.known,
    inBody: scan === null ? [] : [...(scan.model === null ? [] : [scan.model]), ...scan.moreModels],
  })
  const deep = once(() => deepScanOf(body))
  const allModels = once(() => allModelsOf(provider, models, deep().models, headers))
  const dropUsageChunk = askForUsage(body, provider, rest)
  if (body.whole !== null) maskToken(body.whole, credential.token)
  const isListing = method === 'GET' && models.length === 0
  const estimate = {
    inputTokens: Math.ceil((body.whole?.length ?? head.bodyBytes ?? MAX_WHOLE_BYTES) / BYTES_PER_TOKEN),
    outputTokens:
      head.bodyBytes === 0 ? 0 : (scan?.maxTokens ?? ESTIMATED_OUTPUT_TOKENS) * (scan?.choices ?? 1),
  }
  const answer = admit(
    {
      agent,
      provider,
      path,
      group,
      isListing,
      models,
      allModels,
      refersToStored: () =>
        deep().refersToStored ||
        quotesFile(provider, body.whole) ||
        (body.known === 'unread' && mayBeJson(path, head.contentType)),
      estimate,
      metered,
      waitMs: Math.min(head.waitSeconds ?? DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS) * 1_000,
      gone: () => exchange.gone(),
      stillGood,
      // The owner answers for the place that was asked for, and no other of its name.
      stillThere: () => isSamePlace(deps.providers.find(provider.name), provider),
    },
    deps,
  )
  const admitted = answer instanceof Promise ? await answer : answer
  if ('code' in admitted) return admitted
  return {
    ...admitted,
    agent,
    provider,
    path,
    group,
    models,
    allModels,
    isListing,
    target: credential.query === '' ? upstream : `${upstream}?${credential.query}`,
    headers: head.headers,
    body: bodyToSend(body, reading, exchange),
    model: models.find((name) => name !== null) ?? '',
    dropUsageChunk,
    estimate,
  }
}

const NOTHING_FOUND: DeepScan = { models: [], refersToStored: false }

/** What was not read names nothing here; it is known to be unread. */
const deepScanOf = ({ whole, scan }: Body): DeepScan =>
  whole === null || scan === null ? NOTHING_FOUND : deepScan(whole)

function isSamePlace(found: ReturnType<Providers['find']>, before: Provider): boolean {
  if (found === before) return true
  if (found === undefined || 'missing' in found) return false
  const placeOf = ({ scheme, host, port, auth, private: isPrivate }: Provider) =>
    JSON.stringify([scheme, host, port, auth, isPrivate])
  return placeOf(found) === placeOf(before)
}

/** What is not read before it goes on; null for what has to be. */
function kindOfBody({ head: { contentType, isEncoded, bodyBytes } }: Reading): Body | null {
  if (bodyBytes === 0) return NO_BODY
  const isJson = contentType === '' || JSON_TYPE.test(contentType)
  return !isJson || isEncoded || (bodyBytes ?? 0) > MAX_WHOLE_BYTES ? UNREAD : null
}

function wholeBody(agent: Agent, exchange: Exchange, deps: PreparationDeps): Promise<Came> {
  const hold = deps.budget.open(agent.id)
  exchange.keep(hold)
  return readUpTo(exchange.request, MAX_WHOLE_BYTES, { hold, stalls: deps.stalls })
}

function bodyOf(came: Came): Body | LlmRefusal {
  if (came === 'no_room') {
    return refused('rate_limited', 'Bodies of this agent take all the memory there is for them.', 5)
  }
  return came.whole ? scanned(came.bytes) : { ...UNREAD, begun: came.bytes }
}

/** The one charset that JSON has (RFC 8259, 8.1), said or not. */
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-?8"?[ \t]*)?$/

function scanned(bytes: Buffer): Body | LlmRefusal {
  if (bytes.length === 0) return { ...NO_BODY, whole: bytes }
  const scan = scanBody(bytes)
  if (!('problem' in scan)) return { known: 'read', whole: bytes, begun: null, scan }
  // What is not JSON is for the provider to refuse. Two readings of one body would be a way around a grant.
  if (scan.problem === 'not_json') return { ...UNREAD, whole: bytes }
  return refused('bad_request', 'The body names its model, or whether it streams, twice.')
}

/** By the model's name; `provider/model` loses its first half on the way. */
function chooseProvider(reading: Reading, body: Body, deps: PreparationDeps): Provider | LlmRefusal {
  const [ofQuery = null] = namesOfQuery(reading.credential.query)
  const model = body.scan?.model ?? modelOfPath(reading.rest) ?? ofQuery
  if (model === null) {
    const message = 'This path needs a body that names a model; or write /llm/<provider>/… in its place.'
    return refused('unknown_provider', message)
  }
  const chosen = chooseByModel(model, deps.providers, deps.usable())
  if ('code' in chosen) return chosen
  if (chosen.model !== model) {
    if (body.whole === null || body.scan?.modelAt == null) {
      const message = `Write /llm/${chosen.provider.name}/… for this path, and the model without its provider.`
      return refused('unknown_provider', message)
    }
    body.whole = withModel(body.whole, body.scan.modelAt, chosen.model)
    const scan = scanBody(body.whole)
    body.scan = 'problem' in scan ? null : scan
  }
  return chosen.provider
}

/** A stream of chat completions tells its tokens only when it is asked to. */
function askForUsage(body: Body, provider: Provider, rest: string): boolean {
  const { whole, scan } = body
  if (whole === null || scan === null || !scan.stream || scan.includeUsage) return false
  if (!provider.includeUsage || !/\/(chat\/)?completions$/.test(rest)) return false
  const changed = withIncludeUsage(whole, scan)
  if (changed === null) return false
  body.whole = changed
  return true
}

function bodyToSend(body: Body, { head }: Reading, { request }: Exchange): Readable | Buffer | null {
  if (body.whole !== null) return body.whole
  if (head.bodyBytes === 0) return null
  if (head.bodyBytes !== null) head.headers.push('content-length', String(head.bodyBytes))
  return streamed(request, { begun: body.begun, stallMs: STALL_MS })
}

const TOKEN_BEGINS = Buffer.from('oa3_')

/** An agent that quotes its own token in a prompt does not hand it to the vendor. In place: the length stays. */
function maskToken(body: Buffer, token: string): void {
  // Nearly no body holds one, and bytes are looked for faster than text.
  if (body.indexOf(TOKEN_BEGINS) === -1) return
  for (let at = body.indexOf(token); at !== -1; at = body.indexOf(token, at)) {
    body.fill('*', at, at + token.length)
  }
}
