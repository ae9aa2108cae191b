import fc from 'fast-check'
import { createScrubber } from '../../src/scrub/index.ts'
import { RENDERINGS as WRITTEN } from '../support/renderings.ts'
import { chunkSizes, cutAt, holds } from './property.ts'

/** Long enough to be recognised as they stand; some overlap themselves, some hold what renderings escape. */
const value = fc.oneof(
  fc.string({ minLength: 8, maxLength: 24 }),
  fc.string({ unit: 'grapheme', minLength: 8, maxLength: 12 }),
  fc.stringMatching(/^(ab|aab){4,6}$/),
  fc.constantFrom('demo-value/+1 "x"', 'aaaaaaaaaaaa', '{"private_key":"demo-value-in-json-text"}'),
)
const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 })

const RENDERINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => encodeURIComponent(text.toWellFormed()),
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('base64url'),
  (text) => Buffer.from(text).toString('hex'),
  (text) => text.slice(0, text.length >> 1),
  (text) => text.slice(text.length >> 1),
]
/** Forms for values that are long enough in all of them. */
const written = fc.constantFrom(...Object.values(WRITTEN))
const part = fc.oneof(
  fc.record({ secret: fc.nat(2), rendering: fc.nat(RENDERINGS.length - 1) }),
  fc.string({ maxLength: 6 }),
)
type Part = typeof part extends fc.Arbitrary<infer Value> ? Value : never

const write = (secrets: readonly string[], parts: readonly Part[]): Buffer =>
  Buffer.from(
    parts
      .map((one) =>
        typeof one === 'string'
          ? one
          : (RENDERINGS[one.rendering]?.(secrets[one.secret % secrets.length] ?? '') ?? ''),
      )
      .join(''),
  )

const named = (secrets: readonly string[]): Map<string, string> =>
  new Map(secrets.map((secret, index) => [`KEY_${index}`, secret]))

export const scrubberProperties = [
  holds(
    'a text comes without secrets, the same however it is cut and however little is remembered',
    fc.property(values, fc.array(part, { maxLength: 8 }), chunkSizes, (secrets, parts, sizes) => {
      const scrubber = createScrubber(named(secrets))
      const text = write(secrets, parts)
      const whole = scrubber.stream()
      const expected = Buffer.concat([Buffer.from(whole.push(text)), whole.end()])
      const cut = createScrubber(named(secrets), { maxStates: 8 }).stream()
      const out = cutAt(text, sizes).map((chunk) => Buffer.from(cut.push(chunk)))
      if (!Buffer.concat([...out, cut.end()]).equals(expected)) throw new Error('it depends on the chunks')
      // Between two markers nothing is left of any of them.
      const rest = expected.toString('latin1').split(/\[secret:KEY_[0-2]\]/)
      for (const secret of secrets) {
        const bytes = Buffer.from(secret).toString('latin1')
        if (rest.some((between) => between.includes(bytes))) throw new Error('a secret came out')
      }
    }),
  ),
  holds(
    'a secret in any form is taken out, wherever it stands and however the text is cut',
    fc.property(
      fc.string({ unit: fc.constantFrom(...'abcXYZ019-_/+"\\\\&<é值 '), minLength: 8, maxLength: 24 }),
      written,
      chunkSizes,
      (secret, render, sizes) => {
        const text = Buffer.concat([
          Buffer.from('~ '),
          Buffer.from(render(secret) as string),
          Buffer.from(' ~'),
        ])
        const stream = createScrubber(new Map([['KEY', secret]])).stream()
        const out = cutAt(text, sizes).map((chunk) => Buffer.from(stream.push(chunk)))
        const clean = Buffer.concat([...out, stream.end()]).toString('latin1')
        if (!clean.includes('[secret:KEY]')) throw new Error(`it came out: ${clean}`)
      },
    ),
  ),
  holds(
    'a text without anything of a secret passes as it is',
    fc.property(fc.uint8Array({ maxLength: 200 }), chunkSizes, (bytes, sizes) => {
      const text = Buffer.from(bytes.map((byte) => byte % 8))
      const stream = createScrubber(new Map([['KEY', 'demo-value']])).stream()
      const out = cutAt(text, sizes).map((chunk) => Buffer.from(stream.push(chunk)))
      if (!Buffer.concat([...out, stream.end()]).equals(text)) throw new Error('it was changed')
    }),
  ),
]
