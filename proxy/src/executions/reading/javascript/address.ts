import { formatHostPattern, parseHostPattern } from '../../../kernel/index.ts'
import type { Source } from '../../facts/index.ts'
import { mixed, type Part, type Text, type Unknown } from './values.ts'

/** What a string says as the address of a request. */
export interface Address {
  readonly host: string | null
  readonly hostFrom: Source | null
  readonly path: string | null
  readonly pathFrom: Source | null
  readonly websocket: boolean
  /** The constant text of the query, with computed parts left out. */
  readonly query: string
  readonly pathSecrets: readonly string[]
  readonly querySecrets: readonly string[]
  /** Its host is in the Location header of an answer. */
  readonly redirected: boolean
}

/** No request goes out for it: `data:`, `blob:`, or a path without a host. */
type NoAddress = 'inline' | 'relative'

/** Stands for a computed part while the text is taken apart; the same character in the program's own text is dropped. */
const HOLE = '\uf8f0'
const HOLES = /\uf8f0/g
/** Dots and slashes that are none, and what else passes for a mark of an address. */
const ODD_IN_ADDRESS =
  /[\uff0e\u3002\uff61\u2024\u2025\u2215\u2044\uff0f\u29f8\u2571\u2f3c\uff1a\ufe55\u2236\uff20\uff03\uff1f\uff3c\ufe68\u05c3\u0589]/u

interface Flat {
  readonly text: string
  readonly holes: readonly Unknown[]
  /** For each character, whether it came out of decoding; null when none did. */
  readonly decoded: readonly [number, number][]
}

function flatten(parts: readonly Part[]): Flat {
  let whole = ''
  const holes: Unknown[] = []
  const decoded: [number, number][] = []
  for (const part of parts) {
    if (typeof part === 'string') whole += clean(part)
    else if (part.k === 'decoded') {
      const from = whole.length
      whole += clean(part.text)
      decoded.push([from, whole.length])
    } else {
      whole += HOLE
      holes.push(part)
    }
  }
  return { text: whole, holes, decoded }
}

/** As the URL parser does: blanks at the ends are dropped by the caller, tabs and line breaks anywhere. */
const clean = (part: string): string =>
  /[\t\r\n\uf8f0]/.test(part) ? part.replace(/[\t\r\n\uf8f0]/g, '') : part

/** The computed parts between two places of the text. */
const holesIn = (flat: Flat, from: number, to: number): Unknown[] => {
  const before = (flat.text.slice(0, from).match(HOLES) ?? []).length
  const within = (flat.text.slice(from, to).match(HOLES) ?? []).length
  return flat.holes.slice(before, before + within)
}

const sourceOf = (holes: readonly Unknown[]): Source => mixed([holes]).from

/** Whether an address holds what passes for something else: other dots and slashes, backslashes, a host before an `@`. */
export const isOddAddress = (text: string): boolean =>
  /^\s*(?:https?|wss?):/i.test(text) &&
  (ODD_IN_ADDRESS.test(text) ||
    isOddHost(text) ||
    /^[^?#]*\\/.test(text) ||
    /^[^/]*[/\\]*[^/\\?#@]*\.[^/\\?#@]*@/.test(text))

/** A host that is written otherwise than the server's name: an IPv4 address that is no dotted quad, escapes. */
function isOddHost(text: string): boolean {
  const host = /^\s*[a-z]+:\/*([^/?#\\@:]*)(?:[/?#:]|$)/i.exec(text)?.[1] ?? ''
  if (host.includes('%')) return true
  const last = host.replace(/\.$/, '').split('.').at(-1) ?? ''
  return /^(?:0x[0-9a-f]*|\d+)$/i.test(last) && !/^(?:(?:0|[1-9]\d{0,2})(?:\.|$)){4}$/.test(host)
}

/**
 * A parser differential would show another host than is reached: reads a string as `fetch` would (WHATWG URL), computed
 * parts and all.
 */
export function readAddress(url: Text): Address | NoAddress {
  const flat = flatten(url.parts)
  const { text } = flat
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the URL parser trims these
  const start = text.search(/[^\u0000-\u0020]/)
  if (start < 0) return 'relative'
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text.slice(start))
  if (scheme === null) {
    return text.slice(start).match(/^[^/?#\\]*\uf8f0/) === null ? 'relative' : whollyComputed(flat, 0)
  }
  const name = (scheme[1] ?? '').toLowerCase()
  if (!['http', 'https', 'ws', 'wss'].includes(name)) {
    return ['data', 'blob', 'file'].includes(name) ? 'inline' : whollyComputed(flat, 0)
  }
  let at = start + scheme[0].length
  while (text[at] === '/' || text[at] === '\\') at++
  return readAuthority(flat, at, name)
}

function whollyComputed(flat: Flat, from: number): Address {
  const holes = holesIn(flat, from, flat.text.length)
  const source = sourceOf(holes)
  const questionMark = flat.text.indexOf('?')
  const inQuery = questionMark < 0 ? [] : holesIn(flat, questionMark, flat.text.length)
  return {
    host: null,
    hostFrom: source,
    path: null,
    pathFrom: source,
    websocket: false,
    query: '',
    pathSecrets: mixed([holes.slice(0, holes.length - inQuery.length)]).secrets,
    querySecrets: mixed([inQuery]).secrets,
    redirected: holes.some((hole) => hole.role === 'location'),
  }
}

function readAuthority(flat: Flat, at: number, scheme: string): Address | NoAddress {
  const { text } = flat
  let end = at
  while (end < text.length && !'/\\?#'.includes(text[end] as string)) end++
  const userEnd = text.slice(at, end).lastIndexOf('@')
  const hostStart = at + userEnd + 1
  let hostEnd = end
  const hole = text.indexOf(HOLE, hostStart)
  let glued = false
  if (hole >= 0 && hole < end) {
    // `https://host${path}`: a whole host stands before the computed part, so that part is the path.
    const before = text.slice(hostStart, hole)
    if (/^(?:[^.:]+(?:\.[^.:]+)+|localhost|\[[^\]]*\])(?::\d+)?$/i.test(before) && isTail(text, hole)) {
      hostEnd = hole
      glued = true
    } else return withoutHost(flat, hostStart, end, scheme)
  }
  const host = canonicalHost(text.slice(hostStart, hostEnd), scheme)
  if (host === null) return withoutHost(flat, hostStart, end, scheme)
  const decoded = flat.decoded.some(([from, to]) => from < hostEnd && to > hostStart && to > from)
  const rest = readPath(flat, glued ? hole : end)
  const user = holesIn(flat, at, hostStart)
  return {
    ...rest,
    host,
    hostFrom: decoded ? 'decoded' : null,
    websocket: scheme.startsWith('ws'),
    pathSecrets: [...rest.pathSecrets, ...mixed([user]).secrets],
    redirected: false,
  }
}

/** Whether nothing but a query stands behind the computed part. */
const isTail = (text: string, hole: number): boolean => /^\uf8f0+(?:[/?#]|$)/.test(text.slice(hole))

function withoutHost(flat: Flat, from: number, end: number, scheme: string): Address {
  const holes = holesIn(flat, from, end)
  const rest = readPath(flat, end)
  return {
    ...rest,
    host: null,
    hostFrom: holes.length === 0 ? 'computed' : sourceOf(holes),
    websocket: scheme.startsWith('ws'),
    redirected: holes.some((hole) => hole.role === 'location'),
  }
}

function canonicalHost(authority: string, scheme: string): string | null {
  const plain = scheme === 'http' || scheme === 'ws'
  if (!URL.canParse(`${plain ? 'http' : 'https'}://${authority}`)) return null
  const pattern = parseHostPattern(
    `${plain ? 'http://' : ''}${new URL(`${plain ? 'http' : 'https'}://${authority}`).host}`,
  )
  return 'problem' in pattern || pattern.wildcard ? null : formatHostPattern(pattern)
}

/** A longer path is shown to nobody. */
const LONGEST_PATH = 2000

type PathPart = Pick<Address, 'path' | 'pathFrom' | 'query' | 'pathSecrets' | 'querySecrets'>

function readPath(flat: Flat, from: number): PathPart {
  const { text } = flat
  let end = from
  while (end < text.length && text[end] !== '?' && text[end] !== '#') end++
  let path = text.slice(from, end)
  let holes = holesIn(flat, from, end)
  const queryHoles = [...holesIn(flat, end, text.length)]
  // A part that is a query or nothing belongs to the query.
  while (path.endsWith(HOLE) && holes.at(-1)?.role === 'query') {
    path = path.slice(0, -1)
    queryHoles.push(holes.at(-1) as Unknown)
    holes = holes.slice(0, -1)
  }
  const secrets = {
    query: text.slice(end).replace(HOLES, ''),
    pathSecrets: mixed([holes]).secrets,
    querySecrets: mixed([queryHoles]).secrets,
  }
  const tail = holes.at(-1)
  const isWhole = path.startsWith(HOLE)
  const gluedTail = path.endsWith(HOLE) && !/[/\\_.~:,=@;|+(-]\uf8f0+$/.test(path) && tail?.role !== 'atom'
  if (path.length > LONGEST_PATH) return { path: null, pathFrom: 'computed', ...secrets }
  if (holes.length > 0 && (isWhole || gluedTail)) {
    return { path: null, pathFrom: sourceOf(holes), ...secrets }
  }
  return { path: patternOf(path), pathFrom: null, ...secrets }
}

/** The path as a server gets it, with `*` for a segment that has a computed part. */
function patternOf(path: string): string {
  const marked = path
    .split(/[/\\]/)
    .map((segment) => (segment.includes(HOLE) ? 'oauth3*hole' : segment.replaceAll('*', '%2A')))
    .join('/')
  const url = `https://h${marked.startsWith('/') ? '' : '/'}${marked}`
  if (!URL.canParse(url)) return '/'
  return new URL(url).pathname.replaceAll('oauth3*hole', '*')
}
