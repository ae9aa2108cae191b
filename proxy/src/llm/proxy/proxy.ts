import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type EgressDial, EgressDialError } from '../../egress/index.ts'
import {
  type AnswerSink,
  drain,
  type EarlyBytes,
  flushSoon,
  isMalformedAnswer,
  readEarly,
} from '../../egress/relay/index.ts'
import type { Agent, Agents } from '../../identity/agents/index.ts'
import { AppError, loopTurns, onBehalfOf, type SecretValue, type TenantId } from '../../kernel/index.ts'
import { createScrubber, type Scrubber } from '../../scrub/index.ts'
import { LOCKED, type Lockdown } from '../../vault/index.ts'
import type { KeySharing, ProviderAccess } from '../provider-access/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Provider, Providers } from '../providers/index.ts'
import type { LargeBodies, Usage } from '../usage/index.ts'
import type { LlmRequest, LlmResponse } from './client.ts'
import { Exchange } from './exchange.ts'
import { ANSWER_IDLE_MS, forward } from './forward.ts'
import { createIdentity, type SharedGate } from './identity.ts'
import { createIdleTimeouts } from './idle-timeouts.ts'
import { createLiveSessions } from './live-sessions.ts'
import { listModels } from './models-list.ts'
import { Outgoing, type OutgoingDeps } from './outgoing.ts'
import { HOLD_TIMES, type HoldTimes } from './patience.ts'
import { prepare } from './prepare.ts'
import { type Reading, readRequest } from './read-head.ts'
import { createReadingOn, READ_ON_MS } from './reading-on.ts'
import { answerRefusal, type LlmErrorCode, type LlmRefusal, refused, writeRefusal } from './refusal.ts'
import { createRefusalPace } from './refusal-pace.ts'
import { BODY_IDLE_MS, BodyBroken } from './request-body.ts'
import { settle } from './settlement.ts'
import type { LlmShares } from './shares.ts'
import { watchAllowed } from './still-allowed.ts'
import { createUploadSessions } from './upload-sessions.ts'
import { putKey } from './upstream-headers.ts'
import { createProviderPools, type LlmTransport } from './upstreams.ts'
import { createUsableProviders } from './usable-providers.ts'
import { createUsageWishes } from './usage-wishes.ts'
import type { Ready } from './wanted-request.ts'
import { openWebSocket } from './websocket.ts'

export interface LlmProxyDeps {
  readonly agents: Agents
  readonly providers: Providers
  readonly keys: ProviderKeys
  readonly sharing: KeySharing
  readonly access: ProviderAccess
  readonly usage: Usage
  readonly largeBodies: LargeBodies
  readonly gate: SharedGate
  readonly tenant: TenantId
  /** With the proxies of other tenants. */
  readonly shares: LlmShares
  readonly dial: EgressDial
  readonly transport: LlmTransport
  /** Whether the owner is asked in a chat: where a client is told to have it answered. */
  readonly asksInChat: boolean
  readonly accepting: () => boolean
  readonly lockdown: Pick<Lockdown, 'state'>
  readonly onRefused: (code: LlmErrorCode) => void
  readonly log: (message: string, error?: unknown) => void
  readonly holdTimes?: HoldTimes
}

/**
 * The agent holds a token, the daemon holds the key: the token is taken out, the key put in, and what the provider says
 * passes as it comes. It stands in front of the other surfaces on the daemon's port, without a framework.
 */
export interface LlmProxy extends AsyncDisposable {
  takes(url: string): boolean
  request(request: LlmRequest, response: LlmResponse): void
  upgrade(request: LlmRequest, socket: Socket, head: Buffer): void
  /** Whether this secret stands for an upload that was opened through it. */
  hasUpload(secret: string): boolean
  /** Answers what waits for the owner, ends sessions, and gives what is under way so much time. */
  drain(ms: number): Promise<void>
}

/** Whether a request target is the proxy's to answer. */
export const isLlmTarget = (url: string): boolean => url.startsWith('/llm/') || url.startsWith('/v1/')

/** Of a refused request of one that nothing is granted to so much is still read, so that its client comes to read why. */
const MAX_REFUSED_BYTES = 128 * 1_024

/** How long clients have to take in why their streams end when the daemon stops. */
const TELL_MS = 1_000

interface Entered {
  readonly agent: Agent
  readonly reading: Reading
}

export function createLlmProxy(deps: LlmProxyDeps): LlmProxy {
  const { providers, keys } = deps
  const shares = deps.shares.join()
  const pools = createProviderPools(deps.dial, deps.transport)
  const identity = createIdentity(deps)
  const usable = createUsableProviders(deps)
  const bodyTimeouts = createIdleTimeouts(BODY_IDLE_MS)
  const answerTimeouts = createIdleTimeouts(ANSWER_IDLE_MS)
  const sessions = createLiveSessions(deps.log)
  const readingOn = createReadingOn(READ_ON_MS)
  const { inFlight, lists } = shares
  const closing = new AbortController()
  const refusals = createRefusalPace(closing.signal)
  const preparation = {
    ...deps,
    closing: closing.signal,
    identity,
    usable,
    idleTimeouts: bodyTimeouts,
    budget: shares.budget,
    turns: loopTurns,
    readingTime: shares.readingTime,
    held: shares.held,
    holdTimes: deps.holdTimes ?? HOLD_TIMES,
    wishes: createUsageWishes(),
  }
  const uploads = createUploadSessions()
  const scrubbers = new WeakMap<SecretValue, Scrubber>()

  const scrubberOf = ({ key, provider }: Pick<Ready, 'key' | 'provider'>): Scrubber | null => {
    if (key === null) return null
    const known = scrubbers.get(key.value)
    if (known !== undefined) return known
    const scrubber = createScrubber(new Map([[`${provider.name} key`, key.value.open()]]))
    scrubbers.set(key.value, scrubber)
    return scrubber
  }

  /** Reads the head, knows its agent and takes it in: the way of every request, whatever becomes of it. */
  const enter = (exchange: Exchange): Entered | LlmRefusal | Promise<LlmRefusal> => {
    const { request } = exchange
    const reading = readRequest(request, providers, exchange, uploads)
    exchange.shape = reading.shape
    if ('refusal' in reading) return identity.missing(request, reading.refusal)
    if (deps.lockdown.state !== null) return refused('locked', LOCKED)
    if (!deps.accepting()) return refused('shutting_down', 'The daemon is stopping.', 5)
    const agent = identity.of(reading.credential.token, request)
    if (agent instanceof Promise) return agent
    const place = inFlight.take(agent.id)
    if (place === null) return refused('rate_limited', 'Too many requests of this agent are under way.', 1)
    exchange.keep(place)
    return { agent, reading }
  }

  /** The key is put in at the last moment, and nowhere else. */
  const headersWithKey = ({ headers, provider, key }: Ready): string[] => {
    if (key !== null) putKey(headers, provider, key.value.open())
    return headers
  }

  /** What could not be sent takes no place in the limits. A connection that it needs is opened for its agent. */
  const sending = (ready: Ready, send: () => void): void => {
    try {
      onBehalfOf(ready.agent.id, send)
    } catch (error) {
      ready.place.release()
      throw error
    }
  }

  const away = (provider: Provider, error: unknown): LlmRefusal => {
    if (
      error === 'too_many_requests' ||
      (error instanceof EgressDialError && error.reason === 'too_many_requests')
    ) {
      return refused('rate_limited', 'Too many names are being looked up for this agent.', 1)
    }
    deps.log(`the provider ${provider.name} cannot be reached`, error)
    const what = isMalformedAnswer(error) ? 'answered in no HTTP that can be read' : 'cannot be reached'
    return refused('upstream_unreachable', `${provider.name} ${what}.`)
  }

  /** Why a stream ends in the middle: nothing but its last event can say so. */
  const stopped = (provider: Provider, why: 'not_allowed' | Error): LlmRefusal => {
    if (why === 'not_allowed') {
      return refused('access_revoked', 'The owner took back what this request was let through by.')
    }
    return closing.signal.aborted
      ? refused('shutting_down', 'The daemon is stopping; ask again in a moment.', 5)
      : refused('upstream_unreachable', `${provider.name} broke off in the middle of its answer.`)
  }

  const fault = (error: unknown): LlmRefusal => {
    if (error instanceof BodyBroken) return refused('bad_request', 'The body did not come whole.')
    if (error instanceof AppError && error.code === 'locked') return refused('locked', error.message)
    if (error instanceof AppError && error.code === 'storage_unavailable') {
      return refused('storage_unavailable', error.message, error.retryAfterSeconds)
    }
    deps.log('the LLM proxy failed on a request', error)
    return refused('internal', 'The daemon failed; its log has the details.')
  }

  /** What refuses it, or null once it is answered. */
  const answerList = async (
    { agent, reading }: Entered,
    request: LlmRequest,
    response: LlmResponse,
    gone: AbortSignal,
  ): Promise<LlmRefusal | null> => {
    using turn = await lists.turn(agent.id, gone)
    if (turn === undefined)
      return refused('rate_limited', 'Too many lists of models are asked for at once.', 1)
    const read = (bytes: number): void => turn.read(bytes)
    const revalidate = () => identity.revalidateToken(reading.credential.token, request)
    const body = await listModels(revalidate, gone, {
      ...{ ...deps, usable, scrubberOf, poolOf: pools.poolOf, read },
    })
    if (body === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
    response.writeHead(200, [
      ...['content-type', 'application/json'],
      ...['content-length', String(Buffer.byteLength(body))],
      ...['cache-control', 'no-store'],
    ])
    response.end(body)
    return null
  }

  const outgoing: OutgoingDeps = {
    ...preparation,
    idleTimeouts: answerTimeouts,
    ...{ uploads, readingOn, poolOf: pools.poolOf, scrubberOf, headersWithKey, away, stopped },
  }

  /** No part of `serve`, whose every variable is kept for as long as it waits. */
  const send = (
    ready: Ready,
    reading: Reading,
    exchange: Exchange,
    sink: AnswerSink,
    refuse: (refusal: LlmRefusal) => void,
  ): void => {
    if (sink.destroyed) {
      ready.place.release()
      return
    }
    // What its answer is read on for is recorded before its place is given back.
    if (ready.spending !== null) exchange.retain()
    sending(ready, () => {
      const going = new Outgoing({ ready, reading, exchange, sink, refuse, deps: outgoing })
      if (going.isAuthorized()) return forward(going)
      ready.place.release()
      refuse(stopped(ready.provider, 'not_allowed'))
    })
  }

  const serve = async (
    exchange: Exchange,
    response: LlmResponse,
    refuse: (refusal: LlmRefusal) => void,
  ): Promise<void> => {
    const { request } = exchange
    const known = enter(exchange)
    const entered = known instanceof Promise ? await known : known
    if ('code' in entered) return refuse(entered)
    const { agent, reading } = entered
    const refuseInTime = async (refusal: LlmRefusal): Promise<void> => {
      await refusals.wait(agent.id, exchange)
      refuse(refusal)
    }
    if (reading.provider === null && reading.rest === '/v1/models' && request.method === 'GET') {
      const refusal = await onBehalfOf(agent.id, () =>
        answerList(entered, request, response, exchange.gone()),
      )
      return refusal === null ? undefined : refuseInTime(refusal)
    }
    const ready = await prepare(agent, reading, exchange, preparation)
    if ('code' in ready) return refuseInTime(ready)
    // Upstreams, too, are woken once for all that comes in a turn. What it depends on is looked at when it goes out.
    flushSoon({
      flush() {
        try {
          send(ready, reading, exchange, exchange.stream ?? response, refuse)
        } catch (error) {
          refuse(fault(error))
        }
      },
      breakOff: () => response.destroy(),
    })
  }

  const serveUpgrade = async (
    exchange: Exchange,
    opening: { readonly socket: Socket; readonly early: EarlyBytes },
    refuse: (refusal: LlmRefusal) => void,
  ): Promise<void> => {
    const { request } = exchange
    const known = enter(exchange)
    const entered = known instanceof Promise ? await known : known
    if ('code' in entered) return refuse(entered)
    const { agent, reading } = entered
    const ready = await prepare(agent, reading, exchange, preparation)
    if ('code' in ready) return refuse(ready)
    if (opening.socket.destroyed) return ready.place.release()
    const isAuthorized = watchAllowed(ready, reading, request, preparation)
    if (!isAuthorized()) {
      ready.place.release()
      return refuse(stopped(ready.provider, 'not_allowed'))
    }
    sessions.watch(opening.socket, isAuthorized)
    sending(ready, () =>
      openWebSocket({
        ...opening,
        provider: ready.provider,
        target: ready.target,
        headers: headersWithKey(ready),
        scrubber: scrubberOf(ready),
        dial: deps.dial,
        unreachable: (error) => refuse(away(ready.provider, error)),
        over: (outcome) => settle(ready, outcome, keys),
      }),
    )
  }

  return {
    takes: isLlmTarget,

    request(request, response) {
      const exchange = new Exchange(request, response)
      response.on('close', () => exchange.end())
      const refuse = (refusal: LlmRefusal): void => {
        deps.onRefused(refusal.code)
        drain(request, undefined, exchange.isEntitled ? undefined : MAX_REFUSED_BYTES)
        if (exchange.stream === null) answerRefusal(response, refusal, exchange.shape)
        else exchange.stream.fail(refusal)
      }
      serve(exchange, response, refuse).catch((error: unknown) => refuse(fault(error)))
    },

    upgrade(request, socket, head) {
      const exchange = new Exchange(request, null)
      socket.on('close', () => exchange.end())
      socket.on('error', () => {})
      const refuse = (refusal: LlmRefusal): void => {
        deps.onRefused(refusal.code)
        writeRefusal(socket, refusal, exchange.shape)
      }
      serveUpgrade(exchange, { socket, early: readEarly(socket, head) }, refuse).catch((error: unknown) =>
        refuse(fault(error)),
      )
    },

    hasUpload: (secret) => uploads.find(secret) !== undefined,

    async drain(ms) {
      closing.abort(new Error('the daemon is stopping'))
      sessions[Symbol.dispose]()
      readingOn[Symbol.dispose]()
      await Promise.race([inFlight.settled(), delay(ms, undefined, { ref: false })])
      // What still goes on is broken off upstream, and its client is told so before its own connection is closed.
      await pools[Symbol.asyncDispose]()
      await Promise.race([inFlight.settled(), delay(TELL_MS, undefined, { ref: false })])
    },

    async [Symbol.asyncDispose]() {
      sessions[Symbol.dispose]()
      readingOn[Symbol.dispose]()
      // What is under way breaks off with its connections, and its usage is recorded before they close.
      await pools[Symbol.asyncDispose]()
      await inFlight.settled()
      shares.leave()
      bodyTimeouts[Symbol.dispose]()
      answerTimeouts[Symbol.dispose]()
    },
  }
}
