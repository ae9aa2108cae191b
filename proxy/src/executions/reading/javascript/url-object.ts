import {
  anything,
  joinParts,
  lengthOf,
  mixed,
  only,
  type Part,
  type Text,
  type Thing,
  thing,
  type Value,
} from './values.ts'

const HOLE = '\uf8f0'
const MOST_PARTS = 48
const LONGEST = 8192

/** The parts as one string with one character for each computed part; places in it are places for `sliceParts`. */
function flat(parts: readonly Part[]): string {
  let whole = ''
  for (const part of parts) {
    whole += typeof part === 'string' ? part : part.k === 'decoded' ? part.text : HOLE
  }
  return whole
}

/** The parts between two places. */
function sliceParts(parts: readonly Part[], from: number, to = Number.POSITIVE_INFINITY): Part[] {
  const slice: Part[] = []
  let at = 0
  for (const part of parts) {
    const length = typeof part === 'string' ? part.length : part.k === 'decoded' ? part.text.length : 1
    const a = Math.max(from - at, 0)
    const b = Math.min(to - at, length)
    if (a < b) {
      if (typeof part === 'string') slice.push(part.slice(a, b))
      else if (part.k === 'decoded') slice.push({ k: 'decoded', text: part.text.slice(a, b) })
      else slice.push(part)
    }
    at += length
  }
  return slice
}

/** Places where host, path, query and fragment of an address begin. */
function places(
  parts: readonly Part[],
): { host: number; path: number; query: number; hash: number; end: number } | null {
  const whole = flat(parts)
  const scheme = /^\s*[a-z][a-z0-9+.-]*:[/\\]*/i.exec(whole)
  if (scheme === null) return null
  const host = scheme[0].length
  let path = host
  while (path < whole.length && !'/\\?#'.includes(whole[path] as string)) {
    // A computed part behind a whole host is its path.
    if (whole[path] === HOLE && /\.[^.:]+(?::\d+)?$/.test(whole.slice(host, path))) break
    path++
  }
  const hashAt = whole.indexOf('#', path)
  const hash = hashAt < 0 ? whole.length : hashAt
  const queryAt = whole.indexOf('?', path)
  return { host, path, query: queryAt < 0 || queryAt > hash ? hash : queryAt, hash, end: whole.length }
}

const asText = (parts: Part[]): Value => [
  { k: 'text', parts: parts.length === 0 ? [''] : parts, hidden: null },
]

/** `new URL(path, base)` for one string of each. */
export function resolveUrl(path: Text, base: Text | null): Text {
  const whole = flat(path.parts)
  if (base === null || /^\s*[a-z][a-z0-9+.-]*:/i.test(whole)) return path
  // A redirect names a whole address, or a path: where it leads is not known.
  const [head] = path.parts
  if (typeof head === 'object' && head.k === 'any' && head.role === 'location') return path
  const at = places(base.parts)
  const hidden = path.hidden ?? base.hidden
  const on = (end: number, middle: string): Text => ({
    k: 'text',
    parts: joinParts(joinParts(sliceParts(base.parts, 0, end), middle === '' ? [] : [middle]), path.parts),
    hidden,
  })
  if (at === null) return { k: 'text', parts: [mixed([[path], [base]])], hidden }
  if (/^[/\\]{2}/.test(whole)) {
    const scheme = /^\s*[a-z][a-z0-9+.-]*:/i.exec(flat(base.parts))?.[0] ?? ''
    return { k: 'text', parts: joinParts([scheme], path.parts), hidden }
  }
  if (whole === '') return { k: 'text', parts: sliceParts(base.parts, 0, at.hash), hidden }
  if (whole.startsWith('?')) return on(at.query, '')
  if (whole.startsWith('#')) return on(at.hash, '')
  if (/^[/\\]/.test(whole) || whole.startsWith(HOLE)) return on(at.path, '')
  const directory = flat(base.parts).slice(0, at.query).lastIndexOf('/')
  return directory < at.path ? on(at.path, '/') : on(directory + 1, '')
}

/** A `URL` object: its address is kept as one string, every part is cut from it when it is read. */
export const makeUrl = (href: Value): Thing => thing([['href', href]], 'URL')

/** A property of a `URL` object; null for what is none. */
export function urlMember(url: Thing, key: string): Value | null {
  const href = url.props.get('href') ?? anything('computed')
  const cut = (read: (at: NonNullable<ReturnType<typeof places>>, parts: readonly Part[]) => Part[]): Value =>
    href.flatMap((one): Value => {
      const at = one.k === 'text' ? places(one.parts) : null
      return one.k === 'text' && at !== null ? asText(read(at, one.parts)) : [mixed([[one]])]
    })
  switch (key) {
    case 'href':
      return href
    case 'origin':
      return cut((at, parts) => sliceParts(parts, 0, at.path))
    case 'host':
    case 'hostname':
      return cut((at, parts) => sliceParts(parts, at.host, at.path))
    case 'pathname':
      return cut((at, parts) => (at.path === at.query ? ['/'] : sliceParts(parts, at.path, at.query)))
    case 'search':
      return cut((at, parts) => sliceParts(parts, at.query, at.hash)).map((one) =>
        one.k === 'any' ? { ...one, role: 'query' } : one,
      )
    case 'hash':
      return cut((at, parts) => sliceParts(parts, at.hash))
    case 'protocol':
      return cut((at, parts) => [flat(sliceParts(parts, 0, at.host)).replace(/[/\\]+$/, '')])
    default:
      return null
  }
}

/** The address with one part of it set, for each pair of alternatives; null when `key` is no part. */
export function withUrlPart(href: Value, key: string, value: readonly Text[]): Value | null {
  if (key === 'href') return value
  if (!['host', 'hostname', 'pathname', 'search', 'hash', 'protocol', 'port'].includes(key)) return null
  return href.flatMap(
    (one): Value =>
      value.map((set) => {
        if (one.k === 'text' && (one.parts.length > MOST_PARTS || lengthOf(one.parts) > LONGEST))
          return mixed([[one], [set]])
        const at = one.k === 'text' ? places(one.parts) : null
        if (one.k !== 'text' || at === null) return mixed([[one], [set]])
        const { parts } = one
        const given = flat(set.parts)
        const around = (from: number, to: number, mark: string): Text => {
          const marked = mark !== '' && given !== '' && !given.startsWith(mark) && !given.startsWith(HOLE)
          const before = joinParts(sliceParts(parts, 0, from), marked ? [mark] : [])
          return {
            k: 'text',
            parts: joinParts(joinParts(before, set.parts), sliceParts(parts, to)),
            hidden: set.hidden ?? one.hidden,
          }
        }
        if (key === 'pathname') return around(at.path, at.query, '/')
        if (key === 'search') return around(at.query, at.hash, '?')
        if (key === 'hash') return around(at.hash, at.end, '#')
        if (key === 'protocol')
          return {
            k: 'text',
            parts: joinParts(
              joinParts(set.parts, given.endsWith(':') ? ['//'] : ['://']),
              sliceParts(parts, at.host),
            ),
            hidden: null,
          }
        if (key === 'port') {
          const name = flat(sliceParts(parts, at.host, at.path)).replace(/:\d*$/, '')
          return {
            k: 'text',
            parts: joinParts(
              joinParts(sliceParts(parts, 0, at.host), joinParts([`${name}:`], set.parts)),
              sliceParts(parts, at.path),
            ),
            hidden: null,
          }
        }
        return around(at.host, at.path, '')
      }),
  )
}

/** Appends `name=value` to the query of an address. */
export function withQuery(href: Value, name: Value, value: Value): Value {
  const shown = only(name)
  return href.map((one) => {
    if (one.k !== 'text') return mixed([[one], value])
    // Enough parts say that the query is computed; what it carries is looked at where it is set.
    const at = one.parts.length > MOST_PARTS ? null : places(one.parts)
    if (at === null) return one
    const before = sliceParts(one.parts, 0, at.hash)
    const constant = only(value)
    const pair: Part[] = [at.query === at.hash ? '?' : '&', shown ?? 'x', '=', constant ?? mixed([value])]
    return {
      k: 'text',
      parts: joinParts(joinParts(before, joinParts([], pair)), sliceParts(one.parts, at.hash)),
      hidden: one.hidden,
    }
  })
}
