import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatHostPattern,
  type HostPattern,
  hostPatternCovers,
  isPublicAddress,
  parseHostPattern,
} from './host-pattern.ts'

const parsed = (text: string): HostPattern => {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) throw new Error(`${text} ${pattern.problem}`)
  return pattern
}

const covers = (outer: string, inner: string): boolean => hostPatternCovers(parsed(outer), parsed(inner))

/** Texts that look like patterns, and texts that try to. */
const nearPattern = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'example',
        '.',
        '.com',
        '*.',
        '*',
        ':443',
        ':80',
        ':',
        '1',
        '127.0.0.1',
        '[::1]',
        '[',
        ']',
        'http://',
        'https://',
        '@',
      ],
      ...[
        '%',
        '/',
        '\\',
        '?',
        '#',
        ' ',
        '\t',
        '\0',
        '\n',
        '-',
        '_',
        'xn--',
        '0x7f',
        '\u202e',
        'ａ',
        'é',
        '::',
        'ffff',
      ],
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))
const anyText = fc.oneof(nearPattern, fc.string({ unit: 'binary', maxLength: 300 }))

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/)
const goodPattern = fc
  .record({
    scheme: fc.constantFrom('', '', 'http://'),
    wildcard: fc.constantFrom('', '*.'),
    labels: fc.array(fc.oneof(fc.constantFrom('a', 'b', 'com'), label), { minLength: 2, maxLength: 4 }),
    port: fc.constantFrom('', '', ':443', ':8443', ':80'),
  })
  .map(({ scheme, wildcard, labels, port }) => `${scheme}${wildcard}${labels.join('.')}${port}`)

describe('host patterns', () => {
  it.each([
    ['api.openai.com', 'api.openai.com'],
    ['API.OpenAI.com', 'api.openai.com'],
    ['https://api.openai.com', 'api.openai.com'],
    ['api.openai.com:443', 'api.openai.com'],
    ['api.openai.com:00443', 'api.openai.com'],
    ['api.openai.com:8443', 'api.openai.com:8443'],
    ['http://example.com', 'http://example.com'],
    ['http://example.com:80', 'http://example.com'],
    ['http://example.com:443', 'http://example.com:443'],
    ['example.com:80', 'example.com:80'],
    ['*.example.com', '*.example.com'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['127.0.0.1:5000', '127.0.0.1:5000'],
    ['[::1]', '[::1]'],
    ['[2001:0DB8::0:1]:8080', '[2001:db8::1]:8080'],
  ])('reads %s as %s', (text, canonical) => {
    expect(formatHostPattern(parsed(text))).toBe(canonical)
  })

  it.each([
    ['', 'nothing'],
    ['*', 'every host'],
    ['*.com', 'a whole top-level domain'],
    ['*.*.example.com', 'two wildcards'],
    ['a.*.example.com', 'a wildcard in the middle'],
    ['*example.com', 'a wildcard without its dot'],
    ['*.127.0.0.1', 'a wildcard address'],
    ['*.[::1]', 'a wildcard IPv6 address'],
    ['example.com.', 'a trailing dot'],
    ['.example.com', 'a leading dot'],
    ['a..b.com', 'an empty label'],
    ['-a.example.com', 'a leading hyphen'],
    ['a-.example.com', 'a trailing hyphen'],
    [`${'a'.repeat(64)}.com`, 'a label of 64'],
    [`${'abcdefg.'.repeat(32)}com`, 'a name of more than 253'],
    ['user@example.com', 'user information'],
    ['user:pass@example.com', 'user and password'],
    ['example.com@evil.com', 'a host in the place of a user'],
    ['example.com/path', 'a path'],
    ['example.com?x', 'a query'],
    ['example.com#x', 'a fragment'],
    ['example.com\\.evil.com', 'a backslash'],
    ['example.com\0.evil.com', 'a NUL'],
    ['exa mple.com', 'a blank'],
    [' example.com', 'a leading blank'],
    ['example.com\n', 'a line feed'],
    ['example.com\t', 'a tab'],
    ['exämple.com', 'a letter outside ASCII'],
    ['ｅxample.com', 'a full-width letter'],
    ['example。com', 'an ideographic full stop'],
    ['example.com\u200b', 'a zero-width space'],
    ['%65xample.com', 'percent encoding'],
    ['example.com:0', 'port 0'],
    ['example.com:65536', 'a port too high'],
    ['example.com:', 'no port behind the colon'],
    ['example.com:80:80', 'two ports'],
    ['example.com:+80', 'a signed port'],
    ['2130706433', 'a decimal address'],
    ['0x7f000001', 'a hex address'],
    ['0x7f.1', 'a short hex address'],
    ['127.1', 'a short address'],
    ['0177.0.0.1', 'an octal address'],
    ['127.0.0.1.', 'an address with a trailing dot'],
    ['256.0.0.1', 'an octet too high'],
    ['1.2.3.4.5', 'five octets'],
    ['example.0x1', 'a hex top-level domain'],
    ['example.123', 'a number as top-level domain'],
    ['::1', 'IPv6 without brackets'],
    ['[::1', 'an open bracket'],
    ['[127.0.0.1]', 'IPv4 in brackets'],
    ['[fe80::1%eth0]', 'an IPv6 zone'],
    ['ftp://example.com', 'another scheme'],
    ['http://http://example.com', 'two schemes'],
    ['//example.com', 'no scheme before the slashes'],
  ])('refuses %j (%s)', (text) => {
    expect(parseHostPattern(text)).toHaveProperty('problem')
  })

  it('never throws, and a pattern holds no white space, NUL, at sign, backslash or capital', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const pattern = parseHostPattern(text)
        if ('problem' in pattern) return
        expect(text).not.toMatch(/[\s\0@\\%?#]/)
        expect(pattern.host).toMatch(/^[a-z0-9._:-]+$/)
        const canonical = formatHostPattern(pattern)
        expect(parseHostPattern(canonical)).toEqual(pattern)
        expect(hostPatternCovers(pattern, pattern)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  it.each([
    ['example.com', 'example.com', true],
    ['example.com', 'EXAMPLE.com:443', true],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', '*.b.example.com', true],
    ['*.example.com', '*.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'evil-example.com', false],
    ['*.example.com', 'example.com.evil.com', false],
    ['*.b.example.com', '*.example.com', false],
    ['a.example.com', '*.example.com', false],
    ['example.com', 'www.example.com', false],
    ['example.com', 'example.com:8443', false],
    ['example.com', 'http://example.com', false],
    ['http://example.com', 'example.com:80', false],
    ['*.example.com', 'a.example.com:8443', false],
    ['[::1]', '[0:0::1]', true],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(covers(outer, inner)).toBe(expected)
  })

  it('covers what is covered by what it covers', () => {
    fc.assert(
      fc.property(goodPattern, goodPattern, goodPattern, (a, b, c) => {
        if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true)
        if (covers(a, b) && covers(b, a))
          expect(formatHostPattern(parsed(a))).toBe(formatHostPattern(parsed(b)))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('public addresses', () => {
  it.each(['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '2a00:1450:4001:80b::200e', '::ffff:8.8.8.8'])(
    'lets %s be dialled',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  it.each([
    ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...[
      '169.254.169.254',
      '100.64.0.1',
      '100.127.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '198.18.0.1',
      '198.51.100.1',
    ],
    ...['203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
    ...[
      '::',
      '::1',
      'fe80::1',
      'fe80::1%eth0',
      'fd00::1',
      'fc00::1',
      'ff02::1',
      'fec0::1',
      '2001:db8::1',
      '3fff::1',
    ],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:169.254.169.254',
      '::ffff:7f00:1',
      '::ffff:0:7f00:1',
      '::127.0.0.1',
      '::8.8.8.8',
      '::ffff:010.8.8.8',
      '::7f00:1',
    ],
    ...[
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
      '100::1',
      '5f00::1',
      '4000::1',
    ],
    ...[
      '2130706433',
      '0x7f000001',
      '017700000001',
      '0177.0.0.1',
      '127.1',
      '0x8.8.8.8',
      '134744072',
      '8.8',
      '010.8.8.8',
    ],
    ...['localhost', '', ' 8.8.8.8', '8.8.8.8 ', '8.8.8.8\0', '[::1]', '8.8.8.8:53', 'example.com'],
  ])('keeps %j from being dialled', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})
