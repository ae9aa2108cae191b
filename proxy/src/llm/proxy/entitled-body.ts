import { behindRoot, type Provider, upstreamPath } from '../providers/index.ts'
import { denied } from './access-refusals.ts'
import { askOwner } from './ask-owner.ts'
import type { Caller } from './caller.ts'
import type { Exchange } from './exchange.ts'
import type { GrantCriteria } from './grant-criteria.ts'
import type { Identity } from './identity.ts'
import { type PatienceDeps, patienceOf, streamFormOf } from './patience.ts'
import { type Reading, shapeAt } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { MAX_UNGRANTED_BYTES } from './request-body.ts'
import { modelsNamed } from './request-model.ts'
import { endpointOfRequest } from './request-scope.ts'
import type { AdmissionDeps } from './wanted.ts'
import { type Body, type WholeBodyDeps, wholeBody } from './whole-body.ts'

interface EntitledBodyDeps extends AdmissionDeps, WholeBodyDeps, PatienceDeps {
  readonly identity: Identity
}

/**
 * Reads a body in the order identity, grant, body: of one whose agent was refused nothing is taken, and of one that
 * nothing is granted to only so much as names a model. Where a model chooses the provider, any grant will do.
 */
export function entitledBody(
  agent: Caller,
  reading: Reading,
  exchange: Exchange,
  deps: EntitledBodyDeps,
): Promise<Body | LlmRefusal> | LlmRefusal {
  const { provider } = reading
  const { isEntitled } = exchange
  if (!isEntitled && provider !== null) {
    const use = {
      ...{ agentId: agent.id, provider: provider.name, model: null },
      ...scopeOf(provider, reading, exchange),
    }
    const verdict = deps.access.evaluate(use)
    if (verdict.verdict === 'denied') return denied(provider.name, verdict.retryAfterSeconds)
    if (verdict.verdict === 'refused') return verdict.refusal
  }
  return wholeBody(agent, reading, exchange, deps, {
    isLimited: deps.access.limitsSpending(agent.id, provider?.name ?? null),
    agree: isEntitled ? null : () => agree(agent, provider, reading, exchange, deps),
  })
}

/** What the head alone says of the path, and of the group that it belongs to. */
function scopeOf(
  provider: Provider,
  { rest, credential, head }: Reading,
  { request, websocket }: Exchange,
): Pick<GrantCriteria, 'path' | 'group'> {
  const path = behindRoot(provider, upstreamPath(provider, rest))
  const { group } = endpointOfRequest({
    ...{ provider, method: request.method ?? '', path, query: credential.query },
    ...{ websocket, headers: head.headers, background: false },
  })
  return { path, group }
}

/** Asks the owner for what a long body that was not read may want; null when it is granted. */
async function agree(
  agent: Caller,
  provider: Provider | null,
  reading: Reading,
  exchange: Exchange,
  deps: EntitledBodyDeps,
): Promise<LlmRefusal | null> {
  if (provider === null) {
    const message =
      'Nothing is granted to this agent yet, and its body is too long to look for a model first: send a shorter request, or write /llm/<provider>/… .'
    return refused('bad_request', message)
  }
  const { credential } = reading
  const { request, websocket } = exchange
  const scope = scopeOf(provider, reading, exchange)
  const { path } = scope
  const method = request.method ?? ''
  const naming = { method, path, query: credential.query, websocket, body: 'unread', inBody: [] } as const
  const models = modelsNamed(naming)
  const shape = shapeAt(provider, reading.rest)
  // Of the body so little is read that only the path can say whether a stream is asked for.
  const form = streamFormOf({ provider, shape, reading, exchange, asksForStream: false })
  const answer = await askOwner(
    {
      agent,
      provider,
      ...scope,
      isListing: false,
      models,
      allModels: () => models,
      patience: () =>
        patienceOf(reading, exchange, deps, { agentId: agent.id, form, bodyBytes: MAX_UNGRANTED_BYTES }),
      gone: () => exchange.gone(),
      revalidateToken: () => deps.identity.revalidateToken(credential.token, request),
    },
    deps,
  )
  return 'code' in answer ? answer : null
}
