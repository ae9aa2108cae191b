/** Whether one request is among the capabilities that a person approved for its run; the rule it breaks otherwise. */
import { formatHostPattern, hostPatternCovers } from '../kernel/index.ts'
import type { BodyClaims } from './body-claims.ts'
import {
  ANY_METHOD,
  ANY_PATH,
  approvedName,
  MAX_REQUESTS,
  parsePathPattern,
  pathMatches,
  readPath,
} from './capabilities/index.ts'
import type { CompiledCapability } from './compiled-capability.ts'
import { furtherPaths, overridingMethods } from './method-override.ts'
import type { EgressTarget } from './policy.ts'

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
  /** What stands for values in it. */
  readonly placeholders?: readonly string[]
}

/** Entries that allow it. Without one among them that has `mutations`, its body must be shown to be no GraphQL mutation. */
export interface Authorized {
  readonly entries: readonly CompiledCapability[]
  /** This very request as an entry, from which an entry for more is made; built when it is refused after all. */
  readonly ask: () => AskEntry
}

export function authorizeRequest(request: RequestToAuthorize): Authorized | CapabilityRefusal {
  const { capabilities, target, path, websocket } = request
  const atHost = capabilities.filter(({ host }) => hostPatternCovers(host, { ...target, wildcard: false }))
  const overriding = overridingMethods(path, request.rawHeaders)
  const methods = overriding === 'any' ? [ANY_METHOD] : [approvedName(request.method), ...overriding]
  const byMethod = atHost.filter((entry) =>
    websocket
      ? entry.websocket && methods.every((method) => method === 'GET' || entry.methods === null)
      : allowsMethods(entry, methods),
  )
  const paths = [path, ...furtherPaths(methods, request.rawHeaders)]
  const byPath = paths.reduce(entriesForPath, byMethod)
  const ask = (): AskEntry => ({
    host: formatHostPattern({ ...target, wildcard: false }),
    ...(websocket ? { websocket: true as const } : { methods: askedMethods(methods) }),
    paths: [...new Set(paths.map((one) => askedPath(one, request.placeholders ?? [])))],
  })
  if (byPath.length > 0) return { entries: byPath, ask }
  return { rule: byMethod.length === 0 ? 'method_not_approved' : 'path_not_approved', ask: ask() }
}

const allowsMethods = (entry: CompiledCapability, methods: readonly string[]): boolean =>
  entry.methods === null || methods.every((method) => entry.methods?.has(method))

const askedMethods = (methods: readonly string[]): string[] => [...new Set(methods)].sort()

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
function askedPath(path: string, placeholders: readonly string[]): string {
  const plain = (path.split('?', 1)[0] as string).replaceAll('*', '%2A')
  // Another run has another placeholder there.
  const segments = plain
    .split('/')
    .map((one) => (placeholders.some((text) => one.includes(text)) ? '*' : one))
  const pattern = parsePathPattern(segments.join('/'))
  return 'problem' in pattern ? ANY_PATH : pattern.text
}

/** The entry that allows more of what an approved one was used up for. */
export function askForMore(entries: readonly CompiledCapability[], refused: AskEntry): AskEntry {
  const most = Math.max(...entries.map(({ requests }) => requests))
  return { ...refused, requests: Math.min(MAX_REQUESTS, most * 10) }
}

/** Entries that allow what the body does beyond the head, too; what would allow it when none does. */
export function authorizeBody(
  { entries, ask }: Authorized,
  claims: BodyClaims,
): { readonly entries: readonly CompiledCapability[] } | { readonly ask: AskEntry } {
  const methods = claims.methods === 'any' ? [ANY_METHOD] : claims.methods
  const byMethod = entries.filter((entry) => allowsMethods(entry, methods))
  if (byMethod.length === 0) {
    const refused = ask()
    const asked = claims.methods === 'any' ? methods : [...(refused.methods ?? []), ...methods]
    return {
      ask: {
        ...refused,
        methods: askedMethods(asked),
        ...(claims.mutation ? { graphql: 'mutation' as const } : {}),
      },
    }
  }
  const allowing = claims.mutation ? byMethod.filter(({ mutations }) => mutations) : byMethod
  return allowing.length > 0 ? { entries: allowing } : { ask: { ...ask(), graphql: 'mutation' } }
}

/** Entries that allow whatever a body may do, so that it need not be looked into. */
export const freeEntries = (entries: readonly CompiledCapability[]): readonly CompiledCapability[] =>
  entries.filter(({ methods, mutations }) => methods === null && mutations)
