/** What a person is warned of: dangers of the request and of its code, worst first, one line for each kind and subject. */

import { type Consent, type ConsentSecret, uncovered } from '../../approvals/consent/index.ts'
import {
  allowsRequest,
  type Capability,
  DEFAULT_REQUESTS,
  hostCovers,
  hostsOf,
  isAnyMethod,
  isAnyPath,
  isUnsafe,
  SAFE_METHODS,
} from '../../egress/capabilities/index.ts'
import {
  hasHiddenCharacters,
  isIpLiteral,
  isPublicAddress,
  oneLine,
  parseHostPattern,
} from '../../kernel/index.ts'
import { readCommentClaims, readCommentMetadata } from '../code/index.ts'
import {
  byDanger,
  type CodeFacts,
  DANGERS,
  type Danger,
  type DangerFact,
  type DangerKind,
  isWalled,
  type RequestFact,
} from '../facts/index.ts'
import { hiddenCharacters, hostDangers, nameDangers, TEXTS } from '../names/index.ts'
import { provenanceWarnings } from './provenance.ts'
import { readsOnly, saysItWrites } from './reads-only.ts'

/** What the owner has already, beside which names and hosts of a request are looked at. */
export interface KnownNames {
  readonly storedSecrets: readonly string[]
  readonly trustedSkills: readonly string[]
  /** Hosts of providers, of secrets' bindings and of earlier grants. */
  readonly hosts: readonly string[]
}

/** Addresses that one card can show; more are a flood. */
const MANY_ADDRESSES = 12

export function cardWarnings(
  consent: Consent,
  code: string,
  facts: CodeFacts,
  known: KnownNames,
): readonly Danger[] {
  const modules = consent.imports?.modules ?? []
  return [
    ...bindingWarnings(consent.secrets),
    ...rawWarnings(consent),
    ...claimWarnings(consent, code),
    ...(consent.source?.relation === 'different' ? [danger('other_source')] : []),
    ...provenanceWarnings(consent),
    ...codeWarnings(consent, facts),
    ...(consent.dynamic_code ? [danger('dynamic_code')] : []),
    ...capabilityWarnings(consent, facts),
    ...unusedWarnings(consent, facts),
    ...triedWarnings(consent, facts),
    ...unaskedSecretWarnings(consent, facts),
    ...unusedSecretWarnings(consent, facts),
    ...hostDangers(hostsOf(consent.network), known),
    ...nameDangers({
      skillId: consent.skill_id,
      description: consent.description,
      args: consent.args,
      secrets: consent.secrets.map(({ name }) => name),
      modules,
      storedSecrets: known.storedSecrets,
      trustedSkills: known.trustedSkills,
    }),
    ...insideWarnings(consent),
    ...requestWarnings(consent),
  ]
    .toSorted(byDanger)
    .filter(
      ({ kind, text }, at, all) => all.findIndex((one) => one.kind === kind && one.text === text) === at,
    )
}

const danger = (kind: DangerKind, text: string = DANGERS[kind].text): Danger => ({ kind, text })

function rawWarnings({ secrets, network }: Consent): Danger[] {
  const raw = secrets.filter(({ mode }) => mode === 'raw').map(({ name }) => name)
  if (raw.length === 0) return []
  const names = raw.length > 3 ? `${raw.slice(0, 2).join(', ')} and ${raw.length - 2} more` : raw.join(', ')
  const where = network.length === 0 ? 'print it' : 'send it to the network below'
  return [danger('raw_secret', `the code reads the real value of ${names} and can ${where}`)]
}

/** Where the comment at the head of the code and the request do not agree. */
function claimWarnings(consent: Consent, code: string): Danger[] {
  const claimed = { ...readCommentClaims(code), ...readCommentMetadata(code) }
  const names = consent.secrets.map(({ name }) => name)
  const differs = (a: readonly string[], b: readonly string[]): boolean =>
    a.toSorted().join() !== b.toSorted().join()
  const other = (what: string, claim: string | undefined, asked: string): Danger[] =>
    claim === undefined || asked === '' || claim.trim() === asked.trim()
      ? []
      : [danger('other_claims', `the code's comment says ${what} ${oneLine(claim, 60)}`)]
  return [
    ...(claimed.secrets !== undefined && differs(claimed.secrets, names)
      ? [
          danger(
            'other_secrets',
            `gets secrets ${names.join(', ') || 'none'}, though the code's comment names ${claimed.secrets.join(', ') || 'none'}`,
          ),
        ]
      : []),
    ...other('skill', claimed.skill, consent.skill_id),
    ...other('description', claimed.description, consent.description),
  ]
}

/** What the sandbox stops by itself where the consent does not allow it. */
const STOPPED: ReadonlySet<DangerKind> = new Set(['code_from_text', 'webassembly', 'worker_code'])
const LISTED_LINES = 4
const LISTED_DETAILS = 4

/** One line a kind, with every line of the code that it was found in, so that a harmless one hides no other. */
function codeWarnings(consent: Consent, facts: CodeFacts): Danger[] {
  const kinds = Map.groupBy(
    facts.dangers.filter(({ kind }) => isHeldOpen(kind, consent, facts)),
    ({ kind }) => kind,
  )
  return [...kinds].map(([kind, found]) => {
    const details = [...new Set(found.flatMap(({ detail }) => detail ?? []))]
    const more = details.length > LISTED_DETAILS ? `, and ${details.length - LISTED_DETAILS} more` : ''
    const about = details.length === 0 ? '' : ` (${details.slice(0, LISTED_DETAILS).join(', ')}${more})`
    const isAsked = !STOPPED.has(kind) || consent.dynamic_code
    const held = isAsked
      ? ''
      : isWalled(consent.runtime.name)
        ? '; the sandbox stops it'
        : '; nothing stops it'
    return danger(kind, `${where(found)}${DANGERS[kind].text}${about}${held}`)
  })
}

/** What the gateway holds the code to needs no warning of what the code might try instead. */
function isHeldOpen(kind: DangerKind, { network, description, imports }: Consent, facts: CodeFacts): boolean {
  // They stand on the card by name, and each in the lock by content.
  if (kind === 'remote_import') return imports === null
  if (kind === 'path_from_data') return network.some(isAnyPath) && !facts.requests.every(isOrdinaryPath)
  if (kind === 'method_from_data') return network.some(isAnyMethod)
  // Shown with the capabilities; a danger where the description says otherwise.
  if (kind === 'graphql_mutation') return !saysItWrites(description)
  return true
}

/** Reading on where an answer says that there is more. */
const isOrdinaryPath = ({ path, method, pathFrom }: RequestFact): boolean =>
  path !== null || (method === 'GET' && pathFrom === 'answer')

function where(found: readonly DangerFact[]): string {
  const [only] = found
  // A fact's own lines are in order, each once; there may be a hundred thousand.
  const lines =
    only !== undefined && found.length === 1
      ? only.lines
      : [...new Set(found.flatMap((one) => one.lines))].sort((a, b) => a - b)
  if (lines.length === 0) return ''
  const more = lines.length > LISTED_LINES ? ` and ${lines.length - LISTED_LINES} more` : ''
  return `line${lines.length === 1 ? '' : 's'} ${lines.slice(0, LISTED_LINES).join(', ')}${more}: `
}

function capabilityWarnings({ network, description }: Consent, { requests }: CodeFacts): Danger[] {
  const hosts = (entries: readonly Capability[]): string => hostsOf(entries).join(', ')
  const anything = network.filter((entry) => isAnyMethod(entry) && isAnyPath(entry))
  const anyPath = network.filter(
    (entry) =>
      !isAnyMethod(entry) && isAnyPath(entry) && (isUnsafe(entry) || isMoreThanSeen(entry, requests)),
  )
  const anyMethod = network.filter((entry) => isAnyMethod(entry) && !isAnyPath(entry))
  const addresses = network.reduce((sum, { paths }) => sum + paths.length, 0)
  const many = network.filter(({ requests }) => requests > DEFAULT_REQUESTS)
  const documents = requests.filter(({ graphql }) => graphql === 'unknown').map(({ line }) => line)
  const shown = requests.some(({ graphql }) => graphql === 'mutation' || graphql === 'unknown')
  const mutations = network.filter((entry) => entry.graphql === 'mutation' && !isAnyMethod(entry) && !shown)
  const writes = network.filter(
    (entry) => isUnsafe(entry) && !isAnyMethod(entry) && !isReadEndpoint(entry) && !isQuery(entry, requests),
  )
  return [
    ...(anything.length > 0
      ? [danger('any_capability', `may use ANY method and ANY path of ${hosts(anything)}`)]
      : []),
    ...(anyPath.length > 0
      ? [danger('any_path', `may ${methodsOf(anyPath) || 'read'} ANY path of ${hosts(anyPath)}`)]
      : []),
    ...(anyMethod.length > 0 ? [danger('any_method', `may use ANY method at ${hosts(anyMethod)}`)] : []),
    ...(addresses > MANY_ADDRESSES
      ? [danger('many_addresses', `sends to ${addresses} addresses: read the details`)]
      : []),
    ...(many.length > 0
      ? [
          danger(
            'many_requests',
            `up to ${Math.max(...many.map(({ requests }) => requests))} requests to ${hosts(many)}`,
          ),
        ]
      : []),
    ...(documents.length > 0
      ? [
          danger(
            'graphql_mutation',
            `line ${documents[0]}: a GraphQL document is computed, so it may change data`,
          ),
        ]
      : []),
    ...(mutations.length > 0 && !saysItWrites(description)
      ? [danger('graphql_mutation', `may change data by GraphQL mutations at ${hosts(mutations)}`)]
      : []),
    ...(readsOnly(description) && writes.length > 0
      ? [danger('says_it_reads', `says that it only reads, but can ${methodsOf(writes)} to ${hosts(writes)}`)]
      : []),
  ]
}

const methodsOf = (entries: readonly Capability[]): string => {
  const methods = [...new Set(entries.flatMap((entry) => entry.methods))].filter(
    (method) => !SAFE_METHODS.has(method),
  )
  return methods.includes('*') ? 'use ANY method' : methods.sort().join(', ')
}

/** Addresses that are asked by POST and change nothing: searches, queries, models, logins. */
const READ_ENDPOINT =
  /(?:search|quer(?:y|ies)|graphql|gql|completions?|messages|responses|embed|count|list|lookup|history|info|token|oauth|login|auth|session|translate|detect|analy[sz]e|classif|predict|generat|transcri|rerank|moderation|batchget|report|convert|estimate|calculat|preview|validat|check|verif|chat|infer|read|scroll|aggregate|introspect|rpc|get)[^/]*$/i

const isReadEndpoint = (entry: Capability): boolean =>
  entry.graphql === 'query' &&
  entry.methods.every((method) => method === 'POST' || SAFE_METHODS.has(method)) &&
  entry.paths.every((path) => READ_ENDPOINT.test(path))

/** Whether it asks for any path though the code spells out each of its own. */
const isMoreThanSeen = ({ host }: Capability, requests: readonly RequestFact[]): boolean => {
  const own = requests.filter((request) => request.host === null || hostCovers(host, request.host))
  return own.length > 0 && own.every(({ path }) => path !== null)
}

/** Whether every request of it that is seen is a GraphQL query, wherever the server takes those. */
function isQuery(entry: Capability, requests: readonly RequestFact[]): boolean {
  const own = requests.filter(
    ({ host, path }) => host !== null && hostCovers(entry.host, host) && entry.paths.includes(path ?? ''),
  )
  return entry.graphql === 'query' && own.length > 0 && own.every(({ graphql }) => graphql === 'query')
}

/** A host that the program never names gets no request of it, so what is it for? */
function unusedWarnings({ network }: Consent, { readable, requests, dangers }: CodeFacts): Danger[] {
  const isUnknown = !readable || requests.some(({ host }) => host === null)
  if (isUnknown || dangers.some(({ kind }) => kind === 'opaque_sender')) return []
  const unused = hostsOf(network).filter(
    (host) => !requests.some((one) => one.host !== null && hostCovers(host, one.host)),
  )
  return unused.length === 0 ? [] : [danger('unused_host', `nothing in the code names ${unused.join(', ')}`)]
}

const LIKE_A_SECRET = /(?:KEY|TOKEN|SECRET|PASS(?:WORD)?|CREDENTIALS?)$/i

/** Of the environment, which holds what was asked for and nothing else. */
function unaskedSecretWarnings({ secrets }: Consent, facts: CodeFacts): Danger[] {
  const asked = new Set(secrets.map(({ name }) => name))
  return facts.secrets
    .filter(({ name }) => LIKE_A_SECRET.test(name) && !asked.has(name))
    .slice(0, MAX_TRIED)
    .map(({ name, lines }) =>
      danger(
        'unasked_secret',
        `line ${lines[0] ?? 1}: reads ${name}, which it does not ask for and will not get`,
      ),
    )
}

/** A secret that nothing reads is asked for in vain, or for what was not understood. */
function unusedSecretWarnings({ secrets }: Consent, facts: CodeFacts): Danger[] {
  const read = new Set(facts.secrets.map(({ name }) => name))
  if (!facts.readable || read.has('*')) return []
  const unused = secrets.map(({ name }) => name).filter((name) => !read.has(name))
  return unused.length === 0
    ? []
    : [danger('unused_secret', `nothing in the code reads ${unused.join(', ')}`)]
}

/** What the code is seen to send beyond what the request asks for: nothing comes of it, but a person may wonder why. */
function triedWarnings({ network }: Consent, { requests }: CodeFacts): Danger[] {
  return requests
    .filter(isKnown)
    .filter((request) => !allowsRequest(network, request))
    .map(({ line, method, host, path, websocket }) =>
      danger(
        'tries_more',
        `line ${line}: tries ${websocket ? 'WebSocket' : method} ${host}${path}, which it does not ask for: refused`,
      ),
    )
    .slice(0, MAX_TRIED)
}

const MAX_TRIED = 3

type KnownRequest = RequestFact & { readonly host: string; readonly method: string; readonly path: string }
const isKnown = (request: RequestFact): request is KnownRequest =>
  request.host !== null && request.path !== null && (request.method !== null || request.websocket)

/** Where what a secret is bound to and what was asked for do not agree. */
function bindingWarnings(secrets: readonly ConsentSecret[]): Danger[] {
  return secrets.flatMap(({ name, mode, hosts, bound_to: bound }) => {
    if (bound === null) return []
    const say = (text: string): Danger[] => [danger('secret_beyond_binding', text)]
    const boundTo = bound.join(', ') || 'no host'
    if (mode === 'placeholder' && hosts.length === 0)
      return say(`${name} is bound to ${boundTo}, which this code may not reach: it will not be sent`)
    const outside = uncovered(bound, hosts)
    if (outside.length === 0) return []
    return say(`${name} could go to ${outside.join(', ')}, but is bound to ${boundTo}`)
  })
}

/**
 * Addresses that are not public are reached as they stand. A name that looks like one of the local network is reached
 * through the gateway only where its exact address was approved too; without containers nothing stops it.
 */
function insideWarnings({ network, runtime }: Consent): Danger[] {
  const inside = hostsOf(network).filter(isInside)
  const reached = inside.filter((host) => runtime.isolation === 'embedded' || isAddress(host))
  const refused = inside.filter((host) => !reached.includes(host))
  return [
    ...(reached.length > 0
      ? [danger('inside_host', `reaches into this machine or its network: ${reached.join(', ')}`)]
      : []),
    ...(refused.length > 0
      ? [
          danger(
            'inside_host',
            `looks inside your network: ${refused.join(', ')}; refused unless its exact address is listed too`,
          ),
        ]
      : []),
  ]
}

function requestWarnings({ network, runtime, source, args, skill_id, description }: Consent): Danger[] {
  const hosts = hostsOf(network)
  const texts = { 'skill id': skill_id, description, args: args ?? '' }
  const hidden = TEXTS.filter((what) => hasHiddenCharacters(texts[what]))
  return [
    ...hidden.map(hiddenCharacters),
    ...(hosts.some((host) => host.includes('xn--'))
      ? [danger('punycode_host', 'the network list holds an internationalised (punycode) host name')]
      : []),
    ...(hosts.some((host) => host.startsWith('http://') || host.endsWith(':80'))
      ? [danger('plain_http')]
      : []),
    ...(runtime.isolation === 'embedded' ? [danger('embedded_sandbox')] : []),
    ...(source?.relation === 'unreadable' ? [danger('unread_source')] : []),
  ]
}

/** Addresses that are not public, and names without a dot or of the local kind: not somewhere on the internet. */
function isInside(text: string): boolean {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) return true
  if (isIpLiteral(pattern.host)) return !isPublicAddress(pattern.host)
  return !pattern.host.includes('.') || /\.(?:local|localhost|internal|lan|home|arpa)$/.test(pattern.host)
}

function isAddress(text: string): boolean {
  const pattern = parseHostPattern(text)
  return 'problem' in pattern || isIpLiteral(pattern.host)
}
