import { describe, expect, it } from 'vitest'
import { placeholderOf, policyOf } from '../../test/support/egress-policy.ts'
import {
  headerOf,
  NETWORK,
  policyWith,
  prepared,
  refused,
  target,
  VALUE,
} from '../../test/support/prepared-requests.ts'
import type { EgressPolicy, Surface } from './policy.ts'
import type { PreparedRequest } from './request.ts'

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

describe.each([
  '00000000-0000-0000-0000-000000000000:fx',
  `a1b2c3.d4e5f6:${'0a'.repeat(16)}`,
  `access_token$sandbox$a1b2c3$${'0a'.repeat(16)}`,
  `vercel_blob_rw_a1B2_${'0a'.repeat(8)}`,
  `AC${'0a'.repeat(16)}`,
])('a placeholder with the public part of %j', (KEY) => {
  const policy = policyWith(KEY, ['header', 'query', 'body', 'path'])
  const placeholder = placeholderOf(policy, 'KEY')

  it('becomes the value once, in a header, a path and a query, however the client wrote it', () => {
    for (const [before, written, after] of [
      ['Bearer ', placeholder, KEY],
      ['Basic ', btoa(placeholder), btoa(KEY)],
      ['Basic ', btoa(`${placeholder}:x`), btoa(`${KEY}:x`)],
    ] as const) {
      const rawHeaders = ['Authorization', before + written]
      expect(headerOf(prepared({ policy, rawHeaders }), 'authorization')).toBe(before + after)
    }
    expect(
      decodeURIComponent(prepared({ policy, path: `/a/${encodeURIComponent(placeholder)}/b` }).path),
    ).toBe(`/a/${KEY}/b`)
    for (const written of [placeholder, encodeURIComponent(placeholder)]) {
      const { path } = prepared({ policy, path: `/a?key=${written}` })
      expect(new URLSearchParams(path.split('?')[1]).get('key')).toBe(KEY)
    }
  })

  it('becomes the value in a form that encodes its public part', () => {
    const rawHeaders = ['Content-Type', 'application/x-www-form-urlencoded', 'Transfer-Encoding', 'chunked']
    const { body } = prepared({ policy, method: 'POST', rawHeaders })
    if (body === null) throw new Error('there is no rewriter')
    const form = new URLSearchParams({ auth_key: placeholder, text: 'a' }).toString()
    const sent = Buffer.concat([body.push(Buffer.from(form)), body.end()]).toString()
    expect(Object.fromEntries(new URLSearchParams(sent))).toEqual({ auth_key: KEY, text: 'a' })
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
    expect([[...elsewhere.used], [...elsewhere.rejected]]).toEqual([[], ['KEY']])
    expect(elsewhere.framing).toEqual({ kind: 'length', bytes: 100 })
  })

  it('passes unreplaced in a compressed body', () => {
    const request = post('text/plain', ['Content-Encoding', 'gzip'])
    expect(send(request, placeholder)).toBe(placeholder)
    expect([...request.rejected]).toEqual(['KEY'])
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
