import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RENDERINGS } from '../../test/support/renderings.ts'
import type { Turn } from '../kernel/index.ts'
import type { GraphNode } from './graph.ts'
import { addMatch, markerOf, type Region } from './regions.ts'
import { compileRenderings } from './renderings.ts'
import { createScrubber } from './scrubber.ts'
import { ENDLESS_TURN } from './turn.ts'
import { MAX_NULS } from './walks.ts'

const SECRETS = new Map([
  ['TOKEN', 'sk-demo-A7f+/9 "x"'],
  ['HEX', '3f9c0e71d2b84a65'],
  ['WORD', 'Demo-é-Value'],
  ['SHORT', 'dem0-1'],
])
const { graph, names } = compileRenderings(SECRETS)

/** From each byte, every path of the graph, one after the other: nothing is passed over and nothing remembered. */
function reference(text: Uint8Array): string {
  const found: { start: number; end: number; secret: number }[] = []
  for (let start = 0; start < text.length; start++) {
    let nodes: readonly GraphNode[] = graph.rootTargets[text[start] as number] ?? []
    let nuls = 0
    for (let at = start + 1; nodes.length > 0 && at <= text.length; at++) {
      if (nuls === 0) {
        for (const node of nodes) {
          if (node.accepts) found.push({ start: startOf(node, text, start, at), end: at, secret: node.owner })
        }
      }
      const byte = text[at] ?? 0
      nuls = byte === 0 ? nuls + 1 : 0
      if (nuls > MAX_NULS) break
      if (byte !== 0) nodes = [...new Set(nodes.flatMap((node) => [...graph.out(node, byte)]))]
    }
  }
  const regions: Region[] = []
  found.sort((a, b) => a.end - b.end || a.start - b.start)
  for (const { start, end, secret } of found) addMatch(regions, start, end, secret)
  let out = ''
  let position = 0
  for (const region of regions) {
    out += Buffer.from(text.subarray(position, region.start)).toString('latin1') + markerOf(region, names)
    position = region.end
  }
  return out + Buffer.from(text.subarray(position)).toString('latin1')
}

/** A value as it stands begins where it does, even if what is before it could be an escape's beginning. */
function startOf({ plain }: GraphNode, text: Uint8Array, start: number, end: number): number {
  if (plain === undefined || end - start < plain.length) return start
  return Buffer.compare(text.subarray(end - plain.length, end), plain) === 0 ? end - plain.length : start
}

const secret = fc.constantFrom(...SECRETS.values())
const render = fc.constantFrom(...Object.values(RENDERINGS))
const planted = fc.tuple(secret, render, fc.nat(12), fc.boolean()).map(([value, write, cut, isCut]) => {
  const bytes = Buffer.from(write(value) as string)
  return isCut ? bytes.subarray(0, bytes.length - cut) : bytes
})
/** What texts are made of, and what matches are interrupted by. */
const plain = fc.oneof(
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.base64String({ maxLength: 80 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc
    .string({ unit: fc.constantFrom(...'\\%&=\n\r\0 "sd3D0x%5C#;,'), maxLength: 40 })
    .map((text) => Buffer.from(text, 'latin1')),
  fc
    .constantFrom('{"a": 1,\n    "b": "', '&amp;x=%20', '\r\n', '\0\0\0', '\\u0073', 'c2st')
    .map((text) => Buffer.from(text)),
)
const text = fc
  .array(fc.oneof(plain, planted), { minLength: 1, maxLength: 14 })
  .map((parts) => Buffer.concat(parts))
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 })

/** Cold, with the beginnings listed, with what is near them listed as well. */
const PREPARED = { 'nothing prepared': 0, 'the beginnings known': 20_000, 'bytes passed over in steps': 1e12 }

describe.each(Object.entries(PREPARED))('with %s, the scrubber', (_name, readBefore) => {
  const scrubber = createScrubber(SECRETS)
  // The second asks with what the first made.
  for (let round = 0; round < 2; round++) scrubber.automaton.skipFor(readBefore, ENDLESS_TURN)
  if (readBefore === 0) scrubber.automaton.skipFor = () => null

  it('finds what trying every path at every byte finds, however the text is cut and interrupted', () => {
    let found = 0
    fc.assert(
      fc.property(
        text,
        sizes,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        (bytes, cuts, overs) => {
          const expected = reference(bytes)
          if (expected.includes('[secret:')) found++
          let asked = 0
          const turn: Turn = { isOver: () => overs[asked++ % overs.length] ?? false }
          const stream = scrubber.stream()
          const out: Uint8Array[] = []
          for (let at = 0, cut = 0; at < bytes.length; cut++) {
            const size = cuts[cut % cuts.length] as number
            // Of a chunk that the caller uses again nothing may be needed later.
            const chunk = Uint8Array.from(bytes.subarray(at, at + size))
            const pieces: Uint8Array[] = []
            const isRead = stream.read(chunk, pieces, turn)
            out.push(...pieces.map((piece) => Uint8Array.from(piece)))
            chunk.fill(0x78)
            // Some go on at once, some with the next chunk.
            if (!isRead && cut % 2 === 0) stream.read(new Uint8Array(0), out, turn)
            at += size
          }
          out.push(stream.end())
          expect(Buffer.concat(out).toString('latin1')).toBe(expected)
          expect(scrubber.isClean(bytes)).toBe(!expected.includes('[secret:'))
        },
      ),
      { numRuns: 250 },
    )
    expect(found).toBeGreaterThan(100)
  })
})

it('finds every rendering in a long text of every kind, at any distance from the beginning and from a border', () => {
  const scrubber = createScrubber(SECRETS)
  const kinds = ['abc def, ', '{"a": "b"},\n  ', 'QUJDRA==', 'a=b&c=%20', '\0\0x\0', '0123456789 ']
  const value = SECRETS.get('TOKEN') as string
  let shift = 0
  for (const write of Object.values(RENDERINGS)) {
    for (const kind of kinds) {
      shift = (shift + 7) % 64
      const around = Buffer.from(kind.repeat(40_000 / kind.length))
      const before = around.subarray(0, 30_000 + shift)
      const bytes = Buffer.concat([
        before,
        Buffer.from('~ '),
        Buffer.from(write(value) as string),
        Buffer.from(' ~'),
        around,
      ])
      const cut = before.length + 2 + (shift % 9)
      const stream = scrubber.stream()
      const out = [bytes.subarray(0, cut), bytes.subarray(cut)].map((chunk) =>
        Buffer.from(stream.push(chunk)),
      )
      const clean = Buffer.concat([...out, stream.end()]).toString('latin1')
      expect(clean).toContain('[secret:TOKEN]')
    }
  }
})
