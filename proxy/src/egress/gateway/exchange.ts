import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import type { EgressDial, EgressRule, LargeInspections } from '../index.ts'
import type { ClientRequest } from '../relay/index.ts'
import type { Arrival } from './egress-endpoint.ts'
import { type Allowed, type Refused, type RequestHead, recordedOrigin } from './evaluate-request.ts'
import { forward } from './forward.ts'
import { evaluated, whenAnswered } from './held-requests.ts'
import type { Outcome } from './outcome.ts'
import { answerRefusal, type RefusableResponse, writeRefusal } from './refusal.ts'
import type { Upstreams } from './upstreams.ts'
import { openWebSocket } from './websocket.ts'

/** What the code said with `Expect`: nothing, `100-continue`, or something else. */
export type Expectation = 'none' | 'continue' | 'unknown'

export type CodeRequest = ClientRequest & Readable & RequestHead
export interface CodeResponse extends RefusableResponse {
  writeContinue(): void
}

export interface Exchanges {
  request(request: CodeRequest, response: CodeResponse, arrival: Arrival, expect: Expectation): void
  webSocket(request: IncomingMessage, socket: Socket, head: Buffer, arrival: Arrival): void
  /** What the parser could not read, or what said nothing that it could. */
  unreadable(socket: Duplex, arrival: Arrival, rule: 'bad_request' | 'not_http'): void
}

export function createExchanges(deps: {
  readonly dial: EgressDial
  readonly upstreams: Upstreams
  readonly inspections: LargeInspections
  readonly log: (message: string, error?: unknown) => void
}): Exchanges {
  return {
    request(request, response, arrival, expect) {
      const fail = (error: unknown): void => {
        deps.log('the gateway failed on a request', error)
        if (response.headersSent) return void response.destroy()
        answerRefusal(response, { rule: 'gateway_fault', origin: '', secrets: [] }, true)
      }
      whenAnswered(request, response, arrival, fail, (why) => {
        const verdict = evaluated(request, arrival, { websocket: false, why })
        // Without its leave the body does not come, and nothing else can follow on this connection.
        const last = expect !== 'none'
        if ('rule' in verdict) {
          recordRefused(request, verdict)
          return answerRefusal(response, verdict, last || verdict.rule === 'too_many_requests')
        }
        const outcome = emptyOutcome()
        const over = arrival.endpoint.start(() => {
          finish()
          response.destroy()
        })
        const finish = once(() => {
          over?.()
          record(request, verdict, outcome)
        })
        if (over === null || expect === 'unknown') {
          const refused = refusedAfterPrepare(verdict, over === null ? 'too_many_requests' : 'bad_request')
          over?.()
          recordRefused(request, refused)
          return answerRefusal(response, refused, true)
        }
        if (expect === 'continue') response.writeContinue()
        response.once('close', finish)
        forward({
          request,
          response,
          allowed: verdict,
          outcome,
          upstreams: deps.upstreams,
          endpoint: arrival.endpoint,
          inspections: deps.inspections,
          fail,
        })
      })
    },

    webSocket(request, socket, head, arrival) {
      const fail = (error: unknown): void => {
        deps.log('the gateway failed on a request', error)
        writeRefusal(socket, { rule: 'gateway_fault', origin: '', secrets: [] })
      }
      whenAnswered(request, socket, arrival, fail, (why) => {
        const verdict = evaluated(request, arrival, { websocket: true, why })
        if ('rule' in verdict) {
          recordRefused(request, verdict)
          return writeRefusal(socket, verdict)
        }
        const outcome = emptyOutcome()
        const over = arrival.endpoint.start(() => {
          finish()
          socket.destroy()
        })
        const finish = once(() => {
          over?.()
          record(request, verdict, outcome)
        })
        if (over === null) {
          const refused = refusedAfterPrepare(verdict, 'too_many_requests')
          recordRefused(request, refused)
          return writeRefusal(socket, refused)
        }
        socket.once('close', finish)
        openWebSocket({ socket, head, allowed: verdict, outcome, dial: deps.dial, fail })
      })
    },

    unreadable(socket, { endpoint, tunnel }, rule) {
      const { session } = endpoint
      const origin = session === null || tunnel === null ? '' : recordedOrigin(session, tunnel.target)
      const refusal = { rule: session === null ? 'no_run' : rule, origin, secrets: [] } as const
      if (session?.begin()) recordRefused({ method: '' }, { ...refusal, session, path: '' })
      writeRefusal(socket, refusal)
    },
  }
}

const emptyOutcome = (): Outcome => ({ status: null, requestBytes: 0, responseBytes: 0, refused: null })

/** A request is over when its answer is, or when its endpoint closes: the endpoint does not wait for events to come round. */
function once(work: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}

const refusedAfterPrepare = ({ session, origin, prepared }: Allowed, rule: EgressRule): Refused => ({
  rule,
  session,
  origin,
  path: prepared.auditPath,
  secrets: [],
})

function recordRefused(request: Pick<RequestHead, 'method'>, refused: Refused): void {
  refused.session?.record({
    method: request.method ?? '',
    origin: refused.origin,
    path: refused.path,
    status: null,
    requestBytes: 0,
    responseBytes: 0,
    secrets: [],
    refused: refused.rule,
    rejected: refused.secrets,
    ...(refused.ask === undefined ? {} : { ask: refused.ask }),
  })
}

function record(request: RequestHead, { session, origin, prepared }: Allowed, outcome: Outcome): void {
  session.record({
    method: request.method ?? '',
    origin,
    path: prepared.auditPath,
    ...outcome,
    secrets: [...prepared.used],
    rejected: [...prepared.rejected],
  })
}
