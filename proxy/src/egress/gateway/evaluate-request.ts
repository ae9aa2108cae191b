import { oneLine } from '../../kernel/index.ts'
import { scrubText } from '../../scrub/index.ts'
import {
  type AskEntry,
  type Authorized,
  askForMore,
  authorizeRequest,
  checkTarget,
  type EgressAsker,
  type EgressRule,
  type EgressSession,
  type EgressTarget,
  freeEntries,
  originOf,
  type PreparedRequest,
  parseAuthority,
  prepareRequest,
  type RequestToPrepare,
} from '../index.ts'
import type { Arrival } from './egress-endpoint.ts'
import type { Refusal } from './refusal.ts'

/** The head of a request as the code sent it. */
export interface RequestHead {
  readonly method?: string | undefined
  /** What stands in its request line. */
  readonly url?: string | undefined
  /** Flat name, value … */
  readonly rawHeaders: readonly string[]
}

/** A request that may go out, and what becomes of it on the way. */
export interface Allowed {
  readonly session: EgressSession
  readonly target: EgressTarget
  /** As the audit and the code are told it. */
  readonly origin: string
  readonly prepared: PreparedRequest
  readonly authorized: Authorized
}

/** A request that goes nowhere: nothing was resolved, dialled or sent for it. */
export interface Refused extends Refusal {
  /** Null when no run is there to be told, or when it was told often enough. */
  readonly session: EgressSession | null
  readonly path: string
}

const ORIGIN_CHARS = 120

/** The order is the promise: each step may rely on those before it, and host and port come before everything else. */
export function evaluateRequest(
  request: RequestHead,
  arrival: Arrival,
  options: { readonly websocket: boolean },
): Allowed | Refused {
  const { session } = arrival.endpoint
  if (session === null) return { rule: 'no_run', session, origin: '', path: '', secrets: [] }
  if (!session.begin()) return beyondLimit(session, arrival)

  const named = readTarget(request.url ?? '', arrival)
  if (named === null) return { rule: 'bad_request', session, ...whereOf(request, arrival), secrets: [] }
  const { target, path } = named
  const origin = recordedOrigin(session, target)
  const parts = { target, path, method: request.method ?? '', rawHeaders: request.rawHeaders, ...options }
  const prepare = (lookInside?: RequestToPrepare['lookInside']): ReturnType<typeof prepareRequest> =>
    prepareRequest({ policy: session.policy, ...parts, ...(lookInside && { lookInside }) })
  // Prepared all the same: that tells a path that the audit may keep, and secrets on their way to a wrong place.
  const refuse = (rule: EgressRule, ask?: AskEntry): Refused => {
    const prepared = prepare()
    const secrets = 'refused' in prepared ? prepared.secrets : []
    return { rule, session, origin, path: prepared.auditPath, secrets, ...(ask === undefined ? {} : { ask }) }
  }

  const disagreement = checkAgreement(request, target, arrival)
  if (disagreement !== null) return refuse(disagreement)
  const rule = checkTarget(session.policy, target)
  if (rule !== null) return refuse(rule)
  const { capabilities, secrets } = session.policy
  const placeholders = secrets.map(({ stem }) => stem)
  const asked = authorizeRequest({ capabilities, placeholders, ...parts })
  if ('rule' in asked) return refuse(asked.rule, asked.ask)
  const { entries } = asked
  const free = freeEntries(entries)
  const prepared = prepare(
    free.length > 0
      ? undefined
      : {
          mutations: entries.some(({ mutations }) => !mutations),
          methods: entries.some(({ methods }) => methods !== null),
        },
  )
  if ('refused' in prepared) {
    return { rule: prepared.refused, session, origin, path: prepared.auditPath, secrets: prepared.secrets }
  }
  // With the value in its place it has to lead where it did with the placeholder.
  if (pathOf(prepared.path) !== pathOf(path)) {
    const placed = authorizeRequest({ capabilities, ...parts, path: prepared.path })
    const isSame = !('rule' in placed) && asked.entries.every((entry) => placed.entries.includes(entry))
    if (!isSame) return refuse('path_not_approved', asked.ask())
  }
  // What is not looked into counts by entries that allow whatever it does.
  const authorized = free.length > 0 ? { ...asked, entries: free } : asked
  // What is looked into is counted once it is known by which entry it goes.
  if (prepared.inspection === null && !session.spend(authorized.entries)) {
    return refuse('requests_exceeded', askForMore(authorized.entries, authorized.ask()))
  }
  return { session, target, origin, prepared, authorized }
}

/** Whom to ask about which host before a request is evaluated; null where nobody is to be asked. */
export function questionOf(
  request: RequestHead,
  arrival: Arrival,
): { readonly asker: EgressAsker; readonly target: EgressTarget } | null {
  const { session } = arrival.endpoint
  const asker = session?.asker ?? null
  if (session === null || asker === null) return null
  const named = readTarget(request.url ?? '', arrival)
  // A request that names two hosts is refused as that, whatever a person would say of one of them.
  if (named === null || checkAgreement(request, named.target, arrival) !== null) return null
  return checkTarget(session.policy, named.target) === null ? null : { asker, target: named.target }
}

const pathOf = (path: string): string => path.split('?', 1)[0] as string

function beyondLimit(session: EgressSession, { endpoint }: Arrival): Refused {
  const told = endpoint.toldOfLimit
  endpoint.toldOfLimit = true
  return { rule: 'too_many_requests', session: told ? null : session, origin: '', path: '', secrets: [] }
}

/**
 * In a tunnel a path, or a whole URL that names where the tunnel leads (RFC 9112, 3.2.2); elsewhere a whole URL, `https` among
 * them: some clients ask a proxy so instead of opening a tunnel. Null for every other form of request target.
 */
function readTarget(
  url: string,
  { tunnel }: Arrival,
): { readonly target: EgressTarget; readonly path: string } | null {
  if (tunnel !== null && (url.startsWith('/') || url === '*')) return { target: tunnel.target, path: url }
  const parts = /^(https?):\/\/([^/?#\\]*)([/?].*)?$/i.exec(url)
  if (parts?.[2] === undefined) return null
  const scheme = parts[1]?.toLowerCase() === 'https' ? 'https' : 'http'
  if (tunnel !== null && tunnel.target.scheme !== scheme) return null
  const target = parseAuthority(parts[2], scheme)
  if (target === null || (tunnel !== null && originOf(target) !== originOf(tunnel.target))) return null
  const path = parts[3] ?? '/'
  return { target, path: path.startsWith('/') ? path : `/${path}` }
}

/** Everything in the request that names a host names the same one. */
function checkAgreement(request: RequestHead, target: EgressTarget, arrival: Arrival): EgressRule | null {
  if (arrival.tunnel?.namesAgree === false) return 'host_mismatch'
  const hosts = request.rawHeaders.filter(
    (_value, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === 'host',
  )
  const [host] = hosts
  if (host === undefined || hosts.length > 1) return 'bad_request'
  const authority = parseAuthority(host, target.scheme)
  return authority?.host === target.host && authority.port === target.port ? null : 'host_mismatch'
}

/** What can be told of a request whose target cannot be read. */
function whereOf(request: RequestHead, arrival: Arrival): { readonly origin: string; readonly path: string } {
  const { tunnel } = arrival
  const { session } = arrival.endpoint
  if (session === null) return { origin: '', path: '' }
  if (tunnel !== null) return { origin: recordedOrigin(session, tunnel.target), path: '' }
  const [start = ''] = (request.url ?? '').split(/(?<=[^/:])[/?#]/, 1)
  return { origin: recorded(session, start), path: '' }
}

export const recordedOrigin = (session: EgressSession, target: EgressTarget): string =>
  recorded(session, originOf(target))

/** Most runs speak to one host, so the latest answer is the next one too. */
const latest = new WeakMap<EgressSession, { readonly text: string; readonly clean: string }>()

/** The code wrote it, so it may hold what the code was given. */
export function recorded(session: EgressSession, text: string): string {
  const known = latest.get(session)
  if (known?.text === text) return known.clean
  const clean = oneLine(scrubText(session.policy.scrubber(), text), ORIGIN_CHARS)
  latest.set(session, { text, clean })
  return clean
}
