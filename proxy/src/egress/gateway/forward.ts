import type { Readable } from 'node:stream'
import { onBehalfOf } from '../../kernel/index.ts'
import {
  ANY_CLAIMS,
  type AskEntry,
  type Authorized,
  askForMore,
  authorizeBody,
  type BodyClaims,
  type BodyInspection,
  claimsOf,
  EgressDialError,
  type EgressRule,
  type EgressSession,
  type LargeInspections,
  scrubberFor,
} from '../index.ts'
import { type ClientRequest, drain, isMalformedAnswer, relay, streamed } from '../relay/index.ts'
import type { Endpoint } from './egress-endpoint.ts'
import type { Allowed } from './evaluate-request.ts'
import type { Outcome } from './outcome.ts'
import { answerRefusal, type RefusableResponse } from './refusal.ts'
import { readWhole } from './request-body.ts'
import type { Upstreams } from './upstreams.ts'

export interface Forwarding {
  readonly request: ClientRequest & Readable
  readonly response: RefusableResponse
  readonly allowed: Allowed
  /** Filled in on the way; complete when the response is closed. */
  readonly outcome: Outcome
  readonly upstreams: Upstreams
  readonly endpoint: Pick<Endpoint, 'hold' | 'release'>
  readonly inspections: LargeInspections
  readonly fail: (error: unknown) => void
}

const NO_BODY = Buffer.alloc(0)
/** Much code reads its answer when it has sent all, however long that takes. The run's own limits bound it. */
const WHILE_THE_RUN_LASTS = Number.POSITIVE_INFINITY
/** Up to here a body is looked into at once, in a millisecond or two whatever it holds. */
const SMALL_BYTES = 64 * 1_024

/** Sends an allowed request on and its answer back, as long as the run lasts. */
export function forward(forwarding: Forwarding): void {
  const { request, response, allowed, outcome, endpoint, fail } = forwarding
  const { framing, body: rewriter, inspection } = allowed.prepared
  const onBytes = (bytes: number): void => {
    outcome.requestBytes += bytes
  }
  if (framing.kind !== 'buffer') {
    if (inspection !== null && !isApproved(forwarding, claimsOf(inspection, NO_BODY))) return
    send(
      forwarding,
      framing.kind === 'none'
        ? null
        : streamed(request, {
            ...{ rewriter, onBytes, drainMs: WHILE_THE_RUN_LASTS },
            isAuthorized: () => isOpen(allowed),
          }),
    )
    return
  }
  let heldBytes = 0
  response.once('close', () => endpoint.release(heldBytes))
  const hold = (bytes: number): boolean => {
    const isHeld = endpoint.hold(bytes)
    if (isHeld) heldBytes += bytes
    return isHeld
  }
  readWhole(request, allowed.prepared, framing.maxBytes, { onBytes, hold })
    // The code left in the middle of its request: there is nobody to answer.
    .catch(() => void response.destroy())
    .then(async (body) => {
      if (!body) return
      if (body === 'no room') return refuse(forwarding, 'too_many_requests')
      // Only what had to be looked into can be too long: a declared length has its own limit.
      const isLong = body === 'too long'
      const claims = isLong ? ANY_CLAIMS : inspection && (await claimsIn(forwarding, inspection, body.sent))
      if (!isOpen(allowed)) return refuse(forwarding, 'host_not_approved')
      if (claims !== null && !isApproved(forwarding, claims)) return
      if (!isLong) send(forwarding, body.rewritten)
    })
    .catch(fail)
}

const claimsIn = (
  { inspections, allowed }: Forwarding,
  inspection: BodyInspection,
  body: Buffer,
): BodyClaims | Promise<BodyClaims> =>
  body.length <= SMALL_BYTES
    ? claimsOf(inspection, body)
    : inspections.inspect(allowed.session.policy.owner, inspection, body)

/** Whether one of what it goes by is open still: what a person opened for one call is closed behind it, for what was begun too. */
const isOpen = ({ session, authorized }: Allowed): boolean =>
  !session.ended && authorized.entries.some(among(session))
const among =
  ({ policy }: EgressSession) =>
  (entry: Authorized['entries'][number]): boolean =>
    policy.capabilities.includes(entry)

/** Whether what its body shows, or does not rule out, was approved; it is counted then, and refused otherwise. */
function isApproved(forwarding: Forwarding, claims: BodyClaims): boolean {
  const { authorized, session } = forwarding.allowed
  const entries = authorized.entries.filter(among(session))
  const verdict = authorizeBody({ ...authorized, entries }, claims)
  if ('ask' in verdict) refuse(forwarding, 'method_not_approved', verdict.ask)
  else if (session.spend(verdict.entries)) return true
  else refuse(forwarding, 'requests_exceeded', askForMore(verdict.entries, authorized.ask()))
  return false
}

function refuse({ request, response, allowed, outcome }: Forwarding, rule: EgressRule, ask?: AskEntry): void {
  outcome.refused = rule
  if (ask !== undefined) outcome.ask = ask
  answerRefusal(
    response,
    { rule, origin: allowed.origin, secrets: [], ...(ask && { ask }) },
    !request.complete,
  )
  drain(request, WHILE_THE_RUN_LASTS)
}

function send({ response, allowed, outcome, upstreams }: Forwarding, body: Readable | Buffer | null): void {
  const { prepared, target, session, origin } = allowed
  if (response.destroyed) return
  const upstream = upstreams.take(session, target, prepared)
  response.once('close', () => upstream.release())
  const { method, path, headers, part } = prepared
  const scrubber = scrubberFor(session.policy)
  const forwardRequest = { response, pool: upstream.pool, method, path, headers, body, scrubber, part }
  onBehalfOf(session.policy.owner, () =>
    relay(forwardRequest, {
      onAnswer(status) {
        outcome.status = status
        return null
      },
      onBytes(bytes) {
        outcome.responseBytes += bytes
      },
      refuse(why) {
        const rule = !isOpen(allowed)
          ? 'host_not_approved'
          : why === 'unreadable'
            ? 'answer_unreadable'
            : ruleOf(why)
        outcome.status = null
        outcome.refused = rule
        answerRefusal(response, { rule, origin, secrets: [] }, false)
      },
      isAuthorized: () => isOpen(allowed),
    }),
  )
}

function ruleOf(error: unknown): EgressRule {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EgressDialError) return cause.reason
  }
  return isMalformedAnswer(error) ? 'answer_malformed' : 'unreachable'
}
