import type { Provider } from './ports.ts'

/**
 * Path normalisation: what becomes of the path of a request. It is read once, passes byte for byte when it is let through, and is put
 * below one of the vendor's own roots: a client's base URL may name all of the root, none, or a part of it.
 */

/** Segments that begin with a dot, percent-encodings and empty segments are left to the closer look. */
const PLAIN =
  /^(?:\/[\w~!$&'()*+,;=:@|^{}[\]`"<>-][\w.~!$&'()*+,;=:@|^{}[\]`"<>-]*)+\/?(?:\?[\x21\x22\x24-\x7e]*)?$/
const TARGET = /^(\/[\x21\x22\x24-\x3e\x40-\x7e]*)(\?[\x21\x22\x24-\x7e]*)?$/
/**
 * Behind these a segment is a name, and may hold slashes as `%2F`: models called `vendor/model` (OpenAI's SDKs), ARNs at Amazon Bedrock
 * (AWS's SDKs encode each label of a URI), models of Cloudflare. What such a path means is evaluated in both readings: endpoints.ts.
 */
const NAME_PLACES: ReadonlySet<string> = new Set([
  ...['models', 'model', 'deployments', 'engines', 'tunedmodels', 'guardrail', 'async-invoke', 'run'],
])
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:;[^/]*)?(?=\/|$)/

/** Takes the target of a request's first line; `query` is without its question mark, `problem` goes on from "The path …". */
export function normalisePath(
  rawUrl: string,
): { readonly path: string; readonly query: string } | { readonly problem: string } {
  if (!PLAIN.test(rawUrl)) {
    const problem = problemOf(rawUrl)
    if (problem !== null) return { problem }
  }
  const mark = rawUrl.indexOf('?')
  return mark === -1
    ? { path: rawUrl, query: '' }
    : { path: rawUrl.slice(0, mark), query: rawUrl.slice(mark + 1) }
}

function problemOf(rawUrl: string): string | null {
  if (!rawUrl.startsWith('/')) return 'does not begin with a slash'
  const path = TARGET.exec(rawUrl)?.[1]
  if (path === undefined) return 'holds a character that no path has'
  const once = decoded(path)
  if (once === undefined) return 'is not valid percent-encoding'
  // Whoever decodes a second time on the way shall read the same path.
  const readings = [path, once, loosely(once)]
  const slashes = once.split('/').length
  if (slashes !== path.split('/').length && !isNameOnly(path)) return 'holds an encoded slash'
  for (const [times, reading] of readings.entries()) {
    if (reading.includes('\\')) return 'holds a backslash'
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    if (/[\x00-\x1f\x7f]/.test(reading)) return 'holds a control character'
    if (times > 0 && reading.split('/').length !== slashes) return 'holds an encoded slash'
    if (reading.includes('//')) return 'holds an empty segment'
    if (DOT_SEGMENT.test(reading)) return 'holds a dot segment'
  }
  return null
}

const isNameOnly = (path: string): boolean => {
  const segments = path.split('/')
  return segments.every((segment, at) => {
    const pieces = segment.split(/%2f/i)
    const isName = NAME_PLACES.has((segments[at - 1] ?? '').toLowerCase())
    return pieces.length === 1 || (isName && pieces.every((piece) => piece !== ''))
  })
}

/** Stands for a slash inside of a segment: no path holds it, encoded or not. */
const INNER_SLASH = '\0'

/**
 * A path as whoever routes by it reads it: each segment decoded by itself, once, with `INNER_SLASH` for a slash that belongs to a name. Null
 * where that cannot be told.
 */
export function readSegments(path: string): string | null {
  if (!path.includes('%')) return path
  return decoded(path.replace(/%2f/gi, '%00')) ?? null
}

/** What was cut out of such a reading. */
export const nameIn = (reading: string): string => reading.replaceAll(INNER_SLASH, '/')

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** Of what was decoded already: a percent sign may stand for itself. */
const loosely = (text: string): string =>
  text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** What the clients' libraries call, wherever a vendor has it. */
const ENDPOINT =
  /^(.*?)(\/(?:(chat\/completions|completions|responses|embeddings|images|audio|moderations|realtime)|(messages)|models|files|batches|rerank)(?:\/.*)?)$/
const VERSION = /^\/v[0-9]+(?:(?:alpha|beta)[0-9]*)?$/
const OPENAI_ROOT = /\/(?:openai|compat(?:ibility|ible-mode)?)(?=\/|$)/
const ANTHROPIC_ROOT = /\/anthropic(?=\/|$)/

type Form = 'openai' | 'anthropic' | 'any'

/** Where an endpoint is, and what may stand before it in a client's path instead of that. */
interface Home {
  readonly root: string
  readonly spellings: ReadonlySet<string>
}

interface Places {
  readonly homes: Readonly<Record<Form, Home>>
  /** Longest first; without the root itself. */
  readonly roots: readonly string[]
  /** Those of them that name a version. */
  readonly versioned: readonly string[]
  /** Of the roots that everything may be under: what to put before a path that begins with the end of one. */
  readonly endings: readonly { readonly ending: string; readonly before: string }[]
  /** Beginnings of the usual root, longest first. */
  readonly beginnings: readonly string[]
  readonly usual: string
  /** What was placed before: clients call the same few paths again and again. */
  readonly placed: Map<string, string>
}

const MAX_PLACED = 200
const MAX_PLACED_LENGTH = 200

const places = new WeakMap<Provider, Places>()

/** The path at the vendor, for what stands behind the provider's name. It is always below one of the roots. */
export function upstreamPath(provider: Provider, rest: string): string {
  let known = places.get(provider)
  if (known === undefined) {
    known = placesOf(provider)
    places.set(provider, known)
  }
  const before = known.placed.get(rest)
  if (before !== undefined) return before
  const path = place(known, provider.own, rest) || '/'
  if (rest.length <= MAX_PLACED_LENGTH) {
    if (known.placed.size >= MAX_PLACED) known.placed.clear()
    known.placed.set(rest, path)
  }
  return path
}

/** What of such a path stands behind the vendor's root: `/chat/completions`, whichever base URL the client has. */
export function behindRoot(provider: Provider, path: string): string {
  const root = provider.roots
    .filter((candidate) => isBelow(path, candidate))
    .reduce((longest, candidate) => (candidate.length > longest.length ? candidate : longest), '')
  return path.slice(root.length) || '/'
}

function place(known: Places, isOwn: boolean, asked: string): string {
  // The base URL names the root, and the client's library puts it before its paths once more. Libraries do so with versions
  // only: behind any other root its own name may be the first word of a path (Hugging Face's /fal-ai/fal-ai/flux).
  const doubled = known.versioned.find((root) => isBelow(asked, root + root))
  const rest = doubled === undefined ? asked : asked.slice(doubled.length)
  const [, before = '', endpoint, ofOpenai, ofAnthropic] = ENDPOINT.exec(rest) ?? []
  if (endpoint !== undefined) {
    const home =
      known.homes[ofOpenai !== undefined ? 'openai' : ofAnthropic !== undefined ? 'anthropic' : 'any']
    if (home.spellings.has(before)) return home.root + endpoint
    // A vendor at the root itself has chat there, and other endpoints below a version.
    if (home.root === '' && !isOwn && before === '/v1' && ofOpenai === 'chat/completions') return endpoint
  }
  if (known.roots.some((root) => isBelow(rest, root))) return rest
  const cut = known.endings.find(({ ending }) => isBelow(rest, ending))
  if (cut !== undefined) return cut.before + rest
  const beginning = known.beginnings.find((start) => isBelow(rest, start))
  return known.usual + (beginning === undefined ? rest : rest.slice(beginning.length))
}

const isBelow = (path: string, root: string): boolean =>
  path.startsWith(root) && (path.length === root.length || path[root.length] === '/')

function placesOf({ roots }: Provider): Places {
  const usual = roots[0] ?? ''
  const isMarked = (root: string): boolean => OPENAI_ROOT.test(root) || ANTHROPIC_ROOT.test(root)
  const shared = roots.filter((root) => root === usual || !isMarked(root))
  const named = roots.filter((root) => root !== '').sort((a, b) => b.length - a.length)
  return {
    homes: {
      openai: homeOf(roots, OPENAI_ROOT, ANTHROPIC_ROOT),
      anthropic: homeOf(roots, ANTHROPIC_ROOT, OPENAI_ROOT),
      any: {
        root: usual,
        spellings: spellingsOf(usual, shared, new Set(roots.filter((root) => !isBelow(usual, root)))),
      },
    },
    roots: named,
    versioned: named.filter((root) => segmentsOf(root).some((segment) => VERSION.test(segment))),
    endings: shared.flatMap((root) => cuts(root).map(({ before, after }) => ({ ending: after, before }))),
    beginnings: cuts(usual)
      .map(({ before }) => before)
      .reverse(),
    usual,
    placed: new Map(),
  }
}

/** The root of its own that a form has, with a version before one without; else the first that is not the other form's. */
function homeOf(roots: readonly string[], own: RegExp, other: RegExp): Home {
  const marked = roots.filter((root) => own.test(root))
  const root =
    marked.find((candidate) => segmentsOf(candidate).some((segment) => VERSION.test(segment))) ??
    marked[0] ??
    roots.find((candidate) => !other.test(candidate)) ??
    roots[0] ??
    ''
  // Another root that is more than a version, and not a part of this one, was meant when it was written out.
  const meant = new Set(roots.filter((candidate) => !VERSION.test(candidate) && !isBelow(root, candidate)))
  return { root, spellings: spellingsOf(root, roots, meant) }
}

/**
 * All of the root, any part of it, or nothing, each with or without the version that a client's library adds; but
 * nothing that is another root in its own right.
 */
function spellingsOf(
  root: string,
  roots: readonly string[],
  meant: ReadonlySet<string>,
): ReadonlySet<string> {
  if (root === '') return new Set([''])
  const segments = segmentsOf(root)
  const parts = segments.flatMap((_, from) => segments.map((_, to) => segments.slice(from, to + 1).join('')))
  parts.push('')
  const versions = ['', '/v1', ...roots.filter((candidate) => VERSION.test(candidate))]
  const spellings = parts.flatMap((part) => versions.map((version) => part + version))
  const isMeant = (spelling: string): boolean => meant.has(spelling) || meant.has(root + spelling)
  return new Set(spellings.filter((spelling) => !isMeant(spelling)))
}

const segmentsOf = (root: string): string[] => root.split(/(?=\/)/).filter((segment) => segment !== '')

/** The places between the segments, the longest ending first. */
function cuts(root: string): { before: string; after: string }[] {
  const segments = segmentsOf(root)
  return segments.slice(1).map((_, index) => ({
    before: segments.slice(0, index + 1).join(''),
    after: segments.slice(index + 1).join(''),
  }))
}
