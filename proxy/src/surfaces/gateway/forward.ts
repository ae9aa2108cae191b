import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, type Readable, type Writable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { EgressDialError, type EgressRule, prepareResponse, scrubberFor } from '../../domain/egress/index.ts'
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
  let sink: Writable | undefined
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
        const answer = prepareResponse({
          scrubber,
          status,
          rawHeaders: rawPairs(started.rawHeaders),
          method: prepared.method,
        })
        if ('refused' in answer) {
          ended = true
          started.abort(LEFT)
          return refuse(answer.refused)
        }
        outcome.status = status
        response.sendDate = false
        response.writeHead(status, answer.headers)
        sink = through(answer.transforms(), response)
        // A body may be long in coming; its head is not kept for it.
        setImmediate(() => {
          if (!response.destroyed && !response.writableEnded) response.flushHeaders()
        })
      },
      onResponseData(started, chunk) {
        outcome.responseBytes += chunk.length
        if (session.ended) return void response.destroy()
        if (sink === undefined || sink.destroyed || sink.write(chunk)) return
        started.pause()
        sink.once('drain', () => started.resume())
      },
      onResponseEnd() {
        ended = true
        sink?.end()
      },
      onResponseError(_controller, error) {
        if (ended || response.destroyed) return
        ended = true
        if (!response.headersSent) return refuse(ruleOf(error))
        sink?.destroy(error)
        response.destroy()
      },
    },
  )
}

const LEFT = new Error('the code left')

/** Where the body is written so that it comes out of the last transform into the response. */
function through(transforms: readonly NodeJS.ReadWriteStream[], response: ServerResponse): Writable {
  const [first] = transforms
  if (first === undefined) return response
  // A transform that fails destroys the response with the rest: an answer that was cut never looks whole.
  pipeline([...transforms, response], () => {})
  return first as unknown as Writable
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
