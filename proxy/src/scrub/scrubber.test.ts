import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Scan } from './scan.ts'
import { createScrubber, type Scrubber } from './scrubber.ts'

const VALUE = 'demo-value/"x&y" <é>+1'
const PEM = [
  '-----BEGIN DEMO KEY-----',
  'RGVtb0tleUxpbmVPbmVGb3JUZXN0c09ubHkwMDAwMDAwMDAwMDAwMDAw',
  'RGVtb0tleUxpbmVUd29Gb3JUZXN0c09ubHkxMTExMTExMTExMTExMTEx',
  '-----END DEMO KEY-----',
  '',
].join('\n')

function scrubberOf(secrets: Record<string, string>): Scrubber {
  return createScrubber(new Map(Object.entries(secrets)))
}

function scrubText(scrubber: Scrubber, text: string | Uint8Array, truncated = false): string {
  const stream = scrubber.stream()
  const first = stream.push(typeof text === 'string' ? Buffer.from(text) : text)
  return Buffer.concat([first, stream.end({ truncated })]).toString()
}

function percentAll(value: string, digit: (hex: string, index: number) => string = (hex) => hex): string {
  return [...Buffer.from(value)]
    .map((byte, index) => `%${digit(byte.toString(16).padStart(2, '0'), index)}`)
    .join('')
}

function unicodeAll(value: string): string {
  return Array.from({ length: value.length }, (_, index) => {
    return `\\u${value.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}

const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const RENDERINGS: Record<string, (value: string) => string> = {
  'plain UTF-8': (value) => value,
  'a JSON string': (value) => JSON.stringify(value).slice(1, -1),
  'a JSON string with \\/': (value) => JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'),
  'a JSON string inside a JSON string': (value) => JSON.stringify(JSON.stringify(value)).slice(3, -3),
  'JSON \\u escapes throughout': unicodeAll,
  'JSON \\u escapes in upper case': (value) => unicodeAll(value).toUpperCase().replaceAll('\\U', '\\u'),
  encodeURIComponent: (value) => encodeURIComponent(value),
  'encodeURIComponent in lower case': (value) =>
    encodeURIComponent(value).replaceAll(/%../g, (hex) => hex.toLowerCase()),
  'form encoding': (value) => new URLSearchParams([['', value]]).toString().slice(1),
  'every byte percent-encoded': (value) => percentAll(value),
  'every byte percent-encoded in mixed case': (value) =>
    percentAll(value, (hex, index) => (index % 2 === 0 ? hex.toUpperCase() : hex)),
  'percent encoding of percent encoding': (value) => encodeURIComponent(encodeURIComponent(value)),
  hexadecimal: (value) => Buffer.from(value).toString('hex'),
  'upper-case hexadecimal': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'hexadecimal with colons': (value) =>
    Buffer.from(value)
      .toString('hex')
      .replaceAll(/..(?!$)/g, '$&:'),
  base64: (value) => Buffer.from(value).toString('base64'),
  base64url: (value) => Buffer.from(value).toString('base64url'),
  'base64 in a query': (value) => encodeURIComponent(Buffer.from(value).toString('base64')),
  'base64 wrapped at 16': (value) => Buffer.from(value).toString('base64').replaceAll(/.{16}/g, '$&\r\n'),
  'HTML text': (value) => value.replaceAll(/[&<>"']/g, (char) => HTML[char] ?? ''),
  'HTML with numbers': (value) =>
    value.replaceAll(/[&<>"']/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`),
}

it.each([
  (key: string) => key,
  (key: string) => `${key}\n`,
  (key: string) => ` ${key}`,
  (key: string) => JSON.stringify({ key, url: 'https://a.example' }),
])('finds what is secret of a key with a public part, however it is stored (%#)', (stored) => {
  const secret = '0a1b'.repeat(8)
  for (const key of [`a1b2c3.d4e5f6:${secret}`, `AC${secret}`, `${secret}-us21`])
    expect(scrubText(scrubberOf({ KEY: stored(key) }), `is ${secret} it`)).toBe('is [secret:KEY] it')
})

describe('renderings', () => {
  it.each(Object.entries(RENDERINGS))('takes a secret out of %s', (_name, render) => {
    const rendered = render(VALUE)
    const clean = scrubText(scrubberOf({ KEY: VALUE }), `before ${rendered} after`)
    // Padding may stay: it depends on the length alone.
    expect(clean.replaceAll('=', '').replaceAll('%3D', '').replaceAll('\r\n', '')).toBe(
      'before [secret:KEY] after',
    )
  })

  it('takes base64 out at each of the three offsets, whatever stands around it', () => {
    const scrubber = scrubberOf({ KEY: 'demo-value-for-offsets' })
    for (const before of ['', 'a', 'ab', 'abc', 'user:']) {
      for (const after of ['', 'z', 'zz']) {
        for (const encoding of ['base64', 'base64url'] as const) {
          const encoded = Buffer.from(`${before}demo-value-for-offsets${after}`).toString(encoding)
          const clean = scrubText(scrubber, `Basic ${encoded}.`)
          expect(clean).toMatch(/^Basic [\w-]{0,7}\[secret:KEY\][\w-]{0,3}=*\.$/)
        }
      }
    }
  })

  it('takes out a text that escapes each character in another way', () => {
    const mixed = 'd%65\\u006do\\x2dvalue%2f\\"x&amp;y\\u0022%20&lt;%C3%A9&#62;&#43;1'
    expect(scrubText(scrubberOf({ KEY: VALUE }), mixed)).toBe('[secret:KEY]')
  })

  it('takes a value out that a line break was put into', () => {
    expect(scrubText(scrubberOf({ KEY: 'demo-value-long' }), 'demo-\r\nvalue\n-long')).toBe('[secret:KEY]')
  })

  it('takes a key file out whole and line by line, and leaves its armour', () => {
    const scrubber = scrubberOf({ PEM })
    const lines = PEM.split('\n')
    expect(scrubText(scrubber, `<${PEM}>`)).toBe('<[secret:PEM]>')
    expect(scrubText(scrubber, PEM.replaceAll('\n', '\r\n').trim())).toBe('[secret:PEM]')
    expect(scrubText(scrubber, `x ${lines[2]} y`)).toBe('x [secret:PEM] y')
    expect(scrubText(scrubber, `${lines[0]}`)).toBe(lines[0])
  })

  it('takes out the strings of a JSON credential by themselves', () => {
    const scrubber = scrubberOf({ ACCOUNT: JSON.stringify({ type: 'demo', private_key: PEM }) })
    expect(scrubText(scrubber, `key: ${PEM.trim()}.`)).toBe('key: [secret:ACCOUNT].')
  })
})

describe('limits of recognition', () => {
  it('names values too short to be recognised and leaves their text alone', () => {
    const scrubber = scrubberOf({ PIN: '1234', EMPTY: '', KEY: 'demo-value' })
    expect(scrubber.tooShort).toEqual(['PIN', 'EMPTY'])
    expect(scrubText(scrubber, '1234 and demo-value')).toBe('1234 and [secret:KEY]')
  })

  it('gives bytes through untouched when there is nothing to look for', () => {
    const chunk = Buffer.from('anything')
    expect(createScrubber(new Map()).stream().push(chunk)).toBe(chunk)
  })

  it('leaves text without a secret exactly as it was', () => {
    const scrubber = scrubberOf({ KEY: VALUE, PEM })
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (chunks) => {
        const stream = scrubber.stream()
        const out = Buffer.concat([...chunks.map((chunk) => Buffer.from(stream.push(chunk))), stream.end()])
        expect(out.equals(Buffer.concat(chunks))).toBe(true)
      }),
    )
  })
})

describe('overlaps', () => {
  it('prefers the longer of two secrets that begin together', () => {
    const scrubber = scrubberOf({ SHORT: 'demo-value', LONG: 'demo-value-longer' })
    expect(scrubText(scrubber, 'demo-value-longer demo-value-long')).toBe('[secret:LONG] [secret:SHORT]-long')
  })

  it('does not name a secret that lies inside another', () => {
    const scrubber = scrubberOf({ INNER: 'value-mid', OUTER: 'demo-value-mid-end' })
    expect(scrubText(scrubber, 'demo-value-mid-end/value-mid')).toBe('[secret:OUTER]/[secret:INNER]')
  })

  it('leaves no byte of two secrets that share an end and a beginning', () => {
    const scrubber = scrubberOf({ A: 'demo-one-shared', B: 'shared-two-demo' })
    expect(scrubText(scrubber, '<demo-one-shared-two-demo>')).toBe('<[secret:A][secret:B]>')
  })

  it('takes a long row of a periodic secret out in bounded memory', () => {
    const stream = scrubberOf({ A: 'ababababab' }).stream()
    const out = Array.from({ length: 1000 }, () => Buffer.from(stream.push(Buffer.from('ababab'))))
    expect(Buffer.concat([...out, stream.end()]).toString()).toBe('[secret:A]')
    expect(stream.hits).toEqual(new Map([['A', 1]]))
  })

  it.each([...[1, 2, 3, 7, 64].flatMap((period) => [65_536, 1_024, 96].map((chunk) => ({ period, chunk })))])(
    'looks at a few nodes for each byte, whatever repeats itself: $period bytes, in chunks of $chunk',
    (of) => {
      const unit = 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(2).slice(0, of.period)
      const rows = (bytes: number): string => unit.repeat(Math.ceil(bytes / of.period)).slice(0, bytes)
      const { automaton } = scrubberOf({ A: rows(4_096) })
      const text = Buffer.from(rows(of.chunk === 96 ? 8_192 : 65_536))
      const scan = new Scan(automaton)
      for (let end = of.chunk; end <= text.length; end += of.chunk) scan.read(text.subarray(0, end), 0)
      expect(scan.steps + automaton.work()).toBeLessThan(4_200_000 + 66 * text.length)
    },
  )

  it('takes nothing over the nulls that no value is broken by', () => {
    const scrubber = scrubberOf({ A: 'sk-demo-A7f+/9 "x"' })
    const wide = [...'sk-demo-A7f+/9 "x"'].join('\0')
    for (const before of ['\\\0\0\0\0', '%\0\0\0\0'])
      expect(scrubText(scrubber, `${before}${wide}`)).toBe(`${before}[secret:A]`)
  })
})

describe('chunks', () => {
  it('finds a secret over a chunk border at every position, in every rendering', () => {
    const scrubber = scrubberOf({ KEY: VALUE, OTHER: 'demo-value-other' })
    for (const render of Object.values(RENDERINGS)) {
      const text = Buffer.from(`a demo-va ${render(VALUE)} demo-value-other.`)
      const whole = scrubText(scrubber, text)
      for (let border = 0; border <= text.length; border++) {
        const stream = scrubber.stream()
        const parts = [text.subarray(0, border), text.subarray(border)].map((part) =>
          Buffer.from(stream.push(part)),
        )
        expect(Buffer.concat([...parts, stream.end()]).toString()).toBe(whole)
      }
    }
  })

  it('gives the same answer however the input is split, and no rendering remains', () => {
    const characters = fc.constantFrom(...'ab1-_/+"\\&<%é\n ')
    const secret = fc
      .string({ unit: characters, minLength: 6, maxLength: 24 })
      .filter((text) => text.trim().length >= 6)
    const piece = fc.oneof(
      fc.record({ which: fc.nat(2), render: fc.constantFrom(...Object.values(RENDERINGS)) }),
      fc.string({ unit: characters, maxLength: 8 }),
    )
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 3, maxLength: 3 }),
        fc.array(piece, { maxLength: 8 }),
        fc.array(fc.nat(40), { maxLength: 40 }),
        (values, pieces, cuts) => {
          const scrubber = createScrubber(new Map(values.map((value, index) => [`S${index}`, value])))
          const parts = pieces.map((part) =>
            typeof part === 'string' ? part : part.render(values[part.which] ?? ''),
          )
          const text = Buffer.from(parts.join(''))
          const stream = scrubber.stream()
          const out: Buffer[] = []
          let at = 0
          for (const length of [...cuts, text.length]) {
            out.push(Buffer.from(stream.push(Uint8Array.from(text.subarray(at, at + length)))))
            at += length
          }
          const clean = Buffer.concat([...out, stream.end()]).toString()
          expect(clean).toBe(scrubText(scrubber, text))
          for (const value of values) {
            for (const render of [...Object.values(RENDERINGS)].slice(0, 13)) {
              const rendered = render(value)
              // A marker can be part of no secret here, so what is left between markers is searched.
              expect(clean.split(/\[secret:S\d\]/).some((rest) => rest.includes(rendered))).toBe(false)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('holds back fewer bytes than the longest rendering, whatever it reads', () => {
    const scrubber = scrubberOf({ KEY: VALUE })
    const near = fc.constantFrom(
      'demo-value',
      'demo-value/',
      unicodeAll(VALUE).slice(0, -1),
      'x',
      'ZGVtby12YWx1',
    )
    fc.assert(
      fc.property(fc.array(near, { maxLength: 60 }), (parts) => {
        const stream = scrubber.stream()
        let read = 0
        let given = 0
        for (const part of parts) {
          read += part.length
          given += stream.push(Buffer.from(part)).length
          expect(read - given).toBeLessThan(scrubber.longestMatchBytes)
        }
      }),
    )
  })

  it('does not keep a view of the chunk it was given', () => {
    const stream = scrubberOf({ KEY: 'demo-value' }).stream()
    const chunk = Buffer.from('x demo-va')
    const first = Buffer.from(stream.push(chunk))
    chunk.fill('!')
    const rest = Buffer.concat([stream.push(Buffer.from('l.')), stream.end()])
    expect(Buffer.concat([first, rest]).toString()).toBe('x demo-val.')
  })
})

describe('cut text', () => {
  it('takes out the beginning of a secret at the end of a cut text, in every rendering', () => {
    const scrubber = scrubberOf({ KEY: VALUE })
    for (const render of Object.values(RENDERINGS)) {
      const rendered = render(VALUE).replaceAll('=', '')
      for (let length = 4; length < rendered.length; length++) {
        const clean = scrubText(scrubber, `text: ${rendered.slice(0, length)}`, true)
        expect(clean).toMatch(/^text: \[secret:KEY\].{0,3}$/s)
      }
    }
  })

  it('leaves the same beginning where the text was not cut', () => {
    expect(scrubText(scrubberOf({ KEY: VALUE }), 'text: demo-va')).toBe('text: demo-va')
    expect(scrubText(scrubberOf({ KEY: VALUE }), 'text: dem', true)).toBe('text: dem')
  })
})

describe('work', () => {
  const secrets = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`S${index}`, `demo-value-${index}-${'abcdefgh'.repeat(3)}`]),
  )
  const nearMisses: Record<string, string> = {
    'all but the last character': `demo-value-7-${'abcdefgh'.repeat(3).slice(0, -1)}`,
    'a repeated beginning': 'demo-value-1',
    'repeated escapes': '%64%65%6d%6f\\u0064\\u0065',
    'the period of the end': 'abcdefgh',
    'whole secrets': `demo-value-7-${'abcdefgh'.repeat(3)}`,
  }

  it.each(Object.entries(nearMisses))('does work in proportion to what it reads: %s', (_name, unit) => {
    const scrubber = scrubberOf(secrets)
    const costOf = (repeats: number): number => {
      const stream = scrubber.stream()
      const before = scrubber.automaton.work()
      stream.push(Buffer.from(unit.repeat(repeats)))
      return stream.steps + scrubber.automaton.work() - before
    }
    costOf(10)
    const small = costOf(1_000)
    const large = costOf(10_000)
    expect(large / small).toBeLessThan(10.5)
    // One look-up a byte; a match is also read back to its beginning.
    expect(large / (unit.length * 10_000)).toBeLessThan(unit === nearMisses['whole secrets'] ? 4 : 1.2)
  })

  it('remembers a bounded number of states, and forgetting them in the middle changes nothing', () => {
    const few = createScrubber(new Map(Object.entries(secrets)), { maxStates: 16 })
    const many = scrubberOf(secrets)
    const values = Object.values(secrets)
    const piece = fc.tuple(fc.nat(19), fc.nat(40), fc.constantFrom(...Object.values(RENDERINGS)))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.nat(200), (pieces, border) => {
        const text = pieces
          .map(([which, length, render]) => render((values[which] ?? '').slice(0, length)))
          .join(' ')
        const stream = few.stream()
        // Another stream of the same scrubber reads in between and may make it forget.
        const first = Buffer.from(stream.push(Buffer.from(text.slice(0, border))))
        scrubText(few, text)
        const rest = Buffer.concat([stream.push(Buffer.from(text.slice(border))), stream.end()])
        expect(Buffer.concat([first, rest]).toString()).toBe(scrubText(many, text))
        expect(few.automaton.rememberedStates()).toBeLessThanOrEqual(17)
      }),
    )
  })
})
