import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Capability,
  describeNetwork,
  operationOfRequest,
  parsePathPattern,
  pathCovers,
} from '../../src/egress/capabilities/index.ts'
import { deriveNetwork, type RequestFact } from '../../src/executions/facts/index.ts'
import { ask, sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { cpuMsOf, patience } from '../support/pace.ts'
import { sampleCapability } from '../support/sample-consent.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

/** Ways round what was approved that leave method and path of the request line as they should be, and ways to keep the gateway busy. */
const HOST = 'api.example.com'
const MIB = 1_048_576

let upstream: TlsUpstream
let kit: GatewayKit
let seen: { method: string; url: string; bytes: number; sha: string; headers: IncomingMessage['headers'] }[]
const sha = (body: Buffer): string => createHash('sha256').update(body).digest('hex')
beforeEach(async () => {
  seen = []
  upstream = await startTlsUpstream([HOST], async (request, response) => {
    const body = await buffer(request)
    const { method = '', url = '', headers } = request
    seen.push({ method, url, bytes: body.length, sha: sha(body), headers })
    response.end('hello')
  })
  kit = await createGatewayKit({ tls: { ca: upstream.ca } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const at = (): string => `${HOST}:${upstream.port}`
const may = (change: Partial<Capability>): Capability => sampleCapability(at(), change)
const any = (): Capability =>
  may({ methods: ['*'], paths: ['/**'], graphql: 'mutation', websocket: true, requests: 10_000 })
/** A request in the very bytes that a client of its own would write. */
const say = async (
  network: Capability[],
  line: string,
  head: readonly string[],
  body: Buffer | string = '',
) => {
  const run = await kit.run(network)
  const fields = [`Host: ${at()}`, 'Connection: close', ...head, `Content-Length: ${Buffer.byteLength(body)}`]
  const start = `${line} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`
  return await sayRaw(await tlsThrough(run.endpoint, at()), `${start}${body}`)
}
const JSON_TYPE = 'Content-Type: application/json'
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded'
const MULTIPART_TYPE = 'Content-Type: multipart/form-data; boundary=b'

describe('another method', () => {
  test.each<[string, string, readonly string[], string]>([
    ['the first of two in one header', '/v1', ['X-HTTP-Method-Override: DELETE, x'], ''],
    ['a header that CGI reads alike', '/v1', ['X_HTTP_Method_Override: DELETE'], ''],
    ['a query, as ASP.NET takes it', '/v1?X-HTTP-Method-Override=DELETE', [], ''],
    ['a query, as Google takes it', '/v1?$httpMethod=DELETE', [], ''],
    ['a name that PHP mends', '/v1?.method=DELETE', [], ''],
    ['another that PHP mends', '/v1?%20%5Bmethod=DELETE', [], ''],
    ['a name that PHP cuts', '/v1?_method%00x=DELETE', [], ''],
    ['a semicolon', '/v1?a=1;_method=DELETE', [], ''],
    ['a form without a type, as Rack takes it', '/v1', [], '_method=DELETE'],
    ['a form behind a semicolon', '/v1', [FORM_TYPE], 'a=1; _method=DELETE'],
    ['a form as ASP.NET takes it', '/v1', [FORM_TYPE], 'X-HTTP-Method-Override=DELETE'],
    ['JSON, as Laravel takes it', '/v1', [JSON_TYPE], '{"a":1,"_method":"DELETE"}'],
    [
      'JSON in escapes',
      '/v1',
      ['Content-Type: application/vnd.api+json'],
      '{"\\u005fmethod":"D\\u0045LETE"}',
    ],
    ['a form in another charset', '/v1', [`${FORM_TYPE}; charset=ibm037`], 'mZZetho=DELETE'],
    [
      'a part with a long head',
      '/v1',
      [MULTIPART_TYPE],
      `--b\r\nContent-Disposition: form-data; name="_method"; x="${'x'.repeat(400)}"\r\n\r\nDELETE\r\n--b--\r\n`,
    ],
    [
      'a part with many headers',
      '/v1',
      [MULTIPART_TYPE],
      `--b\r\nContent-Disposition: form-data; name=_method\r\n${'x: y\r\n'.repeat(20)}\r\nDELETE\r\n--b--\r\n`,
    ],
    [
      'a part whose name is quoted',
      '/v1',
      [MULTIPART_TYPE],
      '--b\r\nContent-Disposition: form-data; name="\\_method"\r\n\r\nDELETE\r\n--b--\r\n',
    ],
    [
      'a part whose name is encoded',
      '/v1',
      [MULTIPART_TYPE],
      "--b\r\nContent-Disposition: form-data; name*=utf-8''%5Fmethod\r\n\r\nDELETE\r\n--b--\r\n",
    ],
  ])('by %s is none of POST', async (_what, path, head, body) => {
    expect(
      await say([may({ methods: ['POST'], graphql: 'mutation' })], `POST ${path}`, head, body),
    ).toContain('method_not_approved')
    expect(seen).toEqual([])
  })

  test('in a compressed form, or one that is too long to look into, is none of POST', async () => {
    const post = [may({ methods: ['POST'], graphql: 'mutation' })]
    const run = await kit.run(post)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const gzipped = gzipSync('_method=DELETE')
    const one = { method: 'POST', headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipped }
    expect((await ask(run.endpoint, `https://${at()}/v1`, one)).rule).toBe('method_not_approved')
    const long = Buffer.concat([Buffer.alloc(17 * MIB, 'a'), Buffer.from('&_method=DELETE')])
    const two = await ask(run.endpoint, `https://${at()}/v1`, { method: 'POST', headers, body: long })
    expect(two.rule).toBe('method_not_approved')
    expect(seen).toEqual([])
  })

  test.each<[string, readonly string[], string]>([
    ['/v1?method=flickr.photos.search&payment_method=card', [], ''],
    ['/v1?method=sms&_method=POST', [], ''],
    ['/v1', [JSON_TYPE], '{"method":"eth_call","params":[]}'],
    ['/v1', [JSON_TYPE], '{"requests":[{"method":"DELETE"}],"_method":"post"}'],
    [
      '/v1',
      [MULTIPART_TYPE],
      '--b\r\nContent-Disposition: form-data; name="f"; filename="C:\\a"\r\n\r\nx\r\n--b--\r\n',
    ],
    ['/v1', [], 'bytes'],
  ])('is not meant by %s %j %s', async (path, head, body) => {
    expect(await say([may({ methods: ['POST'] })], `POST ${path}`, head, body)).toContain('200 OK')
  })
})

describe('another path', () => {
  test.each(['X-Original-URL: /admin', 'X-Rewrite-URL: /admin', 'X_Original_URL: /admin'])(
    'by %s counts as itself',
    async (header) => {
      expect(await say([may({})], 'GET /v1', [header])).toContain('path_not_approved')
      expect(await say([may({ paths: ['/v1', '/admin'] })], 'GET /v1', [header])).toContain('200 OK')
      expect(seen).toHaveLength(1)
    },
  )

  test.each(['MOVE', 'COPY'])('that %s writes to counts as itself', async (method) => {
    const to = (destination: string, ...paths: string[]) =>
      say([may({ methods: [method], paths })], `${method} /a/x`, [`Destination: ${destination}`])
    for (const destination of ['/b/x', `https://${at()}/b/x`, '/a/../b/x', '//b/x', 'b'])
      expect(await to(destination, '/a/**'), destination).toContain('path_not_approved')
    expect(seen).toEqual([])
    expect(await to('/b/x', '/a/**', '/b/*')).toContain('200 OK')
    expect(await to('/a/y', '/a/**')).toContain('200 OK')
    expect(await say([may({ paths: ['/a/**'] })], 'GET /a/x', ['Destination: Paris'])).toContain('200 OK')
    for (const methods of [['POST', method], null]) {
      const network = [may({ methods: methods ?? ['*'], paths: ['/a/**'] })]
      const asked = await say(network, 'POST /a/x', ['Destination: /b/x', FORM_TYPE], `_method=${method}`)
      expect(asked).toContain('path_not_approved')
    }
  })

  test.each([
    'X-Amz-Copy-Source: b/x?versionId=1',
    'x-goog-copy-source: /b/x',
    'x-ms-copy-source: https://other.example.com/b/x',
    'x-amz-rename-source: b/x',
    'X-Copy-From: /b/x',
  ])('that is copied by %s counts as itself', async (header) => {
    const put = (...paths: string[]) => say([may({ methods: ['PUT'], paths })], 'PUT /a/x', [header])
    expect(await put('/a/**')).toContain('path_not_approved')
    expect(seen).toEqual([])
    expect(await put('/a/**', '/b/*')).toContain('200 OK')
  })

  test.each([
    '/v1/charges/',
    '/v1/charges/;x',
    '/v1/charges/..%20',
    '/v1/charges/.%20./x',
    '/v1/charges/...',
  ])('%s is none of /v1/charges/**', async (path) => {
    expect(await say([may({ paths: ['/v1/charges/**'] })], `GET ${path}`, [])).toContain('path_not_approved')
    expect(seen).toEqual([])
  })

  test('below a prefix is never the prefix with a slash, in a consent as on the way', () => {
    const parsed = (text: string) => {
      const pattern = parsePathPattern(text)
      if ('problem' in pattern) throw new Error(pattern.problem)
      return pattern
    }
    expect(pathCovers(parsed('/a/**'), parsed('/a/'))).toBe(false)
    expect(pathCovers(parsed('/a/**'), parsed('/a/b/'))).toBe(true)
    expect(pathCovers(parsed('/**'), parsed('/'))).toBe(true)
  })

  test('with a star in it can be asked for as the refusal says', async () => {
    const run = await kit.run([may({ paths: ['/v1'] })])
    const refused = await ask(run.endpoint, `https://${at()}/a/*`)
    const { paths } = JSON.parse(refused.body).error.ask
    expect(await say([may({ paths })], 'GET /a/*', [])).toContain('200 OK')
    expect(await say([may({ paths })], 'GET /a/b', [])).toContain('path_not_approved')
  })
})

describe('a GraphQL mutation', () => {
  const mutation = JSON.stringify({ query: 'mutation { a }' })
  test.each<[string, readonly string[], string | Buffer]>([
    ['POST /gr%61phql', [JSON_TYPE], '{"id":"stored"}'],
    ['POST /graphql;x', [JSON_TYPE], '{"id":"stored"}'],
    ['GET /v2?query=%23%26%0Amutation%7Ba%7D', [], ''],
    ['GET /v2?a=1;query=mutation%7Ba%7D', [], ''],
    ['POST /v2', ['Content-Type: text/plain'], 'mutation { a }'],
    ['POST /v2', ['Content-Type: image/png; x=application/json'], mutation],
    ['POST /v2', ['Content-Type: application/json; charset=utf-8; charset=utf-16'], mutation],
    [
      'POST /v2',
      [MULTIPART_TYPE],
      '--b\r\nContent-Disposition: form-data; name="oper\\ations"\r\n\r\n{"qu\\u0065ry":""}\r\n--b--',
    ],
  ])('by %s %j is none of a query', async (line, head, body) => {
    expect(await say([may({ methods: ['GET', 'POST'], paths: ['/**'] })], line, head, body)).toContain(
      'method_not_approved',
    )
    expect(seen).toEqual([])
  })

  test.each(['utf16le', 'utf16be', 'utf16le with a mark'])('in %s is seen', (encoding) => {
    const little = Buffer.from(encoding.includes('mark') ? `\ufeff${mutation}` : mutation, 'utf16le')
    const body = encoding === 'utf16be' ? Buffer.from(little).swap16() : little
    expect(operationOfRequest({ path: '/v2', contentType: 'application/json', body })).toBe('mutation')
  })

  test('is counted as one, whatever else was approved there', async () => {
    const run = await kit.run([
      may({ methods: ['POST'], requests: 5 }),
      may({ methods: ['POST'], requests: 1, graphql: 'mutation' }),
    ])
    const post = async (query: string) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ query })
      const answer = await ask(run.endpoint, `https://${at()}/v1`, { method: 'POST', headers, body })
      return answer.rule ?? answer.status
    }
    expect([await post('mutation { a }'), await post('mutation { b }')]).toEqual([200, 'requests_exceeded'])
    expect(await Promise.all([1, 2, 3, 4, 5, 6].map(() => post('{ a }')))).toEqual(
      expect.arrayContaining([200, 200, 200, 200, 200, 'requests_exceeded']),
    )
    expect(seen).toHaveLength(6)
  })
})

describe('a body that is looked into', () => {
  test('is sent whole where anything was approved, however long it is', async () => {
    const run = await kit.run([any()])
    const body = Buffer.alloc(17 * MIB, 'a')
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    expect((await ask(run.endpoint, `https://${at()}/up`, { method: 'POST', headers, body })).status).toBe(
      200,
    )
    expect(seen.map(({ bytes, sha: of }) => [bytes, of])).toEqual([[body.length, sha(body)]])
  })

  test('of an honest program passes, with one long text in it', async () => {
    const run = await kit.run([may({ methods: ['POST'] })])
    const body = JSON.stringify({ query: 'cats', image: 'A'.repeat(12 * MIB) })
    const headers = { 'content-type': 'application/json' }
    expect((await ask(run.endpoint, `https://${at()}/v1`, { method: 'POST', headers, body })).status).toBe(
      200,
    )
    expect(seen.map(({ bytes }) => bytes)).toEqual([body.length])
  })

  /** Each of these took minutes, or all of the memory, before it was read in one pass; the limit is a generous guard. */
  test.each<[string, string, string]>([
    ['escaped quotes', 'application/json', '\\"'],
    ['empty texts', 'application/json', '""'],
    ['names and marks', 'application/json', '{"_method":'],
    ['half escapes', 'application/json', '"\\u'],
    ['parameters', 'application/x-www-form-urlencoded', 'a&'],
    ['percent forms', 'application/x-www-form-urlencoded', '%6d='],
    ['methods', 'application/x-www-form-urlencoded', '_method=POST&'],
    ['parts', 'multipart/form-data; boundary=b', 'name=_method\n'],
    ['ends of parts', 'multipart/form-data; boundary=b', 'name=_method\r\n\r\n'],
    ['odd names', 'multipart/form-data; boundary=b', 'name="'],
  ])(
    'of a megabyte of %s costs little',
    async (_what, contentType, piece) => {
      const run = await kit.run([may({ methods: ['POST'] })])
      const body = `query"_method${piece.repeat((4 * MIB) / piece.length)}%`
      const headers = { 'content-type': contentType }
      const send = () => ask(run.endpoint, `https://${at()}/v1`, { method: 'POST', headers, body })
      expect(await cpuMsOf(send)).toBeLessThan(4_000)
    },
    patience(60_000),
  )
})

describe('what is derived', () => {
  const fact = (change: Partial<RequestFact>): RequestFact => ({
    line: 1,
    host: 'a.com',
    method: 'GET',
    path: '/a',
    websocket: false,
    graphql: null,
    hostFrom: null,
    methodFrom: null,
    pathFrom: null,
    ...change,
  })
  const derive = (
    entry: Parameters<typeof deriveNetwork>[0][number],
    requests: RequestFact[],
    readable = true,
  ) =>
    deriveNetwork(
      [entry],
      { language: 'javascript', readable, requests, dangers: [], secrets: [], imports: [] },
      { walled: true },
    )

  test('never takes back what was stated: methods of a program that cannot be read', () => {
    expect(derive({ host: 'a.com', methods: ['GET'] }, [], false)).toEqual([
      expect.objectContaining({ methods: ['GET'], paths: ['/**'], websocket: false }),
    ])
  })

  test('of an entry for WebSockets alone is that, and no host is lost', () => {
    const entry = { host: 'a.com', methods: [], websocket: true }
    expect(derive(entry, [fact({}), fact({ websocket: true, path: '/live' })])).toEqual([
      expect.objectContaining({ methods: [], paths: ['/live'], websocket: true }),
    ])
    expect(derive(entry, [])).toEqual([
      expect.objectContaining({ methods: [], paths: ['/**'], websocket: true }),
    ])
    expect(derive(entry, [], false)).toEqual([expect.objectContaining({ methods: [], websocket: true })])
  })

  test('for stated methods keeps what was seen of them', () => {
    const graphql = derive({ host: 'a.com', methods: ['POST'] }, [
      fact({ method: 'POST', path: '/graphql', graphql: 'mutation' }),
    ])
    expect(graphql).toEqual([
      expect.objectContaining({ methods: ['POST'], paths: ['/graphql'], graphql: 'mutation' }),
    ])
    const computed = derive({ host: 'a.com', methods: ['GET'] }, [
      fact({}),
      fact({ method: null, path: '/b' }),
    ])
    expect(computed.flatMap(({ paths }) => paths).sort()).toEqual(['/a', '/b'])
  })
})

describe('the line of what is sent', () => {
  test('puts what changes things before what only reads, over all hosts', () => {
    const paths = Array.from({ length: 6 }, (_, index) => `/${'r'.repeat(60)}${index}`)
    const line = describeNetwork([
      sampleCapability('a.com', { paths }),
      sampleCapability('a.com', { methods: ['POST'], paths: ['/log'] }),
      sampleCapability('b.com', { methods: ['POST'], paths: ['/transfers'] }),
    ])
    expect(line.indexOf('POST b.com/transfers')).toBeGreaterThan(-1)
    expect(line.indexOf('POST b.com/transfers')).toBeLessThan(line.indexOf('GET '))
  })
})
