import fc from 'fast-check'
import {
  type Capability,
  canonicalNetwork,
  capabilityCovers,
  type PathPattern,
  parsePathPattern,
  pathCovers,
  pathMatches,
  readPath,
  uncoveredCapabilities,
} from '../../src/egress/capabilities/index.ts'
import { holds } from './property.ts'

const segment = fc.constantFrom('a', 'b', 'v1', '*', 'x%2Fy', '~', 'a:b')
const patternText = fc
  .tuple(fc.array(segment, { minLength: 0, maxLength: 3 }), fc.constantFrom('', '/', '/**'))
  .map(([segments, end]) => `/${segments.join('/')}${segments.length === 0 ? end.slice(1) : end}`)
const pattern = patternText.map(parsePathPattern).filter((one): one is PathPattern => !('problem' in one))

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '/',
      '/',
      '/',
      '//',
      'a',
      'b',
      'v1',
      'x',
      '.',
      '..',
      '%2e',
      '%2E%2e',
      '%2f',
      '%2F',
      '%5c',
      '\\',
      '%25',
      '%252e',
      '%252f',
    ],
    ...[
      '%',
      '%0',
      '%00',
      ';',
      '..;',
      ';x=1',
      '%3b',
      '%3f',
      '%3F',
      '%23',
      '?',
      '#',
      '~',
      '%7e',
      '%61',
      '%41',
      ':',
      '%3a',
    ],
    ...['%c0%ae', '%EF%BC%8E', '%EF%BC%8F', '%e2%88%95', '%c3%a4', '*', '%2a'],
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 2 }),
)
const line = fc.array(piece, { maxLength: 9 }).map((pieces) => `/${pieces.join('')}`)

const decode = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_form, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** What servers do to a path before they route it, in the orders that they do it in. */
const SERVERS: readonly ((path: string) => string)[] = [
  (path) => path,
  decode,
  (path) => decode(decode(path)),
  (path) => decode(path.replace(/%2f|%5c/gi, '/')),
  (path) => decode(path).replaceAll('\\', '/'),
  (path) => decode(path.replace(/;[^/]*/g, '')),
  (path) => decode(path).replace(/;[^/]*/g, ''),
  (path) => decode(path).split(/[?#]/, 1)[0] as string,
  (path) => path.split('#', 1)[0] as string,
]

/** RFC 3986, 5.2.4, and empty segments merged: what is left is what a handler is looked up by. */
function resolved(path: string): string[] {
  const out: string[] = []
  for (const part of path.slice(1).split('/')) {
    if (part === '..') out.pop()
    else if (part !== '.') out.push(part)
  }
  return out
}

/** By segments in plain text; an encoded slash that the pattern spells out is one character of its segment. */
function routes({ segments, below }: PathPattern, path: readonly string[]): boolean {
  if (below ? path.length <= segments.length : path.length !== segments.length) return false
  return segments.every((one, index) =>
    one === '*' ? path[index] !== '' : decode(one) === decode(path[index] ?? ''),
  )
}

const entry: fc.Arbitrary<Capability> = fc.record({
  host: fc.constantFrom('a.com', '*.a.com', 'x.a.com', 'b.com'),
  methods: fc.oneof(
    fc.constant(['*']),
    fc.uniqueArray(fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE'), { maxLength: 3 }),
  ),
  paths: fc.array(
    pattern.map(({ text }) => text),
    { minLength: 1, maxLength: 3 },
  ),
  requests: fc.integer({ min: 1, max: 300 }),
  websocket: fc.boolean(),
  graphql: fc.constantFrom('query', 'mutation'),
})
const network = fc.array(entry, { maxLength: 4 }).map(canonicalNetwork)

export const capabilityProperties = [
  holds(
    'a path that a pattern approves is one of it, whichever way a server reads it',
    fc.property(pattern, line, (approved, path) => {
      const readings = readPath(path)
      if (readings === null || !pathMatches(approved, readings)) return
      const plain = path.split('?', 1)[0] as string
      const isSpelled = approved.segments.some((one) => one.includes('%'))
      for (const server of isSpelled ? SERVERS.slice(0, 1) : SERVERS) {
        const read = resolved(server(plain))
        if (!routes(approved, read)) throw new Error(`read as /${read.join('/')}`)
      }
    }),
  ),
  holds(
    'a pattern is canonical: read again it is the same, and it covers itself',
    fc.property(line, (text) => {
      const parsed = parsePathPattern(text)
      if ('problem' in parsed) return
      const again = parsePathPattern(parsed.text)
      if ('problem' in again || again.text !== parsed.text) throw new Error(`again: ${JSON.stringify(again)}`)
      if (!pathCovers(parsed, parsed)) throw new Error('does not cover itself')
    }),
  ),
  holds(
    'what covers a pattern approves every path that it approves',
    fc.property(pattern, pattern, line, (outer, inner, path) => {
      const readings = readPath(path)
      if (readings === null || !pathCovers(outer, inner) || !pathMatches(inner, readings)) return
      // A spelled slash is approved letter by letter; a wild segment gives it no such leave.
      if (inner.segments.some((one, index) => one.includes('%') && outer.segments[index] !== one)) return
      if (!pathMatches(outer, readings))
        throw new Error(`${outer.text} covers ${inner.text}, but not ${path}`)
    }),
  ),
  holds(
    'a network is canonical whatever its order, covers itself, and nothing is covered twice over',
    fc.property(fc.array(entry, { maxLength: 4 }), fc.nat(3), (entries, turn) => {
      const one = canonicalNetwork(entries)
      const other = canonicalNetwork([...entries.slice(turn), ...entries.slice(0, turn)].toReversed())
      if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error('order matters')
      if (JSON.stringify(canonicalNetwork(one)) !== JSON.stringify(one)) throw new Error('not canonical')
      if (uncoveredCapabilities(one, one).length > 0) throw new Error('does not cover itself')
    }),
  ),
  holds(
    'what a given network covers asks for no more requests than it gave',
    fc.property(network, network, (given, asked) => {
      if (asked.length === 0 || uncoveredCapabilities(given, asked).length > 0) return
      const total = (entries: readonly Capability[]): number =>
        entries.reduce((sum, { requests }) => sum + requests, 0)
      if (total(asked) > total(given)) throw new Error('more than was given')
      for (const entry of asked) {
        if (!given.some((outer) => capabilityCovers(outer, entry)))
          throw new Error(`not covered: ${entry.host}`)
      }
    }),
  ),
]
