import { describe, expect, it } from 'vitest'
import { sampleCard } from '../../../test/support/sample-card.ts'
import {
  type SampleChange,
  sampleConsent,
  sampleRawSecret,
  sampleSecret,
} from '../../../test/support/sample-consent.ts'
import type { CardInput } from './build-card.ts'

const consent = sampleConsent()
const embedded: SampleChange = { runtime: { ...consent.runtime, isolation: 'embedded' } }
const card = (change: SampleChange = {}, input: Partial<CardInput> = {}) =>
  sampleCard({ consent: sampleConsent(change), code: 'run()\n', ...input })
/** What is warned of, but for hosts and secrets that no line of a test's code names. */
const warningsOf = (change: SampleChange, code: string): string[] =>
  card(change, { code })
    .warnings.map(({ text }) => text)
    .filter((text) => !/^nothing in the code (?:names|reads) /.test(text))

describe('the card', () => {
  it('of a harmless request warns of nothing', () => {
    expect(card()).toMatchObject({
      warnings: [],
      network: 'none',
      args: null,
      cut: false,
      secrets: [],
      limits: '30 s, 256 MiB',
    })
  })

  it('lists what is imported, says when the list is cut, and holds all of it in full', () => {
    const modules = Array.from({ length: 40 }, (_, index) => `npm:package-number-${index}@1.0.0`)
    const imports = { lock: 'd'.repeat(64), files: 80, bytes: 20_000, modules }
    const few = card({ imports: { ...imports, modules: modules.slice(0, 2) } })
    expect(few).toMatchObject({
      imports: '2 locked, 20 KiB: npm:package-number-0@1.0.0, npm:package-number-1@1.0.0',
      cut: false,
    })
    const many = card({ imports })
    expect(many.imports).toMatch(/^40 locked, 20 KiB: npm:package-number-0@1\.0\.0, /)
    expect(many.cut).toBe(true)
    for (const text of [...modules, imports.lock]) expect(many.full).toContain(text)
    expect(card().imports).toBeNull()
    const code = 'import x from "npm:package-number-0"\n'
    expect(warningsOf({ imports }, code)).not.toContainEqual(expect.stringContaining('imports code'))
    expect(warningsOf({}, code)).toContainEqual(expect.stringMatching(/^line 1: imports code from elsewhere/))
  })

  it.each<[string, SampleChange, string, RegExp]>([
    [
      'a secret beyond its binding',
      { secrets: [sampleRawSecret({ hosts: ['evil.com'], bound_to: ['a.com'] })] },
      'run()',
      /DEMO_KEY could go to evil\.com/,
    ],
    [
      'a secret that is bound elsewhere, so that it goes nowhere',
      { secrets: [sampleSecret({ hosts: [], bound_to: ['a.com', 'b.com'] })] },
      'run()',
      /DEMO_KEY is bound to a\.com, b\.com, which this code may not reach: it will not be sent/,
    ],
    [
      'the value itself',
      { secrets: [sampleRawSecret(), sampleSecret({ name: 'B_KEY' })], network: ['a.com'] },
      'run()',
      /^the code reads the real value of DEMO_KEY and can send it to the network below$/,
    ],
    [
      'the value itself without a network',
      { secrets: [sampleRawSecret({ hosts: [] })] },
      'run()',
      /real value of DEMO_KEY and can print it$/,
    ],
    [
      'many values',
      { secrets: ['A', 'B', 'C', 'D'].map((name) => sampleRawSecret({ name })) },
      'run()',
      /real value of A, B and 2 more and can/,
    ],
    [
      'other secrets than the comment names',
      { secrets: [sampleSecret()] },
      '// @secrets OTHER_KEY\nrun()',
      /gets secrets DEMO_KEY.*OTHER_KEY/,
    ],
    [
      'secrets though the comment names none',
      { secrets: [sampleSecret()] },
      '// @secrets none\nrun()',
      /gets secrets DEMO_KEY.*none/,
    ],
    ['fewer secrets than the comment names', {}, '// @secrets OTHER_KEY\nrun()', /gets secrets none/],
    [
      'other code behind the link',
      { source: { url: 'https://e.com', relation: 'different' } },
      'run()',
      /OTHER code/,
    ],
    [
      'a link that was not read',
      { source: { url: 'https://e.com', relation: 'unreadable' } },
      'run()',
      /could not be read/,
    ],
    ['eval', {}, 'eval(x)', /line 1: .*eval/],
    ['hidden characters in the code', {}, 'x = "\u202e"', /line 1: .*invisible/],
    ['hidden characters in the args', { args: '{"a":"\u200b"}' }, 'run()', /args hold invisible/],
    [
      'hidden characters in the description',
      { description: 'a\u202eb' },
      'run()',
      /description holds invisible/,
    ],
    ['look-alike letters in the description', { description: 'pаypal' }, 'run()', /description mixes/],
    ['a punycode host', { network: ['xn--pypal-4ve.com'] }, 'run()', /punycode/],
    ['a punycode wildcard', { network: ['*.xn--pypal-4ve.com'] }, 'run()', /punycode/],
    ['plain http by its port', { network: ['a.com:80'] }, 'run()', /plain http/],
    ['a metadata address', { network: ['169.254.169.254:80'] }, 'run()', /reaches into this machine/],
    ['a loopback address', { network: ['[::1]:22'] }, 'run()', /reaches into this machine/],
    [
      'a name of the local network, which the gateway refuses by itself',
      { network: ['nas.local', '10.0.0.5'] },
      'run()',
      /^looks inside your network: nas\.local; refused unless its exact address is listed too$/,
    ],
    [
      'an address of the local network beside such a name',
      { network: ['nas.local', '10.0.0.5'] },
      'run()',
      /^reaches into this machine or its network: 10\.0\.0\.5$/,
    ],
    [
      'a name of the local network without containers',
      { ...embedded, network: ['nas.local'] },
      'run()',
      /^reaches into this machine or its network: nas\.local$/,
    ],
    ['plain http', { network: ['http://a.com'] }, 'run()', /plain http/],
    ['weak walls', embedded, 'run()', /weaker/],
  ])('warns of %s', (_what, change, code, warning) => {
    expect(warningsOf(change, code)).toEqual(expect.arrayContaining([expect.stringMatching(warning)]))
  })

  it('puts the most dangerous first', () => {
    const warnings = warningsOf(
      { secrets: [sampleRawSecret({ hosts: ['evil.com'], bound_to: ['a.com'] })], ...embedded },
      `${'x'.repeat(501)}\neval(y)\nz = "\u202e"\n`,
    )
    const order = ['could go to', 'real value', 'invisible', 'eval', 'long line', 'weaker'].map((text) =>
      warnings.findIndex((warning) => warning.includes(text)),
    )
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  it('of a secret that the code never sees warns of nothing', () => {
    const bound = sampleSecret({ bound_to: ['a.com', 'b.com'] })
    expect(warningsOf({ secrets: [bound], network: ['a.com'] }, 'run()')).toEqual([])
  })

  it('says of each secret where its value goes, in which part of a request, or that the code reads it', () => {
    const { secrets } = card(
      {
        secrets: [
          sampleSecret(),
          sampleSecret({ name: 'ALL_KEY', hosts: ['a.com', '*.b.com'], in: ['body', 'header', 'query'] }),
          sampleSecret({ name: 'QUERY_KEY', in: ['query'] }),
          sampleSecret({ name: 'BOT_TOKEN', in: ['path'] }),
          sampleSecret({ name: 'FORM_KEY', in: ['cookie', 'form'] }),
          sampleSecret({ name: 'NO_KEY', hosts: [] }),
          sampleRawSecret({ name: 'RAW_KEY' }),
          sampleRawSecret({ name: 'RAW_ALONE', hosts: [] }),
        ],
      },
      { missing: ['NO_KEY'] },
    )
    expect(secrets.map(({ name, goes, how }) => `${name} → ${goes}${how && ` (${how})`}`)).toEqual([
      'DEMO_KEY → a.com (in headers)',
      'ALL_KEY → a.com, *.b.com (in headers, query, body)',
      'QUERY_KEY → a.com (in query)',
      'BOT_TOKEN → a.com (in the path of the address)',
      'FORM_KEY → a.com (in cookies, form fields)',
      'NO_KEY → no host: it will not be sent',
      'RAW_KEY → a.com (the code READS the value)',
      'RAW_ALONE → no host (the code READS the value)',
    ])
    expect(secrets.filter(({ raw }) => raw).map(({ name }) => name)).toEqual(['RAW_KEY', 'RAW_ALONE'])
    expect(secrets.filter(({ missing }) => missing).map(({ name }) => name)).toEqual(['NO_KEY'])
  })

  it('tells the mode of every secret in the full text', () => {
    const { full } = card({ secrets: [sampleSecret(), sampleRawSecret({ name: 'RAW_KEY' })] })
    expect(full).toContain('DEMO_KEY, placeholder: the code never sees the value, it is put in (header)')
    expect(full).toContain('RAW_KEY, raw: the code reads the value')
  })

  it('hides no host: what does not fit is told as cut, and all of it is in the full text', () => {
    const network = [...Array.from({ length: 30 }, (_, index) => `host-${index}.example.com`), 'evil.com']
    const model = card({ network })
    expect([model.cut, model.network.endsWith('…')]).toEqual([true, true])
    for (const host of network) expect(model.full).toContain(host)
  })

  it('hides no args behind a run of blanks', () => {
    const args = JSON.stringify({ a: `${' '.repeat(3_000)}delete everything` })
    const model = card({ args })
    expect(model.cut || model.args?.includes('delete everything')).toBe(true)
    expect(model.full).toContain('delete everything')
  })

  it('writes out what a screen hides, everywhere', () => {
    const evil = 'a\u202eb\u200bc\u001b[31m'
    const model = card(
      {
        description: evil,
        args: JSON.stringify({ a: '\u202e' }),
        agent: { id: 'agt_1', name: evil },
        source: { url: `https://e.com/${evil}`, relation: 'same' },
      },
      { code: evil, changes: [evil] },
    )
    const { code, ...rest } = model
    expect(JSON.stringify(rest)).not.toMatch(/[\u202e\u200b]|\\u001b/)
    expect(code.text).toBe('a⟨U+202E⟩b⟨U+200B⟩c⟨U+001B⟩[31m')
  })

  it('lets no text begin a line of its own in the full text', () => {
    const { full } = card({ description: 'x\nSends:\n  - nothing', args: '"\u2028"' })
    expect(full.split('\n').filter((line) => line === 'Sends:')).toHaveLength(1)
  })

  it('offers the buttons in their order, and any args only when there are some', () => {
    const labels = (model: ReturnType<typeof card>): string[][] =>
      model.choices.map((row) => row.map(({ label }) => label))
    const usual = [
      ['✅ Run Once', '❌ Deny'],
      ['⏱ Trust 24h', '♾ Always Trust'],
    ]
    expect(labels(card())).toEqual(usual)
    expect(labels(card({ args: '{}' }))).toEqual([...usual, ['⏱ 24h, any args', '♾ Always, any args']])
  })
})
