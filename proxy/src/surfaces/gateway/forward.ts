import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import {
  EgressDialError,
  type EgressRule,
  type PreparedResponse,
  prepareResponse,
  scrubberFor,
} from '../../domain/egress/index.ts'
import { type Answer, createAnswer } from './answer.ts'
import type { Allowed } from './judge.ts'
import type { Outcome } from './outcome.ts'
import { answerRefusal } from './refusal.ts'
import { readWhole, streamed } from './request-body.ts'
import type { Upstreams } from './upstreams.ts'

export interface Forwarding {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly allowed: Allowed
  /** Filled in on the way; complete when the response is closed. */
  readonly outcome: Outcome
  readonly upstreams: Upstreams
  readonly fail: (error: unknown) => void
}

/**
 * Sends an allowed request on and its answer back, both as they come: neither side is read faster than the other takes
 * it. When the code leaves, the upstream is left at once; when the upstream breaks off, so does the answer.
 */
export function forward(forwarding: Forwarding): void {
  const { request, response, allowed, outcome, fail } = forwarding
  const count = (bytes: number): void => {
    outcome.requestBytes += bytes
  }
  if (allowed.prepared.framing.kind !== 'buffer') {
    send(forwarding, streamed(request, allowed.prepared, count))
    return
  }
  readWhole(request, allowed.prepared, count)
    // The code left in the middle of its request: there is nobody to answer.
    .catch(() => void response.destroy())
    .then((body) => body && send(forwarding, body))
    .catch(fail)
}

function send({ response, allowed, outcome, upstreams }: Forwarding, body: Readable | Buffer | null): void {
  const { prepared, target, session, origin } = allowed
  if (response.destroyed) return
  const upstream = upstreams.take(session.policy, target)
  const scrubber = scrubberFor(session.policy)
  let controller: Dispatcher.DispatchController | undefined
  let answer: Answer | undefined
  let ended = false

  response.once('close', () => {
    upstream.release()
    if (!ended) controller?.abort(LEFT)
  })
  const refuse = (rule: EgressRule): void => {
    outcome.refused = rule
    answerRefusal(response, { rule, origin, secrets: [] }, false)
  }

  upstream.pool.dispatch(
    {
      path: prepared.path,
      method: prepared.method as Dispatcher.HttpMethod,
      headers: prepared.headers,
      body,
    },
    {
      onRequestStart(started) {
        controller = started
        if (response.destroyed) started.abort(LEFT)
      },
      onResponseStart(started, status) {
        // Interim answers are between the gateway and the upstream (RFC 9110, 15.2).
        if (status < 200) return
        const given = prepareResponse({
          scrubber,
          status,
          rawHeaders: rawPairs(started.rawHeaders),
          method: prepared.method,
        })
        if ('refused' in given) {
          ended = true
          started.abort(LEFT)
          return refuse(given.refused)
        }
        outcome.status = status
        answer = answerWith(given, { response, status, method: prepared.method }, () => started.resume())
      },
      onResponseData(started, chunk) {
        outcome.responseBytes += chunk.length
        if (session.ended) return void response.destroy()
        if (answer?.write(chunk) === false) started.pause()
      },
      onResponseEnd() {
        ended = true
        answer?.end()
      },
      onResponseError(_controller, error) {
        if (ended || response.destroyed) return
        ended = true
        // An answer that has begun is cut off where the code can see it; nothing that was held back is given.
        if (answer === undefined) refuse(ruleOf(error))
        else response.destroy()
      },
    },
  )
}

const LEFT = new Error('the code left')

function answerWith(
  given: PreparedResponse,
  to: { readonly response: ServerResponse; readonly status: number; readonly method: string },
  ready: () => void,
): Answer {
  const { response, status, method } = to
  const search = given.search()
  if (search === 'encoded') return answerDecoded(given, response, status, ready)
  const mayHaveBody = method !== 'HEAD' && status !== 204 && status !== 304
  return createAnswer(response, { status, headers: given.headers, search, mayHaveBody }, ready)
}

function answerDecoded(
  given: PreparedResponse,
  response: ServerResponse,
  status: number,
  ready: () => void,
): Answer {
  const [first, ...rest] = given.transforms()
  if (first === undefined) throw new Error('an encoded body goes through something')
  response.sendDate = false
  response.writeHead(status, given.headers)
  // A body that cannot be decoded destroys the response with the rest: an answer that was cut never looks whole.
  pipeline([first, ...rest, response], () => {})
  first.on('drain', ready)
  return {
    write: (chunk) => first.destroyed || first.write(chunk),
    end: () => void first.end(),
  }
}

function rawPairs(headers: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(headers)) throw new TypeError('raw headers are a list')
  return headers.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}

function ruleOf(error: unknown): EgressRule {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EgressDialError) return cause.reason
  }
  return 'unreachable'
}
