import type { Socket } from 'node:net'
import type { EgressDial } from '../../egress/index.ts'
import { type AnswerSink, drain, type EarlyBytes, flushSoon, readEarly } from '../../egress/relay/index.ts'
import { onBehalfOf } from '../../kernel/index.ts'
import { LOCKED, type Lockdown } from '../../vault/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Caller } from './caller.ts'
import type { LlmRequest, LlmResponse } from './client.ts'
import type { Entrance } from './entrance.ts'
import { Exchange } from './exchange.ts'
import { forward } from './forward.ts'
import type { InFlight } from './in-flight.ts'
import { createHeadReading } from './known-readings.ts'
import type { ListPace } from './list-pace.ts'
import type { LiveSessions } from './live-sessions.ts'
import { listModels } from './models-list.ts'
import { Outgoing, type OutgoingDeps } from './outgoing.ts'
import { type PreparationDeps, prepare } from './prepare.ts'
import type { Reading } from './read-head.ts'
import { answerRefusal, type LlmErrorCode, type LlmRefusal, refused, writeRefusal } from './refusal.ts'
import type { RefusalPace } from './refusal-pace.ts'
import { settle } from './settlement.ts'
import { watchAllowed } from './still-allowed.ts'
import type { Ready } from './wanted-request.ts'
import { openWebSocket } from './websocket.ts'

/** What all entrances share; each brings its own `identity` and `access`. */
export interface ServingDeps
  extends Omit<PreparationDeps, 'identity' | 'access'>,
    Pick<OutgoingDeps, 'uploads' | 'readingOn' | 'poolOf' | 'scrubberOf' | 'headersWithKey'>,
    Pick<OutgoingDeps, 'away' | 'stopped'> {
  readonly keys: ProviderKeys
  readonly lockdown: Pick<Lockdown, 'state'>
  readonly accepting: () => boolean
  readonly inFlight: InFlight
  readonly lists: ListPace
  readonly refusals: RefusalPace
  readonly sessions: LiveSessions
  readonly answerTimeouts: OutgoingDeps['idleTimeouts']
  readonly dial: EgressDial
  readonly onRefused: (code: LlmErrorCode) => void
  /** What a request is answered that failed. */
  readonly fault: (error: unknown) => LlmRefusal
}

/** Requests of one entrance, from their first byte to their last. */
export interface Serving {
  request(request: LlmRequest, response: LlmResponse): void
  upgrade(request: LlmRequest, socket: Socket, head: Buffer): void
}

/** Of a refused request of one that nothing is granted to so much is still read, so that its client comes to read why. */
const MAX_REFUSED_BYTES = 128 * 1_024

interface Entered {
  readonly agent: Caller
  readonly reading: Reading
}

export function createServing(deps: ServingDeps, entrance: Entrance): Serving {
  const { identity, access, addressing } = entrance
  const { refusals } = deps
  const readHead = createHeadReading(deps.providers, deps.uploads, addressing)
  const preparation = { ...deps, identity, access }
  const outgoing: OutgoingDeps = { ...preparation, idleTimeouts: deps.answerTimeouts }

  /** Reads the head, knows its caller and takes it in: the way of every request, whatever becomes of it. */
  const enter = (exchange: Exchange): Entered | LlmRefusal | Promise<LlmRefusal> => {
    const { request } = exchange
    const reading = readHead(request, exchange)
    exchange.shape = reading.shape
    if ('refusal' in reading) return identity.missing(request, reading.refusal)
    if (deps.lockdown.state !== null) return refused('locked', LOCKED)
    if (!deps.accepting()) return refused('shutting_down', 'The daemon is stopping.', 5)
    const agent = identity.of(reading.credential.token, request)
    if (agent instanceof Promise) return agent
    const place = deps.inFlight.take(agent.id)
    if (place === null) return refused('rate_limited', 'Too many requests of this agent are under way.', 1)
    exchange.keep(place)
    return { agent, reading }
  }

  /** What could not be sent takes no place in the limits. A connection that it needs is opened for its caller. */
  const sending = (ready: Ready, send: () => void): void => {
    try {
      onBehalfOf(ready.agent.id, send)
    } catch (error) {
      ready.place.release()
      throw error
    }
  }

  /** What refuses it, or null once it is answered. */
  const answerList = async (
    { agent, reading }: Entered,
    request: LlmRequest,
    response: LlmResponse,
    gone: AbortSignal,
  ): Promise<LlmRefusal | null> => {
    using turn = await deps.lists.turn(agent.id, gone)
    if (turn === undefined)
      return refused('rate_limited', 'Too many lists of models are asked for at once.', 1)
    const read = (bytes: number): void => turn.read(bytes)
    const revalidate = () => identity.revalidateToken(reading.credential.token, request)
    const body = await listModels(revalidate, gone, { ...preparation, read })
    if (body === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
    response.writeHead(200, [
      ...['content-type', 'application/json'],
      ...['content-length', String(Buffer.byteLength(body))],
      ...['cache-control', 'no-store'],
    ])
    response.end(body)
    return null
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
    // Its key was opened before.
    if (deps.lockdown.state !== null) {
      ready.place.release()
      refuse(refused('locked', LOCKED))
      return
    }
    // What its answer is read on for is recorded before its place is given back.
    if (ready.spending !== null) exchange.retain()
    sending(ready, () => {
      const going = new Outgoing({ ready, reading, exchange, sink, refuse, deps: outgoing })
      if (going.isAuthorized()) return forward(going)
      ready.place.release()
      refuse(deps.stopped(ready.provider, 'not_allowed'))
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
          refuse(deps.fault(error))
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
      return refuse(deps.stopped(ready.provider, 'not_allowed'))
    }
    deps.sessions.watch(opening.socket, isAuthorized)
    sending(ready, () =>
      openWebSocket({
        ...opening,
        provider: ready.provider,
        target: ready.target,
        headers: deps.headersWithKey(ready),
        scrubber: deps.scrubberOf(ready),
        dial: deps.dial,
        unreachable: (error) => refuse(deps.away(ready.provider, error)),
        over: (outcome) => settle(ready, outcome, deps.keys),
      }),
    )
  }

  const tell = (refusal: LlmRefusal): void => {
    deps.onRefused(refusal.code)
    entrance.refused?.(refusal)
  }

  return {
    request(request, response) {
      const exchange = new Exchange(request, response)
      response.on('close', () => exchange.end())
      const refuse = (refusal: LlmRefusal): void => {
        tell(refusal)
        drain(request, undefined, exchange.isEntitled ? undefined : MAX_REFUSED_BYTES)
        if (exchange.stream === null) answerRefusal(response, refusal, exchange.shape)
        else exchange.stream.fail(refusal)
      }
      serve(exchange, response, refuse).catch((error: unknown) => refuse(deps.fault(error)))
    },

    upgrade(request, socket, head) {
      const exchange = new Exchange(request, null)
      socket.on('close', () => exchange.end())
      socket.on('error', () => {})
      const refuse = (refusal: LlmRefusal): void => {
        tell(refusal)
        writeRefusal(socket, refusal, exchange.shape)
      }
      serveUpgrade(exchange, { socket, early: readEarly(socket, head) }, refuse).catch((error: unknown) =>
        refuse(deps.fault(error)),
      )
    },
  }
}
