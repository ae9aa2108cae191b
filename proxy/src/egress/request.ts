/**
 * What a request of the code becomes before it leaves: one reading of it, secrets in place of their placeholders
 * where a person agreed to that, and nothing that two servers could read differently (request smuggling). Anything else is refused.
 */

import type { EgressRule } from '../kernel/index.ts'
import { auditPathOf } from './audit-path.ts'
import type { BodyInspection } from './body-claims.ts'
import { formatWidened, parseByteRange, RANGE_FIELD, type RequestedPart } from './byte-range.ts'
import { FORBIDDEN_METHODS, isGraphqlPath } from './capabilities/index.ts'
import { codingsOf } from './content-coding.ts'
import {
  flat,
  type HeaderField,
  isHopByHop,
  isToken,
  namedByConnection,
  readFields,
  valuesOf,
} from './header-fields.ts'
import { mayClaimMethods } from './method-override.ts'
import { createPlacements, type Placements } from './placements.ts'
import { type EgressPolicy, type EgressTarget, reaches } from './policy.ts'
import {
  asBasicPart,
  asCookieValue,
  asHeaderValue,
  asPathSegment,
  asPercentEncoded,
  basicCredentials,
  bodyRendering,
  formatBasic,
  isForm,
} from './renderings.ts'
import {
  type BodyRewriter,
  bodyPlacements,
  createBodyRewriter,
  createMessageRewriter,
} from './request-body.ts'
import { type BodyFraming, type DeclaredBody, declaredBody, framingOf } from './request-framing.ts'
import { authorityOf, parseAuthority } from './target.ts'

export interface RequestToPrepare {
  readonly policy: EgressPolicy
  readonly target: EgressTarget
  readonly method: string
  /** Origin-form: what stands in the request line, for an absolute-form target without scheme and authority. */
  readonly path: string
  /** Flat name, value, name, value … as node:http gives them. */
  readonly rawHeaders: readonly string[]
  /** The request opens a WebSocket: `Connection` and `Upgrade` go upstream. Refused unless it really does. */
  readonly websocket?: boolean
  /** Not everything was approved, so its body is looked into before it goes: for methods that it claims, for mutations. */
  readonly lookInside?: { readonly mutations: boolean; readonly methods: boolean }
}

export interface RefusedRequest {
  readonly refused: EgressRule
  /** Names of the secrets that it is about; empty for most rules. */
  readonly secrets: readonly string[]
  readonly auditPath: string
}

export interface PreparedRequest {
  readonly method: string
  readonly path: string
  /** Flat name, value … ready for the upstream; lower-case names. */
  readonly headers: string[]
  /** Without query, secrets taken out, cut to a length. */
  readonly auditPath: string
  /** Names of secrets whose value was put in; grows as the body is rewritten. */
  readonly used: Set<string>
  /** Names of secrets whose placeholder was seen in the body unreplaced; grows likewise. */
  readonly rejected: Set<string>
  /** Every byte of the body goes through it; null when there is nothing to look for, or no body. */
  readonly body: BodyRewriter | null
  readonly framing: BodyFraming
  /** It is a call that servers take over HTTP/2 only. */
  readonly prefersHttp2: boolean
  /** It says who it is once for its connection (RFC 4559, 6): whoever else sent something there would be taken for that one. */
  readonly signsInConnection: boolean
  /**
   * What `claimsOf` has to find out of its body as the code sent it; null when that need not be looked into. A body that came
   * to no end within the limit may do anything.
   */
  readonly inspection: BodyInspection | null
  /** The part that the code asked for; null where the host knows no secret, so that any part may come. See `prepareResponse`. */
  readonly part: RequestedPart | null
  /** What each message, and each control frame, of the code's goes through on a WebSocket; null when there is nothing to look for. */
  readonly messages: ((kind: 'message' | 'control') => BodyRewriter) | null
}

/** A request with two of these means different things to different servers. */
const ONCE = ['host', 'authorization', 'content-type', 'content-encoding', 'range']
/** Parts of the head where no secret belongs: servers log them, hand them on, or read them as something else. */
const NO_SECRET_IN =
  /^(accept-encoding|content-length|content-range|expect|forwarded|host|if-range|origin|(?:request-|x-ms-)?range|referer|user-agent|via|x-forwarded-.*)$/

export function prepareRequest(request: RequestToPrepare): PreparedRequest | RefusedRequest {
  const { policy, target } = request
  const auditPath = auditPathOf(policy, request.path)
  const refuse = (refused: EgressRule, secrets: readonly string[] = []): RefusedRequest => ({
    refused,
    secrets,
    auditPath,
  })

  // `OPTIONS *` asks a server, not what it has (RFC 9110, 9.3.7): no path is approved for it, and undici cannot send it.
  const isAboutServer = request.method === 'OPTIONS' && request.path === '*'
  if (!isToken(request.method) || FORBIDDEN_METHODS.has(request.method.toUpperCase()) || isAboutServer) {
    return refuse('method_not_allowed')
  }
  const fields = isOriginForm(request) ? readFields(request.rawHeaders) : null
  const named = fields && namedByConnection(fields)
  const declared = fields && declaredBody(fields)
  if (fields === null || named === null || declared === null) return refuse('bad_request')
  if (ONCE.some((name) => valuesOf(fields, name).length > 1)) return refuse('bad_request')
  const isWebSocket = request.websocket === true
  if (isWebSocket && !(declared.kind === 'none' && opensWebSocket(request.method, fields, named))) {
    return refuse('bad_request')
  }
  const [host] = valuesOf(fields, 'host')
  if (host !== undefined && !namesTarget(host, target)) return refuse('host_mismatch')

  const part = requestedPart(fields, policy, target)
  const range = part === 'none' || part === 'unsearchable' ? null : part
  const substitution = createPlacements(policy, target)
  const path = placePath(request.path, substitution)
  const isDropped = (name: string): boolean =>
    isHopByHop(name) || named.has(name) || isReplaced(name, isWebSocket, policy) || name === range?.field
  const kept: HeaderField[] = []
  for (const field of fields) {
    const placed = placeField(field, substitution, isDropped(field.name))
    if (!isDropped(field.name)) kept.push(placed)
  }
  const violation = substitution.violation()
  if (violation !== null) return refuse(violation.refused, violation.secrets)
  if (part === 'unsearchable' || (range !== null && isWebSocket)) return refuse('range_not_searchable')

  const isEncoded = codingsOf(valuesOf(fields, 'content-encoding')[0] ?? '').length > 0
  const contentType = valuesOf(fields, 'content-type')[0] ?? ''
  const isGrpc = GRPC.test(contentType)
  // A message says its length, and so does each part of it.
  const render = isEncoded || SAYS_LENGTHS.test(contentType) ? null : bodyRendering(contentType)
  const inBody =
    declared.kind === 'none'
      ? []
      : bodyPlacements(policy, target, render, isForm(contentType) ? ['body', 'form'] : ['body'])
  const { lookInside } = request
  const looksFor = {
    mutations:
      lookInside?.mutations === true && !isWebSocket && mayBeGraphql(request, contentType, declared.kind),
    methods: lookInside?.methods === true && declared.kind !== 'none' && mayClaimMethods(contentType),
  }
  const isInspected = looksFor.mutations || looksFor.methods
  const framing = framingOf(declared, {
    mayChange: inBody.some(({ replacement }) => replacement !== null),
    isInspected,
  })
  const rejected = new Set<string>()
  const headers = [
    { name: 'host', value: authorityOf(target) },
    ...kept,
    ...(policy.secrets.length === 0 ? [] : UNPACKED),
    // A server may refuse a gRPC call whose client could take no trailers.
    ...(isGrpc && valuesOf(fields, 'te').length > 0 ? [{ name: 'te', value: 'trailers' }] : []),
    ...(range === null ? [] : [{ name: range.field, value: formatWidened(range) }]),
    ...(framing.kind === 'length' ? [{ name: 'content-length', value: `${framing.bytes}` }] : []),
    ...(isWebSocket ? WEBSOCKET_FIELDS : []),
  ]
  return {
    method: request.method,
    path,
    headers: flat(headers),
    auditPath,
    used: substitution.used,
    rejected,
    body: inBody.length === 0 ? null : createBodyRewriter(inBody, substitution.used, rejected),
    framing,
    prefersHttp2: isGrpc,
    signsInConnection: valuesOf(kept, 'authorization').some((value) => OF_A_CONNECTION.test(value)),
    inspection: isInspected ? { path: request.path, contentType, isEncoded, ...looksFor } : null,
    part,
    messages:
      isWebSocket && policy.secrets.length > 0
        ? (kind) =>
            kind === 'message'
              ? createMessageRewriter(policy, target, substitution.used, rejected)
              : createBodyRewriter(bodyPlacements(policy, target, null, []), substitution.used, rejected)
        : null,
  }
}

/** An answer that is not compressed can be searched as it comes, and messages of gRPC and Connect are packed one by one. */
const UNPACKED: readonly HeaderField[] = [{ name: 'accept-encoding', value: 'identity' }]
const MESSAGE_CODINGS = /^(?:grpc|connect)-accept-encoding$/
const GRPC = /^\s*application\/grpc\b/i
const OF_A_CONNECTION = /^\s*(?:ntlm|negotiate|kerberos)\b/i
const SAYS_LENGTHS = /^\s*application\/(?:grpc|connect\+|proto|x-protobuf)/i

/** Types of bodies that no server takes for GraphQL, unless its path says that it takes nothing else. */
const NOT_GRAPHQL =
  /^(?:image|audio|video|font)\/|^application\/(?:grpc|octet-stream|pdf|zip|gzip|x-tar|xml|protobuf|x-protobuf)\b/

/** Words by which servers that look for a part of the type find another in it. */
const NAMES_ANOTHER = /json|graphql|urlencoded|multipart|,/

function mayBeGraphql(request: RequestToPrepare, contentType: string, body: DeclaredBody['kind']): boolean {
  // Without a body there is at most a query, which is short.
  if (isGraphqlPath(request.path) || body === 'none') return true
  const type = contentType.toLowerCase()
  return !NOT_GRAPHQL.test(type) || NAMES_ANOTHER.test(type)
}

const WEBSOCKET_FIELDS: readonly HeaderField[] = [
  { name: 'connection', value: 'Upgrade' },
  { name: 'upgrade', value: 'websocket' },
]

function isOriginForm({ path }: RequestToPrepare): boolean {
  return /^\/[\x21-\x7e]*$/.test(path) && !path.includes('#') && !/^[^?]*\\/.test(path)
}

function opensWebSocket(method: string, fields: readonly HeaderField[], named: ReadonlySet<string>): boolean {
  const upgrades = valuesOf(fields, 'upgrade')
  return (
    method === 'GET' &&
    named.has('upgrade') &&
    upgrades.length === 1 &&
    upgrades[0]?.toLowerCase() === 'websocket'
  )
}

function namesTarget(host: string, target: EgressTarget): boolean {
  const named = parseAuthority(host, target.scheme)
  return named !== null && named.host === target.host && named.port === target.port
}

/** Fields that are written anew, or that must not reach this upstream. */
function isReplaced(name: string, isWebSocket: boolean, policy: EgressPolicy): boolean {
  // The gateway's server has already answered an `Expect`.
  if (name === 'host' || name === 'content-length' || name === 'expect') return true
  if (policy.secrets.length === 0) return false
  if (name === 'accept-encoding' || MESSAGE_CODINGS.test(name)) return true
  // Compressed frames could not be searched.
  return isWebSocket && name === 'sec-websocket-extensions'
}

/** A host that knows a secret could be made to give it back in pieces too small to be recognised. */
function requestedPart(
  fields: readonly HeaderField[],
  policy: EgressPolicy,
  target: EgressTarget,
): RequestedPart | 'unsearchable' | null {
  if (!policy.secrets.some((secret) => reaches(secret.hosts, target))) return null
  const [field, ...more] = fields.filter(({ name }) => RANGE_FIELD.test(name))
  if (field === undefined) return 'none'
  const asked = more.length === 0 ? parseByteRange(field.value) : null
  if (asked === null) return 'unsearchable'
  return { field: field.name, asked, marginBytes: policy.scrubber().longestMatchBytes }
}

function placePath(path: string, substitution: Placements): string {
  const query = path.indexOf('?')
  const plain = query === -1 ? path : path.slice(0, query)
  const placed = substitution.replacePercent(plain, 'path', asPathSegment)
  if (query === -1) return placed
  return placed + substitution.replacePercent(path.slice(query), 'query', asPercentEncoded)
}

function placeField(field: HeaderField, substitution: Placements, isDropped: boolean): HeaderField {
  const { name, value } = field
  substitution.replace(name, null, asHeaderValue)
  // A placeholder in what is dropped reaches nobody, but the code meant it to: it is told.
  const surface = isDropped || NO_SECRET_IN.test(name) ? null : name === 'cookie' ? 'cookie' : 'header'
  const credentials = name === 'authorization' ? basicCredentials(value) : null
  const placed = credentials === null ? null : substitution.replace(credentials, surface, asBasicPart)
  if (placed !== null && placed !== credentials) return { name, value: formatBasic(placed) }
  // A secret may be the encoded credentials themselves.
  return {
    name,
    value: substitution.replace(value, surface, name === 'cookie' ? asCookieValue : asHeaderValue),
  }
}
