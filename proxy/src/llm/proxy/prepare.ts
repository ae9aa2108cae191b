import type { Provider, Providers } from '../providers/index.ts'
import type { Splice } from '../usage/index.ts'
import { authorizeUse } from './admission.ts'
import type { Caller } from './caller.ts'
import { chooseProvider } from './choose-provider.ts'
import { entitledBody } from './entitled-body.ts'
import type { Exchange } from './exchange.ts'
import { type Reading, shapeAt } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import type { AdmissionDeps } from './wanted.ts'
import { namesLongModel, type Ready, type WantedDeps, WantedRequest } from './wanted-request.ts'
import { type Body, kindOfBody } from './whole-body.ts'

export interface PreparationDeps extends AdmissionDeps, WantedDeps {
  readonly providers: Providers
  /** Those that a model's name alone may lead to. */
  readonly usable: () => readonly Provider[]
}

/** Everything up to the moment at which a request goes out. A refused one has taken no place in any limit. */
export async function prepare(
  entered: Caller,
  reading: Reading,
  exchange: Exchange,
  deps: PreparationDeps,
): Promise<Ready | LlmRefusal> {
  exchange.isEntitled = deps.access.holdsGrant(entered.id, reading.provider?.name ?? null)
  const unread = kindOfBody(reading)
  // Nothing is waited for that is there already: each wait costs a busy proxy a turn.
  const body = unread ?? (await entitledBody(entered, reading, exchange, deps))
  if ('code' in body) return body
  // A body may have taken its time, and its agent may have changed meanwhile.
  const agent =
    unread === null ? deps.identity.revalidateToken(reading.credential.token, exchange.request) : entered
  if (agent === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
  const wanted = wantedOf(agent, body, reading, exchange, deps)
  if ('code' in wanted) return wanted
  const answer = authorizeUse(wanted, deps)
  const admitted = answer instanceof Promise ? await answer : answer
  return 'code' in admitted ? admitted : wanted.ready(admitted)
}

/** What the whole request asks for: no part of `prepare`, whose every variable is kept for as long as it waits. */
function wantedOf(
  agent: Caller,
  body: Body,
  reading: Reading,
  exchange: Exchange,
  deps: PreparationDeps,
): WantedRequest | LlmRefusal {
  const splices: Splice[] = []
  let { provider, rest } = reading
  if (provider === null) {
    const chosen = chooseProvider(reading, exchange.request.method ?? '', body, splices, deps)
    if ('code' in chosen) return chosen
    provider = chosen.provider
    rest = chosen.rest
  }
  exchange.shape = shapeAt(provider, rest)
  const wanted = new WantedRequest({ agent, provider, rest, body, splices, reading, exchange, deps })
  return namesLongModel(wanted.models) ?? wanted
}
