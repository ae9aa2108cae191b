import { describe, expect, it } from 'vitest'
import { policyOf } from '../../test/support/egress-policy.ts'
import { authorityOf, checkTarget, originOf, parseAuthority } from './target.ts'

describe('parseAuthority', () => {
  it.each([
    ['api.example.com', 'https', { scheme: 'https', host: 'api.example.com', port: 443 }],
    ['API.Example.com:8443', 'https', { scheme: 'https', host: 'api.example.com', port: 8443 }],
    ['example.com', 'http', { scheme: 'http', host: 'example.com', port: 80 }],
    ['[2001:DB8::1]:443', 'https', { scheme: 'https', host: '2001:db8::1', port: 443 }],
    ['[::1.2.3.4]', 'https', { scheme: 'https', host: '::102:304', port: 443 }],
    ['[::ffff:1.2.3.4]', 'https', { scheme: 'https', host: '::ffff:102:304', port: 443 }],
    ['10.0.0.7:80', 'http', { scheme: 'http', host: '10.0.0.7', port: 80 }],
  ] as const)('reads %s for %s', (text, scheme, target) => {
    expect(parseAuthority(text, scheme)).toEqual(target)
  })

  it.each([
    '',
    ':443',
    '*.example.com',
    'http://example.com',
    'https://example.com',
    '//example.com',
    'example.com/',
    'example.com.',
    'example.com.:443',
    'user@example.com',
    'user:pass@example.com:443',
    'example.com\0.evil.com',
    'example.com evil.com',
    ' example.com',
    'example.com:0',
    'example.com:65536',
    'example.com:+80',
    'example.com:443:443',
    'example.com#',
    'example.com?x',
    'example.com%2eevil.com',
    'example.com\\evil.com',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '[::1%lo]',
    '[::01.2.3.4]',
    '[::ffff:0177.0.0.1]',
    '::1',
    'exämple.com',
  ])('does not read %j', (text) => {
    expect(parseAuthority(text, 'https')).toBeNull()
    expect(parseAuthority(text, 'http')).toBeNull()
  })

  it('wants a port where it is told to', () => {
    expect(parseAuthority('example.com', 'https', { portRequired: true })).toBeNull()
    expect(parseAuthority('[::1]', 'https', { portRequired: true })).toBeNull()
    expect(parseAuthority('[::1]:443', 'https', { portRequired: true })?.host).toBe('::1')
    expect(parseAuthority('example.com:443', 'https', { portRequired: true })?.port).toBe(443)
  })
})

describe('checkTarget', () => {
  const policy = policyOf([
    'api.example.com',
    '*.cdn.example.com',
    'http://plain.example.com',
    '10.0.0.7:8443',
  ])
  const evaluate = (text: string, scheme: 'https' | 'http' = 'https') => {
    const target = parseAuthority(text, scheme)
    if (target === null) throw new Error(`not an authority: ${text}`)
    return checkTarget(policy, target)
  }

  it.each([
    ['api.example.com', 'https', null],
    ['API.EXAMPLE.COM:443', 'https', null],
    ['a.b.cdn.example.com', 'https', null],
    ['plain.example.com', 'http', null],
    ['10.0.0.7:8443', 'https', null],
    ['cdn.example.com', 'https', 'host_not_approved'],
    ['evil-cdn.example.com', 'https', 'host_not_approved'],
    ['api.example.com.evil.com', 'https', 'host_not_approved'],
    ['evil-api.example.com', 'https', 'host_not_approved'],
    ['api.example.com:8443', 'https', 'host_not_approved'],
    ['10.0.0.7', 'https', 'host_not_approved'],
    ['plain.example.com', 'https', 'host_not_approved'],
    ['plain.example.com:8080', 'http', 'host_not_approved'],
    ['api.example.com', 'http', 'plain_http_not_approved'],
    ['api.example.com:443', 'http', 'plain_http_not_approved'],
    ['x.cdn.example.com', 'http', 'plain_http_not_approved'],
    ['elsewhere.example', 'http', 'host_not_approved'],
  ] as const)('checks %s over %s: %s', (text, scheme, rule) => {
    expect(evaluate(text, scheme)).toBe(rule)
  })

  it('names a target as Host and as origin', () => {
    const v6 = { scheme: 'http', host: '2001:db8::1', port: 8080 } as const
    expect(authorityOf(v6)).toBe('[2001:db8::1]:8080')
    expect(originOf(v6)).toBe('http://[2001:db8::1]:8080')
    expect(originOf({ scheme: 'https', host: 'a.example', port: 443 })).toBe('https://a.example')
    expect(authorityOf({ scheme: 'https', host: 'a.example', port: 80 })).toBe('a.example:80')
  })
})
