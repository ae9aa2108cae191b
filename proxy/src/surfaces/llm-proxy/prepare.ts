import type { Readable } from 'node:stream'
import type { Agent } from '../../domain/agents/index.ts'
import {
  behindRoot,
  nameIn,
  type Provider,
  type Providers,
  readSegments,
  upstreamPath,
} from '../../domain/providers/index.ts'
import {
  type DeepScan,
  deepScan,
  MAX_MODEL_BYTES,
  quotesFile,
  type SpendingFacts,
  type Splice,
  spendingFacts,
} from '../../domain/usage/index.ts'
import { type AdmissionDeps, type Admitted, admit, type Judged, type Wanted } from './admission.ts'
import { entitledBody } from './entitled-body.ts'
import { type StreamForm, streamFormAt } from './error-form.ts'
import type { Exchange } from './exchange.ts'
import type { Forwarding } from './forward.ts'
import type { Identity } from './identity.ts'
import { type PatienceDeps, patienceOf, streamFormOf } from './patience.ts'
import { chooseByModel, type Reading, shapeAt } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { MAX_WHOLE_BYTES } from './request-body.ts'
import { modelOfPath, modelsNamed, namesOfQuery } from './request-model.ts'
import { allModelsOf, endpointOfRequest, keyUseOf, mayBeJson, mayQuoteFiles, once } from './request-scope.ts'
import { spendingOf } from './spending.ts'
import type { UsageWishes } from './usage-wishes.ts'
import { type Body, bodyToSend, heldAgain, kindOfBody, onTheLoop, type WholeBodyDeps } from './whole-body.ts'

/** A request that may go out; only the key is not in it yet. */
export interface Ready extends Admitted, Judged {
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
  /** In which an error ends a stream that has begun. */
  readonly streamForm: StreamForm
  readonly keyUse: Wanted['keyUse']
}

export interface PreparationDeps extends AdmissionDeps, WholeBodyDeps, PatienceDeps {
  readonly providers: Providers
  readonly identity: Identity
  readonly wishes: UsageWishes
  /** Those that a model's name alone may lead to. */
  readonly usable: () => readonly Provider[]
}

/** Where no limit asks for more: what models commonly give at most, of a request that does not say how much it wants. */
const ESTIMATED_OUTPUT_TOKENS = 16_384
export const BYTES_PER_TOKEN = 4

/** Everything up to the moment at which a request goes out. A refused one has taken no place in any limit. */
export async function prepare(
  entered: Agent,
  reading: Reading,
  exchange: Exchange,
  deps: PreparationDeps,
): Promise<Ready | LlmRefusal> {
  const { credential, head } = reading
  const { request, websocket } = exchange
  const method = request.method ?? ''
  const stillGood = (): Agent | null => deps.identity.stillGood(credential.token, request)
  exchange.isEntitled = deps.access.holdsGrant(entered.id, reading.provider?.name ?? null)
  const unread = kindOfBody(reading)
  // Nothing is waited for that is there already: each wait costs a busy proxy a turn.
  const body = unread ?? (await entitledBody(entered, reading, exchange, deps))
  if ('code' in body) return body
  // A body may have taken its time, and its agent may have changed meanwhile.
  const agent = unread === null ? stillGood() : entered
  if (agent === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
  const splices: Splice[] = []
  const chosen =
    reading.provider === null
      ? chooseProvider(reading, method, body, splices, deps)
      : { provider: reading.provider, rest: reading.rest }
  if ('code' in chosen) return chosen
  const { provider, rest } = chosen
  exchange.shape = shapeAt(provider, rest)

  const upstream = upstreamPath(provider, rest)
  const path = behindRoot(provider, upstream)
  const { scan } = body
  const { query } = credential
  const { headers } = head
  const background = scan?.background === true
  const { group, metered, free } = endpointOfRequest({
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
  // Prices, keys and grants are looked for by it.
  if (models.some((name) => name !== null && name.length > MAX_MODEL_BYTES)) {
    return refused('bad_request', `A model's name has at most ${MAX_MODEL_BYTES} characters.`)
  }
  const deep = once(() => deepScanOf(body, agent, deps))
  const allModels = once(() => allModelsOf(provider, models, deep().models, headers))
  const refersToStored = (): boolean =>
    deep().refersToStored ||
    (mayQuoteFiles(provider) && quotesFileOf(body, agent, deps)) ||
    (body.known === 'unread' && mayBeJson(path, head.contentType))
  const model = models.find((name) => name !== null) ?? ''
  const usageWish = deps.wishes.isRefused(provider, model, agent.id)
    ? null
    : askForUsage(body, provider, rest)
  if (usageWish !== null) splices.push(usageWish)
  const keyUse = keyUseOf({ method, group, path, model })
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
      keyUse,
      onlyKey: reading.upload?.keyId ?? null,
      models,
      allModels,
      refersToStored,
      estimate,
      spending: (limits) =>
        spendingOf(
          {
            ...{ provider, method, path, query, websocket, models, headers, refersToStored },
            facts: () =>
              body.spending ??
              (body.known === 'read' && body.whole !== null
                ? spendingFactsOf(body.whole, agent, deps)
                : null),
            isMetered: metered,
            isFree: free,
            ...{ choices: scan?.choices ?? 1, isDeferred: background },
          },
          limits,
        ),
      patience: () =>
        patienceOf(reading, exchange, deps, {
          agentId: agent.id,
          form: streamFormOf({
            provider,
            shape: exchange.shape,
            reading,
            exchange,
            asksForStream: scan?.stream === true,
          }),
          bodyBytes: bytesHeld(body),
        }),
      gone: () => exchange.gone(),
      stillGood,
      // The owner answers for the place that was asked for, and no other of its name.
      stillThere: () => isSamePlace(deps.providers.find(provider.name), provider),
    },
    deps,
  )
  const admitted = answer instanceof Promise ? await answer : answer
  if ('code' in admitted) return admitted
  const { spending } = admitted
  if (spending !== null) splices.push(...spending.splices(admitted.place.cap))
  return {
    ...admitted,
    agent,
    provider,
    path,
    group,
    models,
    allModels,
    isListing,
    keyUse,
    target: credential.query === '' ? upstream : `${upstream}?${credential.query}`,
    headers,
    body: bodyToSend(body, splices, reading, exchange),
    isFree: free,
    plainer:
      usageWish === null || deps.wishes.isTaken(provider, model)
        ? null
        : () =>
            heldAgain(
              body,
              splices.filter((splice) => splice !== usageWish),
              headers,
            ),
    model: keyUse.model,
    dropUsageChunk: usageWish !== null,
    estimate,
    streamForm: streamFormAt(exchange.shape, path),
  }
}

const bytesHeld = ({ whole, begun }: Body): number =>
  whole?.length ?? begun?.reduce((sum, { length }) => sum + length, 0) ?? 0

const NOTHING_FOUND: DeepScan = { models: [], refersToStored: false }

/** What was not read names nothing here; it is known to be unread. */
const deepScanOf = ({ whole, scan, deep }: Body, agent: Agent, deps: WholeBodyDeps): DeepScan =>
  deep ??
  (whole === null || scan === null ? NOTHING_FOUND : onTheLoop(agent, whole, deps, () => deepScan(whole)))

const quotesFileOf = ({ whole, quotesFile: known }: Body, agent: Agent, deps: WholeBodyDeps): boolean =>
  known ?? (whole !== null && onTheLoop(agent, whole, deps, () => quotesFile(whole)))

const spendingFactsOf = (whole: Buffer, agent: Agent, deps: WholeBodyDeps): SpendingFacts | null =>
  onTheLoop(agent, whole, deps, () => spendingFacts(whole))

function isSamePlace(found: ReturnType<Providers['find']>, before: Provider): boolean {
  if (found === before) return true
  if (found === undefined || 'missing' in found) return false
  const placeOf = ({ scheme, host, port, auth, private: isPrivate }: Provider) =>
    JSON.stringify([scheme, host, port, auth, isPrivate])
  return placeOf(found) === placeOf(before)
}

/** By the model's name; `provider/model` loses its first half on the way. */
function chooseProvider(
  reading: Reading,
  method: string,
  body: Body,
  splices: Splice[],
  deps: PreparationDeps,
): { readonly provider: Provider; readonly rest: string } | LlmRefusal {
  const { rest } = reading
  const [ofQuery = null] = namesOfQuery(reading.credential.query)
  const ofPath = modelOfPath(rest, method) ?? (method === 'GET' ? modelAskedAbout(rest) : null)
  const model = body.scan?.model ?? ofPath ?? ofQuery
  if (model === null) {
    const message = 'This path needs a body that names a model; or write /llm/<provider>/… in its place.'
    return refused('unknown_provider', message)
  }
  const chosen = chooseByModel(model, deps.providers, deps.usable())
  if ('code' in chosen) return chosen
  if (chosen.model !== model) {
    if (body.scan?.model == null && ofPath === model) {
      return { provider: chosen.provider, rest: withoutProvider(rest, chosen.provider.name) }
    }
    if (body.whole === null || body.scan?.modelAt == null) {
      const message = `Write /llm/${chosen.provider.name}/… for this path, and the model without its provider.`
      return refused('unknown_provider', message)
    }
    // The body's own token was taken out of it already.
    const name = chosen.model.replaceAll(reading.credential.token, '*')
    splices.push({ ...body.scan.modelAt, text: JSON.stringify(name) })
    body.scan = { ...body.scan, model: chosen.model }
  }
  return { provider: chosen.provider, rest }
}

/** As the list of all providers' models names it: OpenAI's SDKs encode its slash, curl does not. */
const modelAskedAbout = (rest: string): string | null => {
  const asked = /^\/v1\/models\/([^/]+(?:\/[^/]+)*)$/.exec(rest)?.[1]
  return asked === undefined ? null : nameIn(readSegments(asked) ?? asked)
}

/** `/v1/models/google%2Fgemini-3` is `/v1/models/gemini-3` there; the name stands only where a model's does. */
const withoutProvider = (rest: string, provider: string): string =>
  rest.replace(new RegExp(`(/models/)${provider}(?:/|%2f)`, 'i'), '$1')

/** A stream of chat completions tells its tokens only when it is asked to. */
const askForUsage = ({ usageWish }: Body, provider: Provider, rest: string): Splice | null =>
  provider.includeUsage && /\/(chat\/)?completions$/.test(rest) ? usageWish : null
