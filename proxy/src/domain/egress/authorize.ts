/** Whether one request is among the capabilities that a person approved for its run; the rule it breaks otherwise. */
import { formatHostPattern, hostPatternCovers } from '../../kernel/index.ts'
import {
  ANY_PATH,
  approvedName,
  MAX_REQUESTS,
  parsePathPattern,
  pathMatches,
  readPath,
} from '../capabilities/index.ts'
import type { CompiledCapability } from './compiled-capability.ts'
import { overridingMethods } from './method-override.ts'
import type { EgressTarget } from './policy.ts'
import type { BodyClaims } from './request.ts'

/** The entry of `network` that would allow the request, as an agent can ask for it. */
export interface AskEntry {
  readonly host: string
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  readonly requests?: number
  readonly websocket?: true
  readonly graphql?: 'mutation'
}

export interface CapabilityRefusal {
  readonly rule: 'method_not_approved' | 'path_not_approved' | 'requests_exceeded'
  readonly ask: AskEntry
}

export interface RequestToAuthorize {
  readonly capabilities: readonly CompiledCapability[]
  readonly target: EgressTarget
  readonly method: string
  /** Origin-form, with its query. */
  readonly path: string
  /** Flat name, value … as node:http gives them. */
  readonly rawHeaders: readonly string[]
  readonly websocket: boolean
}

/** Entries that allow it. Without one among them that has `mutations`, its body must be shown to be no GraphQL mutation. */
export interface Authorized {
  readonly entries: readonly CompiledCapability[]
  /** This very request as an entry, from which an entry for more is made. */
  readonly ask: AskEntry
}

export function authorizeRequest(request: RequestToAuthorize): Authorized | CapabilityRefusal {
  const { capabilities, target, path, websocket } = request
  const atHost = capabilities.filter(({ host }) => hostPatternCovers(host, { ...target, wildcard: false }))
  const methods = [approvedName(request.method), ...overridingMethods(path, request.rawHeaders)]
  const byMethod = atHost.filter((entry) =>
    websocket ? entry.websocket : methods.every((method) => entry.methods?.has(method) ?? true),
  )
  const byPath = entriesForPath(byMethod, path)
  const ask = {
    host: formatHostPattern({ ...target, wildcard: false }),
    ...(websocket ? { websocket: true as const } : { methods: [...new Set(methods)].sort() }),
    paths: [askedPath(path)],
  }
  if (byPath.length > 0) return { entries: byPath, ask }
  return { rule: byMethod.length === 0 ? 'method_not_approved' : 'path_not_approved', ask }
}

function entriesForPath(entries: readonly CompiledCapability[], path: string): CompiledCapability[] {
  // Where any path is approved there is nothing that a server could read differently.
  if (entries.every(({ paths }) => paths === null)) return [...entries]
  const readings = readPath(path)
  return entries.filter(
    ({ paths }) =>
      paths === null || (readings !== null && paths.some((pattern) => pathMatches(pattern, readings))),
  )
}

/** The path by itself, or everything where it cannot be a pattern. */
function askedPath(path: string): string {
  const pattern = parsePathPattern((path.split('?', 1)[0] as string).replaceAll('*', '%2A'))
  return 'problem' in pattern ? ANY_PATH : pattern.text
}

/** The entry that allows more of what an approved one was used up for. */
export function askForMore(entries: readonly CompiledCapability[], refused: AskEntry): AskEntry {
  const most = Math.max(...entries.map(({ requests }) => requests))
  return { ...refused, requests: Math.min(MAX_REQUESTS, most * 10) }
}

/** What would allow a request whose body does more than its head says; null when it is allowed. */
export function refusedByBody({ entries, ask }: Authorized, claims: BodyClaims): AskEntry | null {
  const allowing = entries.filter((entry) =>
    claims.methods.every((method) => entry.methods?.has(method) ?? true),
  )
  if (allowing.length === 0)
    return { ...ask, methods: [...new Set([...(ask.methods ?? []), ...claims.methods])].sort() }
  if (claims.mutation && !allowing.some(({ mutations }) => mutations)) return { ...ask, graphql: 'mutation' }
  return null
}
