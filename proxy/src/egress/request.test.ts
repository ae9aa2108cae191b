import { describe, expect, it } from 'vitest'
import {
  headerOf,
  policyWith,
  prepared,
  refused,
  target,
  VALUE,
} from '../../test/support/prepared-requests.ts'

describe('the request line', () => {
  it.each(['CONNECT', 'TRACE', 'trace', 'TRACK', '', 'GET ', 'G\r\nET', 'GET/'])(
    'refuses the method %j',
    (method) => {
      expect(refused({ method }).refused).toBe('method_not_allowed')
    },
  )

  it.each([
    'http://api.example.com/',
    'api.example.com:443',
    '',
    'x',
    '/a b',
    '/a\tb',
    '/a\r\nHost: b',
    '/a\0b',
    '/a\x7fb',
    '/ä',
    '/a#b',
    '/\\evil.example',
    '/a\\b?c',
    '*',
  ])('refuses the path %j', (path) => {
    expect(refused({ path }).refused).toBe('bad_request')
  })

  it.each(['/', '/a/b?c=d&e=%20', '//a', '/?', '/a?b=\\c', '/%2e%2e/'])(
    'takes the path %s as it is',
    (path) => {
      expect(prepared({ path }).path).toBe(path)
    },
  )

  it('refuses OPTIONS *, which is about no path', () => {
    expect(refused({ method: 'OPTIONS', path: '*' }).refused).toBe('method_not_allowed')
  })

  it('names the path for the audit without query and secrets', () => {
    const policy = policyWith()
    expect(prepared({ policy, path: '/a/b?c=d' }).auditPath).toBe('/a/b')
    expect(prepared({ policy, path: `/x/${encodeURIComponent(VALUE)}/y` }).auditPath).toBe(
      '/x/[secret:KEY]/y',
    )
    expect(refused({ policy, path: '/a\r\nb' }).auditPath).not.toMatch(/[\r\n]/)
    expect(prepared({ path: `/${'a'.repeat(9000)}` }).auditPath.length).toBeLessThanOrEqual(256)
  })
})

describe('the head', () => {
  it.each([
    ['two Host', ['Host', 'api.example.com', 'host', 'api.example.com']],
    ['two Authorization', ['Authorization', 'a', 'authorization', 'b']],
    ['two Content-Length', ['Content-Length', '1', 'content-length', '1']],
    ['a list as Content-Length', ['Content-Length', '1, 1']],
    ['a signed Content-Length', ['Content-Length', '+1']],
    ['Transfer-Encoding beside Content-Length', ['Transfer-Encoding', 'chunked', 'Content-Length', '1']],
    ['two Transfer-Encoding', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    ['a coding that is not chunked', ['Transfer-Encoding', 'gzip, chunked']],
    ['a line break in a value', ['X-A', 'a\r\nX-B: b']],
    ['a NUL in a value', ['X-A', 'a\0b']],
    ['a blank in a name', ['X A', 'a']],
    ['a colon in a name', ['X:A', 'a']],
    ['an empty name', ['', 'a']],
    ['Connection naming Authorization', ['Connection', 'close, Authorization', 'Authorization', 'a']],
    ['Connection naming Host', ['Connection', 'host']],
    ['Connection naming Cookie', ['Connection', 'x-a', 'Connection', 'cookie']],
    ['Connection naming Content-Length', ['Connection', 'content-length']],
    ['Connection listing what is no name', ['Connection', 'a b']],
  ])('is refused with %s', (_name, rawHeaders) => {
    expect(refused({ rawHeaders }).refused).toBe('bad_request')
  })

  it.each(['other.example.com', 'api.example.com:8443', 'api.example.com.', 'u@api.example.com', ''])(
    'is refused with Host %j',
    (host) => {
      expect(refused({ rawHeaders: ['Host', host] }).refused).toBe('host_mismatch')
    },
  )

  it('names the target in canonical form', () => {
    expect(headerOf(prepared({ rawHeaders: ['HOST', 'API.example.com:443'] }), 'host')).toBe(
      'api.example.com',
    )
    expect(headerOf(prepared({}), 'host')).toBe('api.example.com')
  })

  it('loses what is for one connection only, and what Connection names', () => {
    const rawHeaders = [
      ...['Connection', 'keep-alive, X-Mine', 'Keep-Alive', '5', 'Proxy-Authorization', 'a'],
      ...['Proxy-Connection', 'close', 'TE', 'trailers', 'Trailer', 'x', 'Upgrade', 'h2c', 'X-Mine', '1'],
      ...['HTTP2-Settings', 'a', 'Expect', '100-continue', 'X-Yours', '2'],
    ]
    expect(prepared({ rawHeaders }).headers).toEqual(['host', 'api.example.com', 'x-yours', '2'])
  })

  it('is told of the body once and never by Transfer-Encoding', () => {
    const sized = prepared({ method: 'POST', rawHeaders: ['Content-Length', '12'] })
    expect([sized.framing, headerOf(sized, 'content-length')]).toEqual([{ kind: 'length', bytes: 12 }, '12'])
    const chunked = prepared({ method: 'POST', rawHeaders: ['Transfer-Encoding', 'chunked'] })
    expect([chunked.framing, chunked.headers]).toEqual([{ kind: 'chunked' }, ['host', 'api.example.com']])
    expect(prepared({}).framing).toEqual({ kind: 'none' })
  })

  it('passes as it is for a run without placeholders, encodings and ranges included', () => {
    const rawHeaders = ['Accept-Encoding', 'gzip', 'Range', 'bytes=0-4', 'Cookie', 'a=b', 'X-A', 'é']
    expect(prepared({ rawHeaders }).headers.slice(2)).toEqual([
      ...['accept-encoding', 'gzip', 'range', 'bytes=0-4', 'cookie', 'a=b', 'x-a', 'é'],
    ])
  })

  it('asks for an answer that can be searched, over the borders of a part from hosts that know a secret', () => {
    const policy = policyWith()
    const rawHeaders = ['Accept-Encoding', 'gzip', 'Range', 'bytes=0-4', 'If-Range', '"x"']
    const { part } = prepared({ policy, rawHeaders })
    const marginBytes = typeof part === 'object' && part !== null ? part.marginBytes : 0
    expect(marginBytes).toBeGreaterThan(100)
    expect(prepared({ policy, rawHeaders }).headers.slice(2)).toEqual([
      ...['if-range', '"x"', 'accept-encoding', 'identity', 'range', `bytes=0-${4 + marginBytes}`],
    ])
    const elsewhere = prepared({ policy, rawHeaders, target: { ...target, host: 'other.example.com' } })
    expect([headerOf(elsewhere, 'range'), headerOf(elsewhere, 'accept-encoding')]).toEqual([
      'bytes=0-4',
      'identity',
    ])
  })
})

describe('a WebSocket', () => {
  const rawHeaders = [
    ...['Connection', 'keep-alive, Upgrade', 'Upgrade', 'WebSocket', 'Sec-WebSocket-Key', 'a'],
    ...['Sec-WebSocket-Extensions', 'permessage-deflate'],
  ]

  it('is asked for with Upgrade, and without extensions where frames are searched', () => {
    const headers = prepared({ policy: policyWith(), rawHeaders, websocket: true }).headers
    expect(headers.slice(2)).toEqual([
      ...[
        'sec-websocket-key',
        'a',
        'accept-encoding',
        'identity',
        'connection',
        'Upgrade',
        'upgrade',
        'websocket',
      ],
    ])
    expect(headerOf(prepared({ rawHeaders, websocket: true }), 'sec-websocket-extensions')).toBe(
      'permessage-deflate',
    )
  })

  it.each([
    ['another method', { method: 'POST', rawHeaders }],
    ['a body', { rawHeaders: [...rawHeaders, 'Content-Length', '1'] }],
    ['another protocol', { rawHeaders: ['Connection', 'Upgrade', 'Upgrade', 'h2c'] }],
    ['no Connection', { rawHeaders: ['Upgrade', 'websocket'] }],
  ])('is refused with %s', (_name, part) => {
    expect(refused({ ...part, websocket: true }).refused).toBe('bad_request')
  })
})
