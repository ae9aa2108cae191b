/** What a run may do at one host: which methods, which paths, how often. Part of the consent; the gateway enforces it. */
import {
  CAPABILITY_LIMITS,
  DEFAULT_REQUESTS,
  formatHostPattern,
  hostPatternCovers,
  MAX_REQUESTS,
  parseHostPattern,
} from '../../kernel/index.ts'
import { ANY_PATH, type PathPattern, parsePathPattern, pathCovers } from './path.ts'

export { CAPABILITY_LIMITS, DEFAULT_REQUESTS, MAX_REQUESTS }

export interface Capability {
  /** Canonical host pattern. */
  readonly host: string
  /** Upper case, sorted; GET stands for HEAD too; `['*']` for any. Empty where only WebSockets are meant. */
  readonly methods: readonly string[]
  /** Canonical path patterns, sorted; `['/**']` for any. */
  readonly paths: readonly string[]
  /** Requests that a run may make by it. */
  readonly requests: number
  readonly websocket: boolean
  /** What GraphQL requests may do; a `query` entry lets no mutation pass. */
  readonly graphql: 'query' | 'mutation'
}

export const ANY_METHOD = '*'

/** TRACE echoes a request in the body of its answer; a tunnel inside a tunnel cannot be looked into. */
export const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])
/** RFC 9110, 9.2.1; HEAD goes by the name of GET, and TRACE is forbidden. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'OPTIONS'])
const METHOD = /^[A-Z][A-Z-]{0,31}$/

/** The name by which a method is approved: upper case, HEAD as GET. */
export const approvedName = (method: string): string => {
  const upper = method.toUpperCase()
  return upper === 'HEAD' ? 'GET' : upper
}

/** What a bare host meant before hosts had capabilities. */
export const anyCapability = (host: string): Capability => ({
  host,
  methods: [ANY_METHOD],
  paths: [ANY_PATH],
  requests: MAX_REQUESTS,
  websocket: true,
  graphql: 'mutation',
})

export const isAnyMethod = ({ methods }: Pick<Capability, 'methods'>): boolean => methods.includes(ANY_METHOD)
export const isAnyPath = ({ paths }: Pick<Capability, 'paths'>): boolean => paths.includes(ANY_PATH)

/** Whether it allows a method that is not safe. */
export const isUnsafe = ({ methods }: Pick<Capability, 'methods'>): boolean =>
  methods.some((method) => !SAFE_METHODS.has(method))

/** A problem with a method as it was stated; null when there is none. */
export function methodProblem(method: string): string | null {
  const name = method.toUpperCase()
  if (name === ANY_METHOD) return null
  if (!METHOD.test(name)) return 'is not a method'
  return FORBIDDEN_METHODS.has(name) ? 'cannot pass the gateway' : null
}

/** Sorted, each once, with what others of the list cover left out. Its parts must be canonical already. */
function canonicalCapability(capability: Capability): Capability {
  const methods = [...new Set(capability.methods.map(approvedName))].sort()
  const paths = parsedPaths(capability.paths)
  return {
    host: capability.host,
    methods: methods.includes(ANY_METHOD) ? [ANY_METHOD] : methods,
    paths: paths
      .filter((path, index) => !paths.some((other, at) => at !== index && covers(other, path, at < index)))
      .map(({ text }) => text)
      .sort(),
    requests: capability.requests,
    websocket: capability.websocket,
    graphql: capability.graphql,
  }
}

/** Of two patterns that cover each other the first stays. */
const covers = (other: PathPattern, path: PathPattern, isBefore: boolean): boolean =>
  pathCovers(other, path) && (isBefore || !pathCovers(path, other))

/** Canonical order; entries that differ in nothing but paths are one. */
export function canonicalNetwork(entries: readonly Capability[]): Capability[] {
  const byRest = new Map<string, Capability>()
  for (const entry of entries.map(canonicalCapability)) {
    const key = JSON.stringify({ ...entry, paths: null })
    const known = byRest.get(key)
    byRest.set(key, known === undefined ? entry : { ...entry, paths: [...known.paths, ...entry.paths] })
  }
  const text = (entry: Capability): string => `${entry.host}\n${JSON.stringify(entry)}`
  const sorted = [...byRest.values()].map(canonicalCapability).sort((a, b) => (text(a) < text(b) ? -1 : 1))
  return sorted.filter(
    (entry, index) => !sorted.some((other, at) => at !== index && repeats(other, entry, at < index)),
  )
}

/** Whether `other` allows all of the entry as often: together they would only multiply a limit that a person reads once. */
const repeats = (other: Capability, entry: Capability, isBefore: boolean): boolean =>
  other.host === entry.host &&
  other.requests >= entry.requests &&
  capabilityCovers(other, entry) &&
  (isBefore || other.requests > entry.requests || !capabilityCovers(entry, other))

/** Whether everything that `inner` allows is allowed by `outer`; the number of requests is left out. */
export function capabilityCovers(outer: Capability, inner: Capability): boolean {
  if (!hostCovers(outer.host, inner.host)) return false
  const wide = parsedPaths(outer.paths)
  return (
    (isAnyMethod(outer) || inner.methods.every((method) => outer.methods.includes(method))) &&
    parsedPaths(inner.paths).every((path) => wide.some((pattern) => pathCovers(pattern, path))) &&
    (outer.websocket || !inner.websocket) &&
    (outer.graphql === 'mutation' || inner.graphql === 'query')
  )
}

/** Whether these capabilities allow a request whose every part is known; `path` without a query. */
export function allowsRequest(
  network: readonly Capability[],
  request: {
    readonly host: string
    readonly method: string
    readonly path: string
    readonly websocket: boolean
  },
): boolean {
  const entry: Capability = {
    host: request.host,
    methods: request.websocket ? [] : [approvedName(request.method)],
    paths: [request.path],
    requests: 1,
    websocket: request.websocket,
    graphql: 'query',
  }
  return network.some((outer) => capabilityCovers(outer, entry))
}

export function hostCovers(outer: string, inner: string): boolean {
  const [wide, narrow] = [parseHostPattern(outer), parseHostPattern(inner)]
  return !('problem' in wide) && !('problem' in narrow) && hostPatternCovers(wide, narrow)
}

/** Entries of `asked` that nothing in `given` covers, or that together ask for more requests than were given. */
export function uncoveredCapabilities(
  given: readonly Capability[],
  asked: readonly Capability[],
): Capability[] {
  const left = given.map(({ requests }) => requests)
  return asked.filter((entry) => {
    const index = given.findIndex(
      (outer, at) => capabilityCovers(outer, entry) && (left[at] as number) >= entry.requests,
    )
    if (index !== -1) left[index] = (left[index] as number) - entry.requests
    return index === -1
  })
}

export const hostsOf = (network: readonly Pick<Capability, 'host'>[]): string[] => [
  ...new Set(network.map(({ host }) => host)),
]

export const parsedPaths = (paths: readonly string[]): PathPattern[] =>
  paths.map((text) => {
    const pattern = parsePathPattern(text)
    if ('problem' in pattern) throw new TypeError(`not a path pattern: ${text}`)
    return pattern
  })

/** A path that is longer is cut where it is only named. */
export const NAMED_PATH_CHARS = 60

/** `GET api.stripe.com/v1/charges/*`, one text for each path; methods joined by `|`, `any method`, `any path`. */
export function capabilityTexts(entry: Capability, pathChars = Number.POSITIVE_INFINITY): string[] {
  const methods = isAnyMethod(entry) ? 'ANY method' : entry.methods.join('|')
  const extra = [
    ...(entry.requests > DEFAULT_REQUESTS ? [`up to ${entry.requests} requests`] : []),
    ...(entry.graphql === 'mutation' && !isAnyMethod(entry) ? ['GraphQL mutations'] : []),
  ]
  const suffix = extra.length === 0 ? '' : ` (${extra.join(', ')})`
  return entry.paths.flatMap((path) => {
    const named = path.length > pathChars ? `${path.slice(0, pathChars - 1)}…` : path
    const where = path === ANY_PATH ? `${entry.host}, ANY path` : `${entry.host}${named}`
    return [
      ...(entry.methods.length === 0 ? [] : [`${methods} ${where}${suffix}`]),
      ...(entry.websocket ? [`WebSocket ${where}`] : []),
    ]
  })
}

/** Canonical form of a host as it was stated; the problem completes a sentence that begins with its text. */
export function canonicalHost(text: string): string | { readonly problem: string } {
  const pattern = parseHostPattern(text)
  return 'problem' in pattern ? pattern : formatHostPattern(pattern)
}
