import { readFields } from '../../egress/index.ts'
import {
  normalisePath,
  type Provider,
  type Providers,
  providerOfModel,
  upstreamPath,
} from '../providers/index.ts'
import type { LlmRequest } from './client.ts'
import { type TakenCredential, withoutCredential } from './credentials.ts'
import type { Addressing } from './entrance.ts'
import type { AnswerShape } from './error-form.ts'
import { overridingParameter } from './query-overrides.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { UPLOAD_PARAMETER, type UploadSession, type UploadSessions } from './upload-sessions.ts'
import { type UpstreamHead, upstreamHead } from './upstream-headers.ts'

/** What a request says before its body: where it goes and with which token. */
export interface Reading {
  /** Null: the model decides. */
  readonly provider: Provider | null
  /** Behind the provider's name, or the whole path where none is named. */
  readonly rest: string
  /** Its fields are those of `head`. */
  readonly credential: Omit<TakenCredential, 'fields'>
  readonly head: UpstreamHead
  /** The upload that its address stands for. */
  readonly upload: UploadSession | null
  /** Of an error, before the model has chosen a provider. */
  readonly shape: AnswerShape
}

export interface Unread {
  readonly refusal: LlmRefusal
  readonly shape: AnswerShape
}

/**
 * Against request smuggling: everything is read and checked once, in this order, and from here on nothing else of the request
 * line or head is looked at.
 */
export function readRequest(
  request: LlmRequest,
  providers: Providers,
  options: { readonly websocket: boolean },
  uploads: Pick<UploadSessions, 'find'>,
  addressing: Addressing,
): Reading | Unread {
  const target = normalisePath(request.url ?? '')
  if ('problem' in target) {
    return unread(refused('bad_request', `The path ${target.problem}.`), addressing.shape)
  }
  const route = addressing.routeOf(target.path)
  if (route === null) return unread(addressing.unknown, addressing.shape)
  const found = route.kind === 'provider' ? providers.find(route.provider) : null
  if (found === undefined) return unread(notFound(target.path), addressing.shape)
  if (found !== null && 'missing' in found) {
    const [first = ''] = found.missing
    const name = route.kind === 'provider' ? route.provider : ''
    const how = `oauth3 provider set ${name} ${first}=…`
    return unread(
      refused('provider_not_configured', `The owner has to say the ${first} of ${name}: ${how}`),
      addressing.shape,
    )
  }
  const shape = shapeAt(found, route.rest)
  const fields = readFields(request.rawHeaders)
  if (fields === null) return unread(refused('bad_request', 'A header holds characters it may not.'), shape)
  const [query, secret] = takeUpload(target.query)
  const upload = secret === null ? null : (uploads.find(secret) ?? null)
  const isAtHome =
    upload !== null &&
    found !== null &&
    found.name === upload.provider &&
    upstreamPath(found, route.rest) === upload.path
  const taken = addressing.take(target.path, fields, query)
  const credential =
    isAtHome && 'problem' in taken && taken.problem === 'missing'
      ? withoutCredential(fields, query, upload.token)
      : taken
  if ('problem' in credential) return unread(CREDENTIAL_PROBLEM[credential.problem], shape)
  if (isAtHome && credential.token !== upload.token) return unread(CREDENTIAL_PROBLEM.ambiguous, shape)
  const overriding = overridingParameter(credential.query)
  if (overriding !== null) {
    const message = `The query holds ${overriding}, by which a server would read another request than this one; leave it out.`
    return unread(refused('bad_request', message), shape)
  }
  const head = upstreamHead(credential.fields, options.websocket)
  if (head === null) {
    return unread(
      refused('bad_request', 'The request describes its body or its connection in two ways.'),
      shape,
    )
  }
  return {
    ...{ provider: found, rest: route.rest, head, upload: isAtHome ? upload : null, shape },
    credential: { token: credential.token, query: credential.query },
  }
}

/** The rest of the query, and what stands for an upload in it. */
export function takeUpload(query: string): readonly [string, string | null] {
  if (!query.includes(UPLOAD_PARAMETER)) return [query, null]
  const parts = query.split('&')
  const mine = parts.filter((part) => part.startsWith(`${UPLOAD_PARAMETER}=`))
  const secret = mine.length === 1 ? (mine[0] as string).slice(UPLOAD_PARAMETER.length + 1) : null
  return [parts.filter((part) => !mine.includes(part)).join('&'), secret]
}

const unread = (refusal: LlmRefusal, shape: AnswerShape): Unread => ({ refusal, shape })

/** Behind /v1 a name may be meant for another surface, which is not there; behind /llm it can only be a provider's. */
const notFound = (path: string): LlmRefusal =>
  refused(
    path.startsWith('/v1/') ? 'unknown_path' : 'unknown_provider',
    'There is no such provider; the owner sees them with: oauth3 provider list',
  )

const CREDENTIAL_PROBLEM = {
  missing: refused('unauthenticated', 'Send an agent token (oa3_…) where the provider wants its key.'),
  ambiguous: refused('ambiguous_credentials', 'More than one credential came; send the token once.'),
  elsewhere: refused('ambiguous_credentials', 'The token stands in a second place of the request as well.'),
} as const

/** In whose form a client reads errors here: providers may have endpoints of another's form. */
export function shapeAt(provider: Provider | null, rest: string): AnswerShape {
  if (/\/messages(\/|$)/.test(rest)) return 'anthropic'
  if (provider === null || rest.includes('/openai')) return 'openai'
  return provider.name === 'openrouter' ? 'openrouter' : provider.errors
}

/** Where a request goes that names a model and no provider. */
export function chooseByModel(
  model: string,
  providers: Providers,
  usable: readonly Provider[],
): { readonly provider: Provider; readonly model: string } | LlmRefusal {
  const chosen = providerOfModel(model, usable)
  if (!('problem' in chosen)) return chosen
  const named = /^([a-z][a-z0-9-]*)\//.exec(model)?.[1]
  const unset = named === undefined ? undefined : providers.find(named)
  if (unset !== undefined && 'missing' in unset) {
    return refused(
      'provider_not_configured',
      `The owner has to fill in ${unset.missing.join(', ')} of ${named}.`,
    )
  }
  if (chosen.problem === 'ambiguous') {
    return refused(
      'unknown_provider',
      `More than one provider may have this model; write one of ${chosen.candidates.map((name) => `${name}/…`).join(', ')}.`,
    )
  }
  return refused(
    'unknown_provider',
    'Which provider has this model is not known; write it as provider/model.',
  )
}
