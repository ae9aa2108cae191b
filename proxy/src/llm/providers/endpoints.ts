import { COMMON, OWN_ROUTES, type Routes, VENDOR_ROUTES } from './endpoint-routes.ts'
import { nameIn, readSegments } from './path.ts'
import type { Endpoint, Provider } from './ports.ts'

interface CompiledRoute {
  /** Null: every method. */
  readonly method: string | null
  readonly pattern: RegExp
  readonly endpoint: Endpoint
}

/** Nobody has said what it does. */
const UNKNOWN: Endpoint = { group: 'other', metered: false, free: false }

/** Vendors' own names and versions that may stand between the root and the path. */
const PREFIX =
  /^(?:openai|anthropic|api|inference|compat|compatibility|compatible-mode|v[0-9]+(?:(?:alpha|beta)[0-9]*)?)\//
const MAX_PREFIXES = 3
/** Longer than any path of theirs. */
const MAX_PATH_LENGTH = 1_024
/** Vertex AI: the same resources exist below each project and place. */
const PLACE = /^projects\/[^/]+\/locations\/[^/]+\//

const MAX_KNOWN = 500
const MAX_KNOWN_LENGTH = 200

interface Known {
  readonly routes: readonly CompiledRoute[]
  /** By method, then by path: clients call the same few again and again. */
  readonly found: Map<string, Map<string, Endpoint>>
}

const known = new WeakMap<Provider, Known>()

/** What a request does at the vendor. `path` stands behind the provider's root, without query; what nobody knows is `other`. */
export function endpointOf(provider: Provider, method: string, path: string): Endpoint {
  let of = known.get(provider)
  if (of === undefined) {
    of = { routes: routesOf(provider), found: new Map() }
    known.set(provider, of)
  }
  let ofMethod = of.found.get(method)
  const before = ofMethod?.get(path)
  if (before !== undefined) return before
  const endpoint = find(of.routes, method, path)
  if (path.length > MAX_KNOWN_LENGTH) return endpoint
  if (ofMethod === undefined || ofMethod.size >= MAX_KNOWN) {
    ofMethod = new Map()
    of.found.set(method, ofMethod)
  }
  ofMethod.set(path, endpoint)
  return endpoint
}

/** A server may route by the path with the slashes of names decoded: where it would then do something else that is known, nobody can say what. */
function find(routes: readonly CompiledRoute[], asked: string, path: string): Endpoint {
  const reading = path.length <= MAX_PATH_LENGTH ? readSegments(path) : null
  if (reading === null) return UNKNOWN
  const endpoint = findAt(routes, asked, reading)
  const decoded = nameIn(reading)
  if (decoded === reading) return endpoint
  const other = findAt(routes, asked, decoded)
  if (other.group === endpoint.group)
    return {
      ...endpoint,
      metered: endpoint.metered && other.metered,
      free: endpoint.free && other.free,
    }
  return other === UNKNOWN ? endpoint : UNKNOWN
}

function findAt(routes: readonly CompiledRoute[], asked: string, reading: string): Endpoint {
  const method = asked === 'HEAD' ? 'GET' : asked
  let rest: string | null = routed(reading)
  for (let count = 0; rest !== null && count <= MAX_PREFIXES; count += 1) {
    const at: string = rest
    const fits = routes.find((route) => (route.method ?? method) === method && route.pattern.test(at))
    if (fits !== undefined) return reads(method) ? asRead(fits.endpoint) : fits.endpoint
    rest = PREFIX.test(at) ? at.replace(PREFIX, '') : null
  }
  return UNKNOWN
}

const reads = (method: string): boolean => method === 'GET' || method === 'DELETE'

/** Looking at or taking away what is kept uses no tokens; a session is opened by a GET as well. */
const asRead = (endpoint: Endpoint): Endpoint =>
  endpoint.group === 'realtime' ? endpoint : { ...endpoint, metered: true, free: true }

const routed = (reading: string): string =>
  reading
    .toLowerCase()
    .replace(/^\/|\/$/g, '')
    .replace(PLACE, '')

function routesOf({ name, own }: Provider): readonly CompiledRoute[] {
  const vendor = own ? OWN_ROUTES : (VENDOR_ROUTES.get(name) ?? [])
  return [...vendor, ...COMMON].flatMap(compiled)
}

function compiled({ group, metered, free = false, routes }: Routes): CompiledRoute[] {
  const endpoint: Endpoint = { group, metered, free }
  return routes.map((route) => {
    const colon = route.indexOf(':')
    const method = route.slice(0, colon)
    return {
      method: method === '*' ? null : method,
      pattern: new RegExp(`^${sourceOf(route.slice(colon + 1))}$`),
      endpoint,
    }
  })
}

/** A star before a colon is a name that what is done with it follows. */
const sourceOf = (pattern: string): string =>
  pattern
    .replace(/[.]/g, '\\.')
    .replace(/\{([^}]*)\}/g, '(?:$1)')
    .replace(/\/\*\*$/, '(?:/<rest>)?')
    .replace(/\*(?=:)/g, '[^/:]+')
    .replace(/\*/g, '[^/]+')
    .replace('<rest>', '.+')
