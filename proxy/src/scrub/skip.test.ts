import { describe, expect, it } from 'vitest'
import { createScrubber } from './scrubber.ts'
import { createSkip } from './skip.ts'
import { ENDLESS_TURN } from './turn.ts'

const VALUE = 'demo-value-for-skipping'
const MARKER = '[secret:KEY]'
/** Long enough that the scan skips, and nothing of the value in it. */
const LONG = Buffer.alloc(40_000, '~')
/** Of text, which is enough to prepare it for. */
const LOTS = 1e12

const RENDERINGS = {
  plain: VALUE,
  hexadecimal: Buffer.from(VALUE).toString('hex'),
  base64: Buffer.from(VALUE).toString('base64').replace(/=+$/, ''),
  'percent-encoded': [...VALUE].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(''),
  'escaped as in JSON': [...VALUE].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join(''),
}

describe('skipping over bytes at which no secret begins', () => {
  const scrubber = createScrubber(new Map([['KEY', VALUE]]))
  scrubber.automaton.skipFor(LOTS, ENDLESS_TURN)

  for (const [name, rendering] of Object.entries(RENDERINGS)) {
    it(`finds a secret wherever it stands in a long text: ${name}`, () => {
      for (let shift = 0; shift < 40; shift++) {
        const before = LONG.subarray(0, 20_000 + shift)
        expect(scrubbed([Buffer.concat([before, Buffer.from(rendering), LONG])])).toBe(
          `${before}${MARKER}${LONG}`,
        )
      }
    })

    it(`finds a secret wherever a border between two chunks cuts it: ${name}`, () => {
      const bytes = Buffer.concat([LONG, Buffer.from(rendering), LONG])
      for (let cut = LONG.length - 20; cut < LONG.length + rendering.length + 20; cut++) {
        expect(scrubbed([bytes.subarray(0, cut), bytes.subarray(cut)])).toBe(`${LONG}${MARKER}${LONG}`)
      }
    })
  }

  it('holds nothing back of a long text in which nothing begins', () => {
    const stream = scrubber.stream()
    expect(stream.push(LONG)).toHaveLength(LONG.length)
  })

  it('stops at the first place where a match may begin, and nowhere before it', () => {
    const bytes = Buffer.concat([LONG, Buffer.from(VALUE), LONG])
    for (const read of [0, LOTS]) {
      const skip = createSkip(scrubber.automaton.graph)
      skip.ready(read, ENDLESS_TURN)
      expect(skip.ready(0, ENDLESS_TURN)?.from(bytes, 0, bytes.length)).toBe(LONG.length)
    }
  })

  function scrubbed(chunks: readonly Uint8Array[]): string {
    const stream = scrubber.stream()
    return Buffer.concat([...chunks.map((chunk) => Buffer.from(stream.push(chunk))), stream.end()]).toString()
  }
})
