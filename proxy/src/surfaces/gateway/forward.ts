import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { EgressDialError, type EgressRule, scrubberFor } from '../../domain/egress/index.ts'
import { relay, streamed } from '../relay/index.ts'
import type { Allowed } from './judge.ts'
import type { Outcome } from './outcome.ts'
import { answerRefusal } from './refusal.ts'
import { readWhole } from './request-body.ts'
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

/** Sends an allowed request on and its answer back, as long as the run lasts. */
export function forward(forwarding: Forwarding): void {
  const { request, response, allowed, outcome, fail } = forwarding
  const { framing, body: rewriter } = allowed.prepared
  const onBytes = (bytes: number): void => {
    outcome.requestBytes += bytes
  }
  if (framing.kind !== 'buffer') {
    send(forwarding, framing.kind === 'none' ? null : streamed(request, { rewriter, onBytes }))
    return
  }
  readWhole(request, allowed.prepared, onBytes)
    // The code left in the middle of its request: there is nobody to answer.
    .catch(() => void response.destroy())
    .then((body) => body && send(forwarding, body))
    .catch(fail)
}

function send({ response, allowed, outcome, upstreams }: Forwarding, body: Readable | Buffer | null): void {
  const { prepared, target, session, origin } = allowed
  if (response.destroyed) return
  const upstream = upstreams.take(session.policy, target)
  response.once('close', () => upstream.release())
  const { method, path, headers } = prepared
  const scrubber = scrubberFor(session.policy)
  relay(
    { response, pool: upstream.pool, method, path, headers, body, scrubber },
    {
      onAnswer(status) {
        outcome.status = status
        return null
      },
      onBytes(bytes) {
        outcome.responseBytes += bytes
      },
      refuse(why) {
        const rule = why === 'unreadable' ? 'answer_unreadable' : ruleOf(why)
        outcome.status = null
        outcome.refused = rule
        answerRefusal(response, { rule, origin, secrets: [] }, false)
      },
      mayGoOn: () => !session.ended,
    },
  )
}

function ruleOf(error: unknown): EgressRule {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EgressDialError) return cause.reason
  }
  return 'unreachable'
}
