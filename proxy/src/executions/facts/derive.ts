/**
 * Least privilege by static analysis: what a request asks to send, made whole. What it does not state is derived from what the
 * program can be seen to do; in doubt it is any, which the card says.
 */
import {
  ANY_METHOD,
  ANY_PATH,
  anyCapability,
  CAPABILITY_LIMITS,
  type Capability,
  canonicalNetwork,
  DEFAULT_REQUESTS,
  hostCovers,
} from '../../egress/capabilities/index.ts'
import type { CodeFacts, DangerFact, RequestFact } from './facts.ts'

/** An entry of a request's network list; what is left out is derived. Canonical once `requestedHosts` has read it. */
export interface RequestedHost {
  readonly host: string
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  readonly requests?: number
  readonly websocket?: boolean
  readonly graphql?: Capability['graphql']
}

/**
 * What the program does beyond what was read of it, so that nothing narrower than anything can be derived. Walled: the runtime
 * stops code from text by itself, so what such code would send need not be guessed.
 */
const OPAQUE: readonly DangerFact['kind'][] = ['opaque_sender', 'unreadable_code']
const OPAQUE_WITHOUT_WALL: readonly DangerFact['kind'][] = [
  'code_from_text',
  'computed_import',
  'text_import',
  'native_code',
  'webassembly',
  'worker_code',
]

const isOpaque = (facts: CodeFacts, walled: boolean): boolean =>
  !facts.readable ||
  facts.dangers.some(({ kind }) => OPAQUE.includes(kind) || (!walled && OPAQUE_WITHOUT_WALL.includes(kind)))

/** Canonical capabilities for every requested entry. `walled`: see `OPAQUE`. */
export function deriveNetwork(
  requested: readonly RequestedHost[],
  facts: CodeFacts,
  options: { readonly walled: boolean },
): Capability[] {
  const opaque = isOpaque(facts, options.walled)
  const seen = distinct(facts.requests)
  return canonicalNetwork(requested.flatMap((entry) => capabilitiesOf(entry, seen, opaque)))
}

/** A loop or a helper is seen to send the same from many lines. */
function distinct(requests: readonly RequestFact[]): RequestFact[] {
  const byParts = new Map<string, RequestFact>()
  for (const one of requests) {
    const { host, method, path, websocket, graphql } = one
    byParts.set(JSON.stringify([host, method, path, websocket, graphql]), one)
  }
  return [...byParts.values()]
}

function capabilitiesOf(entry: RequestedHost, seen: readonly RequestFact[], opaque: boolean): Capability[] {
  const { host, methods, paths, websocket } = entry
  if (methods !== undefined && paths !== undefined) return [stated(entry, methods, paths)]
  if (websocket === true && methods === undefined && paths !== undefined) return [stated(entry, [], paths)]
  if (opaque)
    return [
      methods === undefined ? withStated(anyCapability(host), entry) : stated(entry, methods, [ANY_PATH]),
    ]
  const here = seen.filter((fact) => fact.host === null || hostCovers(host, fact.host))
  const rows = here.map((fact) => capabilityOf(host, fact))
  // Nothing names the host, so at most a redirect leads there.
  const derived = rows.length > 0 ? rows : [{ ...base(host), methods: ['GET'], paths: [ANY_PATH] }]
  const narrowed = methods === undefined ? derived : forMethods(host, rows, methods)
  return withinLimits(narrowed.map((capability) => withStated(capability, entry)))
}

const base = (host: string): Omit<Capability, 'methods' | 'paths'> => ({
  host,
  requests: DEFAULT_REQUESTS,
  websocket: false,
  graphql: 'query',
})

const stated = (entry: RequestedHost, methods: readonly string[], paths: readonly string[]): Capability =>
  withStated({ ...base(entry.host), methods, paths }, entry)

const withStated = (
  capability: Capability,
  { paths, requests, websocket, graphql }: RequestedHost,
): Capability => ({
  ...capability,
  paths: paths ?? capability.paths,
  requests: requests ?? Math.min(capability.requests, DEFAULT_REQUESTS),
  websocket: websocket ?? capability.websocket,
  graphql: graphql ?? capability.graphql,
})

/** What was derived for these methods; any path for those of which nothing was seen. None is for WebSockets alone. */
function forMethods(host: string, derived: readonly Capability[], methods: readonly string[]): Capability[] {
  const seen = (wanted: readonly string[], rows: readonly Capability[]): Capability[] =>
    rows.length > 0
      ? rows.map((row) => ({ ...row, methods: wanted }))
      : [{ ...base(host), methods: wanted, paths: [ANY_PATH] }]
  const webSockets = derived.filter(({ websocket }) => websocket)
  if (methods.length === 0) return seen([], webSockets)
  return methods.flatMap((method) =>
    seen(
      [method],
      derived.filter(
        ({ methods: own }) => method === ANY_METHOD || own.includes(method) || own.includes(ANY_METHOD),
      ),
    ),
  )
}

function capabilityOf(host: string, { method, path, websocket, graphql }: RequestFact): Capability {
  return {
    ...base(host),
    methods: websocket ? [] : [method ?? ANY_METHOD],
    paths: [path ?? ANY_PATH],
    websocket,
    graphql: graphql === 'mutation' || graphql === 'unknown' ? 'mutation' : 'query',
  }
}

/** A program of very many addresses is one whose list nobody reads: any path then, and said so. */
function withinLimits(capabilities: readonly Capability[]): Capability[] {
  const merged = canonicalNetwork(capabilities)
  return merged.map((entry) =>
    entry.paths.length > CAPABILITY_LIMITS.paths ? { ...entry, paths: [ANY_PATH] } : entry,
  )
}
