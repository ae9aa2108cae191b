import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Capability } from '../../src/egress/capabilities/index.ts'
import { ask, sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { sampleCapability } from '../support/sample-consent.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

/** What a run may do at a host that it may reach: methods, paths, how often, WebSockets, GraphQL mutations. */
const HOST = 'api.example.com'

let upstream: TlsUpstream
let kit: GatewayKit
let seen: { method: string; url: string; body: string; headers: IncomingMessage['headers'] }[]
beforeEach(async () => {
  seen = []
  upstream = await startTlsUpstream([HOST], async (request, response) => {
    const body = await text(request)
    seen.push({ method: request.method ?? '', url: request.url ?? '', body, headers: request.headers })
    response.end('hello')
  })
  kit = await createGatewayKit({ tls: { ca: upstream.ca } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const url = (path = '/'): string => `https://${HOST}:${upstream.port}${path}`
const may = (change: Partial<Capability>): Capability => sampleCapability(`${HOST}:${upstream.port}`, change)
const json = (value: unknown) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})
/** A request in the very bytes that a client of its own would write. */
const say = async (
  endpoint: Parameters<typeof tlsThrough>[0],
  line: string,
  head = '',
  body = '',
): Promise<string> =>
  await sayRaw(
    await tlsThrough(endpoint, `${HOST}:${upstream.port}`),
    `${line} HTTP/1.1\r\nHost: ${HOST}:${upstream.port}\r\nConnection: close\r\n${head}\r\n${body}`,
  )

describe('a method', () => {
  test('that was not approved is refused with the entry to ask for, and nothing is sent', async () => {
    const run = await kit.run([may({ paths: ['/v1/charges/*'] })])
    const got = await ask(run.endpoint, url('/v1/charges/ch_1?expand=x'), { method: 'DELETE' })
    expect([got.status, got.headers['x-oauth3-refused']]).toEqual([403, 'method_not_approved'])
    expect(JSON.parse(got.body).error).toMatchObject({
      rule: 'method_not_approved',
      ask: { host: `${HOST}:${upstream.port}`, methods: ['DELETE'], paths: ['/v1/charges/ch_1'] },
    })
    expect(seen).toEqual([])
    expect((await run.events())[0]).toMatchObject({
      event: 'egress.refused',
      data: { rule: 'method_not_approved', method: 'DELETE', path: '/v1/charges/ch_1' },
    })
    expect(run.session.end().refused).toEqual([
      expect.objectContaining({
        rule: 'method_not_approved',
        request: 'DELETE /v1/charges/ch_1',
        ask: expect.objectContaining({ methods: ['DELETE'] }),
      }),
    ])
  })

  test('GET stands for HEAD', async () => {
    const run = await kit.run([may({})])
    expect((await ask(run.endpoint, url('/v1'), { method: 'HEAD' })).status).toBe(200)
    expect((await ask(run.endpoint, url('/v1'))).status).toBe(200)
    expect(seen.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })

  test.each(['post', 'Post', 'get', 'PURGE', 'GETX', 'OPTIONS', 'PATCH'])(
    '%s is none of GET',
    async (method) => {
      const run = await kit.run([may({ paths: ['/**'] })])
      expect(await say(run.endpoint, `${method} /v1`, 'Content-Length: 0\r\n')).toContain('x-oauth3-refused')
      expect(seen).toEqual([])
    },
  )

  test.each([
    ['x-http-method-override: DELETE', '/v1'],
    ['X-HTTP-Method: delete', '/v1'],
    ['X-Method-Override: PUT', '/v1'],
    ['x-a: b', '/v1?_method=DELETE'],
    ['x-a: b', '/v1?%5Fmethod=delete'],
    ['x-a: b', '/v1?a=1&_METHOD=PUT'],
  ])('that is asked for by %s at %s counts as itself', async (header, path) => {
    const run = await kit.run([may({ methods: ['POST'] })])
    expect(await say(run.endpoint, `POST ${path}`, `${header}\r\nContent-Length: 0\r\n`)).toContain(
      'method_not_approved',
    )
    expect(seen).toEqual([])
  })

  test.each(['_method=DELETE', 'a=1&_method=put'])(
    'that a form asks for by %s counts as itself',
    async (body) => {
      const run = await kit.run([may({ methods: ['POST'] })])
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      expect((await ask(run.endpoint, url('/v1'), { method: 'POST', headers, body })).rule).toBe(
        'method_not_approved',
      )
      expect(seen).toEqual([])
    },
  )
})

describe('a path', () => {
  test.each([
    '/v1/charges',
    '/v1/charges/',
    '/v1/charges/a/b',
    '/v1/charges/..',
    '/v1/charges/%2e%2e',
    '/v1/charges/.%2E/',
    '/v1/charges/a/../../refunds',
    '/v1/charges/a%2F..%2F..%2Frefunds',
    '/v1/charges/a%2fb',
    '/v1/charges/a%5cb',
    '/v1/charges/%252e%252e',
    '/v1/charges/..;/refunds',
    '/v1/charges/;x',
    '/v1/charges/%00',
    '/v1/charges/%c0%ae%c0%ae',
    '/v1/charges/%EF%BC%8E%EF%BC%8E',
    '/v1/charges/%',
    '/v1//charges/a',
    '//v1/charges/a',
    '/V1/charges/a',
    '/v1/refunds',
    '/v1/charges/a%3F/../..',
    '/',
  ])('%s is none of /v1/charges/*', async (path) => {
    const run = await kit.run([may({ paths: ['/v1/charges/*'] })])
    expect(await say(run.endpoint, `GET ${path}`)).toMatch(/path_not_approved/)
    expect(seen).toEqual([])
  })

  test.each([
    '/v1/charges/ch_1',
    '/v1/charges/ch_1?limit=3&x=/../',
    '/v1/charges/%63h',
    '/v1/charges/a.b~c:d@e',
  ])('%s is one, and is sent as it was written', async (path) => {
    const run = await kit.run([may({ paths: ['/v1/charges/*'] })])
    expect(await say(run.endpoint, `GET ${path}`)).toContain('200 OK')
    expect(seen.map((one) => one.url)).toEqual([path])
  })

  test('of one method is not one of another', async () => {
    const run = await kit.run([
      may({ paths: ['/v1/charges'] }),
      may({ methods: ['POST'], paths: ['/v1/refunds'] }),
    ])
    expect((await ask(run.endpoint, url('/v1/charges'), { method: 'POST' })).rule).toBe('path_not_approved')
    expect((await ask(run.endpoint, url('/v1/refunds'))).rule).toBe('path_not_approved')
    expect((await ask(run.endpoint, url('/v1/refunds'), { method: 'POST' })).status).toBe(200)
  })
})

describe('the number of requests', () => {
  test('ends where it was approved, refused ones not counted, whoever makes them at once', async () => {
    const run = await kit.run([may({ requests: 3 })])
    await ask(run.endpoint, url('/v1'), { method: 'POST' })
    const all = await Promise.all(Array.from({ length: 8 }, () => ask(run.endpoint, url('/v1'))))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(3)
    const refused = all.find(({ status }) => status !== 200)
    expect([refused?.status, refused?.rule]).toEqual([403, 'requests_exceeded'])
    expect(JSON.parse(refused?.body ?? '').error.ask).toMatchObject({ methods: ['GET'], requests: 30 })
    expect(seen).toHaveLength(3)
  })

  test('of another entry is its own', async () => {
    const run = await kit.run([may({ requests: 1 }), may({ methods: ['POST'], requests: 1 })])
    expect((await ask(run.endpoint, url('/v1'))).status).toBe(200)
    expect((await ask(run.endpoint, url('/v1'), { method: 'POST' })).status).toBe(200)
    expect((await ask(run.endpoint, url('/v1'))).rule).toBe('requests_exceeded')
  })
})

const UPGRADE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

describe('a WebSocket', () => {
  test('is no GET', async () => {
    const run = await kit.run([may({ paths: ['/**'] })])
    const answer = await sayRaw(
      await tlsThrough(run.endpoint, `${HOST}:${upstream.port}`),
      `GET /v1 HTTP/1.1\r\nHost: ${HOST}:${upstream.port}\r\n${UPGRADE}\r\n`,
    )
    expect(answer).toContain('method_not_approved')
    expect(answer).toContain('"websocket":true')
    expect(seen).toEqual([])
  })

  test('that was approved lets no other request pass', async () => {
    const run = await kit.run([may({ methods: [], websocket: true })])
    expect((await ask(run.endpoint, url('/v1'))).rule).toBe('method_not_approved')
  })
})

describe('a GraphQL mutation', () => {
  const post = (change: Partial<Capability> = {}) => may({ methods: ['POST'], paths: ['/**'], ...change })
  const mutation = { query: 'mutation M { deleteRepo { id } }' }

  test.each<[string, Parameters<typeof ask>[2] & { path?: string }]>([
    ['in a body', json(mutation)],
    ['in a body at another path', { ...json(mutation), path: '/v2' }],
    ['in a batch', json([{ query: '{ a }' }, mutation])],
    ['behind a query', json({ query: 'query Q { a } mutation M { b }', operationName: 'M' })],
    ['behind a description', json({ query: 'query Q { a } "of M" mutation M { b }', operationName: 'M' })],
    ['in escapes', { ...json({}), body: '{"query":"\\u006dutation { a }"}' }],
    ['in a doubled member', { ...json({}), body: '{"query":"mutation { a }","query":"{ a }"}' }],
    [
      'as text',
      { method: 'POST', headers: { 'content-type': 'application/graphql' }, body: 'mutation { a }' },
    ],
    ['without a type', { method: 'POST', body: JSON.stringify(mutation) }],
    [
      'compressed',
      { ...json({}), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } },
    ],
    [
      'in another charset',
      { ...json(mutation), headers: { 'content-type': 'application/json;charset=utf-16le' } },
    ],
    ['that is stored there', json({ extensions: { persistedQuery: { sha256Hash: 'a' } } })],
    [
      'in an upload',
      {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"mutation { a }"}\r\n--x--\r\n',
      },
    ],
    ['behind a long text', json({ a: 'x'.repeat(17 * 1_048_576), ...mutation })],
  ])('%s is refused where none was approved', async (_what, { path = '/graphql', ...options }) => {
    const run = await kit.run([post()])
    const got = await ask(run.endpoint, url(path), options)
    expect(got.rule).toBe('method_not_approved')
    expect(JSON.parse(got.body).error.ask).toMatchObject({ graphql: 'mutation' })
    expect(seen).toEqual([])
    expect((await run.events()).at(-1)).toMatchObject({ event: 'egress.refused', data: { status: null } })
  })

  test('in the query of an address is refused too', async () => {
    const run = await kit.run([may({ paths: ['/**'] })])
    expect((await ask(run.endpoint, url('/graphql?query=mutation%7Ba%7D'))).rule).toBe('method_not_approved')
    expect((await ask(run.endpoint, url('/api?q=1&query=muta%74ion%7Ba%7D'))).rule).toBe(
      'method_not_approved',
    )
    expect((await ask(run.endpoint, url('/graphql?query=%7Ba%7D'))).status).toBe(200)
  })

  test('passes where it was approved', async () => {
    const run = await kit.run([post({ graphql: 'mutation' })])
    expect((await ask(run.endpoint, url('/graphql'), json(mutation))).status).toBe(200)
    expect(seen[0]?.body).toBe(JSON.stringify(mutation))
  })

  test.each<[string, unknown]>([
    ['a query', { query: 'query { a(text: "mutation { b }") }' }],
    ['a prompt', { messages: [{ content: 'Explain a GraphQL mutation such as mutation { a }' }] }],
    ['an ordinary search', { query: 'mutation of genes' }],
  ])('is not %s, which arrives as it was sent', async (_what, body) => {
    const run = await kit.run([post()])
    expect((await ask(run.endpoint, url('/v1/search'), json(body))).status).toBe(200)
    expect(seen[0]?.body).toBe(JSON.stringify(body))
  })

  test('is looked for without holding up what cannot be one', async () => {
    const run = await kit.run([post()])
    const body = Buffer.alloc(17 * 1_048_576, 7)
    const headers = { 'content-type': 'application/octet-stream' }
    expect((await ask(run.endpoint, url('/upload'), { method: 'POST', headers, body })).status).toBe(200)
    expect(seen[0]?.body.length).toBe(body.length)
  })
})
