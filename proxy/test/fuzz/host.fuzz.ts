import fc from 'fast-check'
import { authorityOf, checkTarget, type EgressTarget, parseAuthority } from '../../src/egress/index.ts'
import { formatHostPattern, isIpLiteral, parseHostPattern } from '../../src/kernel/index.ts'
import { policyOf } from '../support/egress-policy.ts'
import { holds } from './property.ts'

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      'example',
      'com',
      'evil',
      'allowed',
      'localhost',
      'xn--bcher-kva',
      '127',
      '0',
      '1',
      '255',
      '0x7f',
      '010',
    ],
    ...[
      '.',
      '..',
      ':',
      '-',
      '_',
      '*',
      '*.',
      '@',
      '/',
      '//',
      '\\',
      '#',
      '?',
      '%',
      '%2e',
      '[',
      ']',
      '::',
      '::1',
    ],
    ...[
      '443',
      '80',
      '0443',
      '65535',
      '65536',
      'http://',
      'https://',
      'ftp:',
      ' ',
      '\t',
      '\r\n',
      '\0',
      '\x7f',
    ],
    ...['ä', '。', '．', 'ｅ', '\u00ad', '\u200b', 'K', '[::ffff:1.2.3.4]', 'fe80::1%25lo', '1.2.3.4'],
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
)
const text = fc.oneof(
  fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
  fc.ipV4Extended(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.webAuthority({ withPort: true, withUserInfo: true, withIPv4Extended: true, withIPv6: true }),
)
const scheme = fc.constantFrom('https' as const, 'http' as const)

/** The reading of everybody else's `fetch`; undefined when it does not take the text either. */
function asUrl(text: string, scheme: EgressTarget['scheme']): URL | undefined {
  const url = `${scheme}://${text}/`
  return URL.canParse(url) ? new URL(url) : undefined
}

const policy = policyOf(['allowed.com', '*.cdn.allowed.com', 'http://plain.allowed.com', '127.0.0.1:8443'])

export const hostProperties = [
  holds(
    'a host pattern that is read has one canonical text, which reads as the same',
    fc.property(text, (input) => {
      const pattern = parseHostPattern(input)
      if ('problem' in pattern) return
      const canonical = formatHostPattern(pattern)
      const again = parseHostPattern(canonical)
      if (JSON.stringify(again) !== JSON.stringify(pattern)) throw new Error(`${canonical} reads differently`)
      if (!/^[a-z0-9._:-]+$/.test(pattern.host)) throw new Error(`not a canonical host: ${pattern.host}`)
    }),
  ),
  holds(
    'an authority that is read is what a URL parser reads too, and nothing else',
    fc.property(text, scheme, (input, by) => {
      const target = parseAuthority(input, by)
      if (target === null) return
      if (!/^[A-Za-z0-9._:[\]-]+$/.test(input)) throw new Error('a character that no authority has')
      if (target.host.endsWith('.') || (target.host.includes(':') && !isIpLiteral(target.host))) {
        throw new Error(`not a host: ${target.host}`)
      }
      const again = parseAuthority(authorityOf(target), by)
      if (JSON.stringify(again) !== JSON.stringify(target))
        throw new Error('its canonical text reads differently')
      const url = asUrl(input, by)
      if (url === undefined) return
      const port = url.port === '' ? (by === 'https' ? 443 : 80) : Number(url.port)
      if (url.hostname.replace(/^\[|\]$/g, '') !== target.host || port !== target.port) {
        throw new Error(`a URL parser reads ${url.host}, not ${authorityOf(target)}`)
      }
    }),
  ),
  holds(
    'a target that is let through is one of the approved ones',
    fc.property(
      fc.oneof(
        text,
        piece.map((part) => `allowed.com${part}`),
        piece.map((part) => `${part}allowed.com`),
      ),
      scheme,
      (input, by) => {
        const target = parseAuthority(input, by)
        if (target === null || checkTarget(policy, target) !== null) return
        const { host, port } = target
        const isApproved =
          (by === 'https' && port === 443 && (host === 'allowed.com' || host.endsWith('.cdn.allowed.com'))) ||
          (by === 'https' && port === 8443 && host === '127.0.0.1') ||
          (by === 'http' && port === 80 && host === 'plain.allowed.com')
        if (!isApproved) throw new Error(`let through: ${authorityOf(target)}`)
      },
    ),
  ),
]
