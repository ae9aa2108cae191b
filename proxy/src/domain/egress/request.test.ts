import { describe, expect, it } from 'vitest'
import { placeholderOf, policyOf } from '../../../test/support/egress-policy.ts'
import type { EgressPolicy, EgressTarget, Surface } from './policy.ts'
import {
  type PreparedRequest,
  prepareRequest,
  type RefusedRequest,
  type RequestToPrepare,
} from './request.ts'

const VALUE = 'demo-value-for-header/+1'
const target: EgressTarget = { scheme: 'https', host: 'api.example.com', port: 443 }
const NETWORK = ['api.example.com', 'other.example.com']

function policyWith(value = VALUE, surfaces: readonly Surface[] = ['header']): EgressPolicy {
  return policyOf(NETWORK, { KEY: { value, hosts: ['api.example.com'], in: surfaces } })
}
const plain = policyOf(NETWORK)

const prepare = (part: Partial<RequestToPrepare>): PreparedRequest | RefusedRequest =>
  prepareRequest({ policy: plain, target, method: 'GET', path: '/', rawHeaders: [], ...part })

function prepared(part: Partial<RequestToPrepare>): PreparedRequest {
  const outcome = prepare(part)
  if ('refused' in outcome) throw new Error(`refused: ${outcome.refused}`)
  return outcome
}

function refused(part: Partial<RequestToPrepare>): RefusedRequest {
  const outcome = prepare(part)
  if (!('refused' in outcome)) throw new Error('not refused')
  return outcome
}

function headerOf({ headers }: PreparedRequest, name: string): string | undefined {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text === name)
  return at === -1 ? undefined : headers[at + 1]
}

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

describe('a placeholder in a header', () => {
  const policy = policyWith()
  const placeholder = placeholderOf(policy, 'KEY')

  it('becomes the value, wherever in the header it stands', () => {
    const rawHeaders = [
      'Authorization',
      `Bearer ${placeholder}`,
      'X-Api-Key',
      `a${placeholder},${placeholder}b`,
    ]
    const request = prepared({ policy, rawHeaders })
    expect(headerOf(request, 'authorization')).toBe(`Bearer ${VALUE}`)
    expect(headerOf(request, 'x-api-key')).toBe(`a${VALUE},${VALUE}b`)
    expect([...request.used]).toEqual(['KEY'])
  })

  it('becomes the value inside Basic credentials', () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    const rawHeaders = ['Authorization', basic(`user:${placeholder}`).replace('Basic', 'bASIC')]
    expect(headerOf(prepared({ policy, rawHeaders }), 'authorization')).toBe(basic(`user:${VALUE}`))
    const untouched = ['Authorization', basic('a:b').replaceAll('=', '')]
    expect(headerOf(prepared({ policy, rawHeaders: untouched }), 'authorization')).toBe(untouched[1])
  })

  it.each([
    ...[
      'Cookie',
      'User-Agent',
      'Referer',
      'Origin',
      'Via',
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
    ],
    ...['Range', 'If-Range', 'Proxy-Authorization', 'Keep-Alive', 'Accept-Encoding', 'Expect', 'TE'],
  ])('is refused in %s', (name) => {
    expect(refused({ policy, rawHeaders: [name, `a ${placeholder}`] })).toMatchObject({
      refused: 'secret_not_for_surface',
      secrets: ['KEY'],
    })
  })

  it('becomes the value where it stands for the encoded credentials themselves', () => {
    const rawHeaders = ['Authorization', `Basic ${placeholder}`]
    expect(headerOf(prepared({ policy, rawHeaders }), 'authorization')).toBe(`Basic ${VALUE}`)
  })

  it('is found in Basic credentials that only a lenient reader takes', () => {
    const basic = Buffer.from(`user:${placeholder}`).toString('base64').replaceAll('=', '')
    const other = { ...target, host: 'other.example.com' }
    for (const value of [`Basic ${basic}%6f`, `Basic ${basic.slice(0, 8)} ${basic.slice(8)}`]) {
      const rawHeaders = ['Authorization', value]
      expect(refused({ policy, target: other, rawHeaders }).refused).toBe('secret_not_for_host')
    }
  })

  it('is refused in a name, and in a header that Connection takes away', () => {
    for (const rawHeaders of [
      [placeholder, 'a'],
      ['Connection', 'x-mine', 'X-Mine', placeholder],
    ]) {
      expect(refused({ policy, rawHeaders }).refused).toBe('secret_not_for_surface')
    }
  })

  it('is refused for a host that the secret is not bound to, also inside Basic', () => {
    const other = { ...target, host: 'other.example.com' }
    const basic = Buffer.from(`u:${placeholder}`).toString('base64')
    for (const value of [placeholder, `Basic ${basic}`]) {
      const rawHeaders = ['Authorization', value]
      expect(refused({ policy, target: other, rawHeaders })).toMatchObject({
        refused: 'secret_not_for_host',
        secrets: ['KEY'],
      })
    }
  })

  it('is refused over plain http and at another port', () => {
    for (const wrong of [{ ...target, scheme: 'http', port: 80 } as const, { ...target, port: 8443 }]) {
      expect(refused({ policy, target: wrong, rawHeaders: ['X-Key', placeholder] }).refused).toBe(
        'secret_not_for_host',
      )
    }
  })

  it('is refused where only other surfaces were approved', () => {
    const inBody = policyWith(VALUE, ['body', 'query'])
    const rawHeaders = ['X-Key', placeholderOf(inBody, 'KEY')]
    expect(refused({ policy: inBody, rawHeaders }).refused).toBe('secret_not_for_surface')
  })

  it.each(['a\r\nX-Evil: b', 'a\nb', 'a\0b', 'ключ', 'clé', 'a\x7f'])(
    'is refused when the value is %j',
    (value) => {
      const broken = policyWith(value)
      const rawHeaders = ['X-Key', placeholderOf(broken, 'KEY')]
      expect(refused({ policy: broken, rawHeaders })).toMatchObject({
        refused: 'secret_not_for_surface',
        secrets: ['KEY'],
      })
    },
  )

  it('is not looked for in a value that was put in', () => {
    const two = policyOf(NETWORK, {
      A: { value: 'demo-value-first', hosts: ['api.example.com'] },
      B: { value: 'demo-value-second', hosts: ['api.example.com'] },
    })
    const rawHeaders = ['X-Keys', `${placeholderOf(two, 'B')} ${placeholderOf(two, 'A')}`]
    const request = prepared({ policy: two, rawHeaders })
    expect(headerOf(request, 'x-keys')).toBe('demo-value-second demo-value-first')
    expect([...request.used].sort()).toEqual(['A', 'B'])
  })
})

describe('a placeholder in the path', () => {
  it('becomes the percent-encoded value in an approved query', () => {
    const policy = policyWith('demo value/ü&=', ['query'])
    const path = `/a?key=${placeholderOf(policy, 'KEY')}&b=%20`
    expect(prepared({ policy, path }).path).toBe('/a?key=demo%20value%2F%C3%BC%26%3D&b=%20')
  })

  it('is recognised when characters of it are percent-encoded', () => {
    const policy = policyWith(VALUE, ['query'])
    const encoded = placeholderOf(policy, 'KEY').replaceAll(
      /[o3]/g,
      (char) => `%${char.charCodeAt(0).toString(16)}`,
    )
    expect(prepared({ policy, path: `/?a=${encoded}` }).path).toBe(`/?a=${encodeURIComponent(VALUE)}`)
    expect(refused({ policy, path: `/${encoded}` }).refused).toBe('secret_not_for_surface')
    expect(refused({ policy: policyWithSame(policy, ['header']), path: `/?a=${encoded}` }).refused).toBe(
      'secret_not_for_surface',
    )
  })

  it('is refused in a segment, whatever was approved', () => {
    const policy = policyWith(VALUE, ['header', 'query', 'body'])
    expect(refused({ policy, path: `/bot${placeholderOf(policy, 'KEY')}/x?a=b` })).toMatchObject({
      refused: 'secret_not_for_surface',
      secrets: ['KEY'],
    })
  })

  it('is refused in a query for another host', () => {
    const policy = policyWith(VALUE, ['query'])
    const other = { ...target, host: 'other.example.com' }
    expect(refused({ policy, target: other, path: `/?${placeholderOf(policy, 'KEY')}` }).refused).toBe(
      'secret_not_for_host',
    )
  })
})

function policyWithSame(policy: EgressPolicy, surfaces: readonly Surface[]): EgressPolicy {
  return { ...policy, secrets: policy.secrets.map((secret) => ({ ...secret, surfaces: new Set(surfaces) })) }
}

describe('a placeholder in the body', () => {
  const send = (request: PreparedRequest, ...chunks: string[]): string => {
    const { body } = request
    if (body === null) throw new Error('there is no rewriter')
    return Buffer.concat([...chunks.map((chunk) => body.push(Buffer.from(chunk))), body.end()]).toString()
  }
  const value = 'demo "value"\n&é'
  const policy = policyWith(value, ['body'])
  const placeholder = placeholderOf(policy, 'KEY')
  const post = (type: string, extra: readonly string[] = []) =>
    prepared({
      policy,
      method: 'POST',
      rawHeaders: ['Content-Type', type, 'Transfer-Encoding', 'chunked', ...extra],
    })

  it.each([
    ['application/json', 'demo \\"value\\"\\n&é'],
    ['application/vnd.api+json; charset=utf-8', 'demo \\"value\\"\\n&é'],
    ['application/x-ndjson', 'demo \\"value\\"\\n&é'],
    ['application/x-www-form-urlencoded', 'demo%20%22value%22%0A%26%C3%A9'],
    ['text/plain', value],
    ['multipart/form-data; boundary=json', value],
  ])('becomes the value as %s writes it', (type, rendered) => {
    const request = post(type)
    expect(send(request, `<${placeholder}>`)).toBe(`<${rendered}>`)
    expect([...request.used]).toEqual(['KEY'])
  })

  it('is found when it is split over chunks', () => {
    const request = post('text/plain')
    const text = `a${placeholder.slice(0, 5)}${placeholder}b`
    expect(send(request, ...text)).toBe(`a${placeholder.slice(0, 5)}${value}b`)
  })

  it('gives bytes on that cannot begin one', () => {
    const { body } = post('text/plain')
    expect(Buffer.from(body?.push(Buffer.from('abc oauth3')) ?? []).toString()).toBe('abc ')
  })

  it('passes unreplaced and is reported where it was not approved', () => {
    const elsewhere = prepared({
      policy,
      method: 'POST',
      target: { ...target, host: 'other.example.com' },
      rawHeaders: ['Content-Length', '100'],
    })
    expect(send(elsewhere, placeholder.slice(0, 9), placeholder.slice(9))).toBe(placeholder)
    expect([[...elsewhere.used], [...elsewhere.misplaced]]).toEqual([[], ['KEY']])
    expect(elsewhere.framing).toEqual({ kind: 'length', bytes: 100 })
  })

  it('passes unreplaced in a compressed body', () => {
    const request = post('text/plain', ['Content-Encoding', 'gzip'])
    expect(send(request, placeholder)).toBe(placeholder)
    expect([...request.misplaced]).toEqual(['KEY'])
  })

  it('changes how the body is framed', () => {
    const framing = (bytes: string) => {
      const request = prepared({ policy, method: 'POST', rawHeaders: ['Content-Length', bytes] })
      return [request.framing.kind, headerOf(request, 'content-length')]
    }
    expect(framing('262144')).toEqual(['buffer', undefined])
    expect(framing('262145')).toEqual(['chunked', undefined])
    expect(framing('0')).toEqual(['length', '0'])
  })

  it('is not looked for without a body or without secrets', () => {
    expect(prepared({ policy }).body).toBeNull()
    expect(prepared({ method: 'POST', rawHeaders: ['Content-Length', '1'] }).body).toBeNull()
  })
})
