/** Hosts, and code, that speak HTTP/2 and nothing else; gRPC among them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { GATEWAY_CA } from '../../src/domain/egress/index.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask, connectThrough, sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createTestCa } from '../support/test-ca.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

let kit: GatewayKit
let port: number
let handler: Handler
let connections: number
let close: () => void
const ca = createTestCa()
beforeEach(async () => {
  connections = 0
  handler = (stream) => {
    stream.respond({ ':status': 200 })
    stream.end('hello over two')
  }
  const server = createSecureServer(ca.issue([HOST]))
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => {
    connections += 1
    sessions.add(session)
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    handler(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  close = () => {
    for (const session of sessions) session.destroy()
    server.close()
  }
  kit = await createGatewayKit({ tls: { ca: ca.certificate } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  close()
})

const place = (): string => `${HOST}:${port}`
const runWith = () => kit.run([place()], { KEY: { value: SECRET, hosts: [place()] } })
type Run = Awaited<ReturnType<typeof runWith>>

describe('a host that speaks HTTP/2 only', () => {
  test('is reached, with the value in its place, and its answer is searched', async () => {
    const seen: IncomingHttpHeaders[] = []
    handler = (stream, headers) => {
      seen.push(headers)
      stream.respond({ ':status': 201, 'x-echo': headers.authorization, 'set-cookie': ['a=1', 'b=2'] })
      stream.end(`you sent ${headers.authorization}`)
    }
    const run = await runWith()
    const authorization = `Bearer ${placeholderOf(run.policy, 'KEY')}`
    for (let time = 0; time < 2; time += 1) {
      const got = await ask(run.endpoint, `https://${place()}/v1?a=b`, { headers: { authorization } })
      expect([got.status, got.body]).toEqual([201, 'you sent Bearer [secret:KEY]'])
      expect(got.headers['x-echo']).toBe('Bearer [secret:KEY]')
      expect(got.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    }
    expect(seen[0]).toMatchObject({
      ':path': '/v1?a=b',
      ':authority': place(),
      authorization: `Bearer ${SECRET}`,
    })
    expect(connections).toBe(1)
    await vi.waitFor(() => expect(run.events()).toHaveLength(2))
    expect(run.events()[0]).toMatchObject({
      event: 'egress.request',
      data: { status: 201, secrets: ['KEY'] },
    })
  })

  test('is refused for that, and not connected to again, where the owner has turned it off', async () => {
    await using off = await createGatewayKit({ tls: { ca: ca.certificate } }, { http2ToHosts: false })
    const run = await off.run([place()])
    for (const headers of [{}, { 'content-type': 'application/grpc', te: 'trailers' }]) {
      const got = await ask(run.endpoint, `https://${place()}/`, { headers })
      expect([got.status, got.headers['x-oauth3-refused']]).toEqual([502, 'protocol_not_supported'])
      expect(got.body).toContain('OAUTH3_HTTP2')
    }
    expect(connections).toBe(0)
  })

  test('gets a body, with and without a length', async () => {
    handler = (stream, headers) => {
      buffer(stream).then((body) => {
        stream.respond({ ':status': 200 })
        stream.end(`${headers['content-length']} ${body.length}`)
      })
    }
    const run = await runWith()
    const body = Buffer.alloc(300_000, 'a')
    const url = `https://${place()}/`
    const told = await ask(run.endpoint, url, {
      method: 'POST',
      body,
      headers: { 'content-length': '300000' },
    })
    expect(told.body).toBe('300000 300000')
    const chunked = { 'transfer-encoding': 'chunked' }
    expect((await ask(run.endpoint, url, { method: 'POST', body, headers: chunked })).body).toBe(
      'undefined 300000',
    )
  })

  test('opens no WebSocket, and that is what is said', async () => {
    const run = await runWith()
    const socket = await tlsThrough(run.endpoint, place())
    const told = await sayRaw(
      socket,
      `GET / HTTP/1.1\r\nHost: ${place()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    expect(told).toMatch(/^HTTP\/1\.1 502 protocol_not_supported/)
  })

  test('whose certificate does not hold is refused for that', async () => {
    await using own = await createGatewayKit({ tls: { ca: createTestCa().certificate } })
    const run = await own.run([place()])
    expect((await ask(run.endpoint, `https://${place()}/`)).rule).toBe('tls_not_verified')
  })
})

describe('a handshake that fails has its own reason', () => {
  const listening = async (server: {
    listen(...args: unknown[]): unknown
    address(): unknown
  }): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `${HOST}:${(server.address() as AddressInfo).port}`
  }

  test('where none of the protocols is spoken', async () => {
    const server = createTlsServer({ ...ca.issue([HOST]), ALPNProtocols: ['acme-tls/1'] })
    server.on('tlsClientError', () => {})
    const at = await listening(server as never)
    const run = await kit.run([at])
    expect((await ask(run.endpoint, `https://${at}/`)).rule).toBe('protocol_not_supported')
    server.close()
  })

  test('where TLS is too old', async () => {
    const server = createTlsServer({
      ...ca.issue([HOST]),
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    })
    server.on('tlsClientError', () => {})
    const at = await listening(server as never)
    const run = await kit.run([at])
    expect((await ask(run.endpoint, `https://${at}/`)).rule).toBe('tls_failed')
    server.close()
  })

  test('where there is no TLS', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    })
    const at = await listening(server as never)
    const run = await kit.run([at])
    expect((await ask(run.endpoint, `https://${at}/`)).rule).toBe('tls_failed')
    server.close()
  })
})

/** A client that offers HTTP/2 alone, as those of gRPC do. */
async function openSession(run: Run, authority = place()): Promise<ClientHttp2Session> {
  const tunnel = await connectThrough(run.endpoint, authority)
  const socket: TLSSocket = connectTls({
    socket: tunnel,
    servername: authority.replace(/:\d+$/, ''),
    ca: readFileSync(join(run.endpoint.directory, GATEWAY_CA)),
    ALPNProtocols: ['h2'],
  })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  expect(socket.alpnProtocol).toBe('h2')
  const session = connect(`https://${authority}`, { createConnection: () => socket })
  return session.on('error', () => {})
}

interface Told {
  readonly headers: IncomingHttpHeaders & { ':status'?: number }
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders
}

async function told(stream: ClientHttp2Stream): Promise<Told> {
  let headers: IncomingHttpHeaders = {}
  let trailers: IncomingHttpHeaders = {}
  // It may be sending still when its answer is out and the test over.
  stream.on('error', () => {})
  stream.on('response', (came) => {
    headers = came
  })
  stream.on('trailers', (came) => {
    trailers = came
  })
  const body = await buffer(stream)
  return { headers, body, trailers }
}

const message = (text: string): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([head, Buffer.from(text)])
}
const call = (run: Run, path: string): OutgoingHttpHeaders => ({
  ':method': 'POST',
  ':path': path,
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-accept-encoding': 'identity,deflate,gzip',
  authorization: `Bearer ${placeholderOf(run.policy, 'KEY')}`,
})
const answering =
  (
    messages: (headers: IncomingHttpHeaders, sent: Buffer) => Buffer[],
    trailers: OutgoingHttpHeaders,
  ): Handler =>
  (stream, headers) => {
    buffer(stream).then((sent) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers(trailers))
      for (const one of messages(headers, sent)) stream.write(one)
      stream.end()
    })
  }

describe('gRPC', () => {
  test('calls a method: metadata with the value, messages and trailers', async () => {
    const seen: IncomingHttpHeaders[] = []
    handler = answering(
      (headers, sent) => {
        seen.push(headers)
        return [sent, message('second')]
      },
      { 'grpc-status': '0', 'grpc-message': 'fine' },
    )
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    stream.end(message('first'))
    const got = await told(stream)
    expect(got.headers[':status']).toBe(200)
    expect(got.body).toEqual(Buffer.concat([message('first'), message('second')]))
    expect(got.trailers).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'fine' })
    expect(seen[0]).toMatchObject({ authorization: `Bearer ${SECRET}`, te: 'trailers' })
    expect(seen[0]?.['grpc-accept-encoding']).toBeUndefined()
    session.close()
    await vi.waitFor(() => expect(run.events()).toHaveLength(1))
    expect(run.events()[0]?.data).toMatchObject({ method: 'POST', path: '/pkg.Service/Method', status: 200 })
  })

  test('streams both ways at once', async () => {
    handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.on('data', (chunk: Buffer) => stream.write(chunk))
      stream.once('end', () => stream.end())
    }
    // Not everything was approved, so that bodies could be looked into: of gRPC none is.
    const run = await kit.run(
      [
        {
          host: place(),
          methods: ['POST'],
          paths: ['/pkg.Service/*'],
          requests: 10,
          websocket: false,
          graphql: 'query',
        },
      ],
      { KEY: { value: SECRET, hosts: [place()] } },
    )
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Chat'))
    let came = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      came = Buffer.concat([came, chunk])
    })
    await once(stream, 'response')
    for (const text of ['one', 'two', 'three']) {
      stream.write(message(text))
      await vi.waitFor(() => expect(came).toEqual(message(text)))
      came = Buffer.alloc(0)
    }
    const trailers = once(stream, 'trailers')
    stream.end()
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' })
    session.close()
  })

  test('brings no secret back: not in messages, which keep their lengths, nor in trailers', async () => {
    handler = answering(({ authorization }) => [message(`you sent ${authorization}`), message('next')], {
      'grpc-status': '16',
      'grpc-message': `bad key ${SECRET}`,
      'x-detail-bin': Buffer.from(SECRET).toString('base64'),
    })
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    stream.end(message(''))
    const { body, trailers } = await told(stream)
    const masked = '[secret:KEY]'.padEnd(SECRET.length, '*')
    expect(body).toEqual(Buffer.concat([message(`you sent Bearer ${masked}`), message('next')]))
    expect(trailers).toMatchObject({ 'grpc-status': '16', 'grpc-message': 'bad key [secret:KEY]' })
    expect(trailers['x-detail-bin']).toBe('[secret:KEY]')
    session.close()
  })

  test('has an error that is all of an answer as its host said it, in one HEADERS', async () => {
    handler = (stream) => {
      stream.resume()
      const status = { 'grpc-status': '7', 'grpc-message': 'no way' }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true })
    }
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    const answer = once(stream, 'response')
    stream.end(message(''))
    const [headers, flags] = (await answer) as [IncomingHttpHeaders, number]
    expect(headers).toMatchObject({ 'grpc-status': '7', 'grpc-message': 'no way' })
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0)
    session.close()
  })

  test('is not given in messages that are packed one by one', async () => {
    handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' })
      stream.end(message('x'))
    }
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    stream.end(message(''))
    const { headers } = await told(stream)
    expect(headers['x-oauth3-refused']).toBe('answer_unreadable')
    session.close()
  })

  test('is refused in the words of the gateway where it was not approved', async () => {
    const run = await kit.run([
      { host: place(), methods: ['GET'], paths: ['/**'], requests: 10, websocket: false, graphql: 'query' },
    ])
    const session = await openSession(run as Run)
    const stream = session.request({ ':method': 'POST', ':path': '/pkg.Service/Method' })
    stream.end('x')
    const { headers, body } = await told(stream)
    expect([headers[':status'], headers['x-oauth3-refused']]).toEqual([403, 'method_not_approved'])
    expect(JSON.parse(body.toString()).error.rule).toBe('method_not_approved')
    session.close()
  })

  test('ends upstream when the code leaves', async () => {
    const left = Promise.withResolvers<void>()
    handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(message('on and on'))
      stream.once('close', () => left.resolve())
    }
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Watch'))
    stream.on('error', () => {})
    await once(stream, 'data')
    stream.close(8)
    await left.promise
    session.close()
  })
})

describe('code that speaks HTTP/2 only', () => {
  test.each([
    [{ ':authority': 'other.example.com' }, 'host_mismatch'],
    [{ host: 'other.example.com' }, 'host_mismatch'],
    [{ authorization: 'PLACEHOLDER', referer: 'PLACEHOLDER' }, 'secret_not_for_surface'],
  ])('is judged as any other: %j', async (headers, rule) => {
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(
      JSON.parse(
        JSON.stringify({ ':path': '/', ...headers }).replaceAll(
          'PLACEHOLDER',
          placeholderOf(run.policy, 'KEY'),
        ),
      ),
    )
    const got = await told(stream.end())
    expect(got.headers['x-oauth3-refused']).toBe(rule)
    expect(connections).toBe(0)
    session.close()
  })

  test('reaches a host of HTTP/1.1, too, and has an early answer whole', async () => {
    const { startTlsUpstream } = await import('../support/tls-upstream.ts')
    const SAID = 'too large '.repeat(2_000)
    await using one = await startTlsUpstream([HOST], (_request, response) => {
      response.writeHead(413, { connection: 'close' }).end(SAID)
    })
    await using own = await createGatewayKit({ tls: { ca: one.ca } })
    const at = `${HOST}:${one.port}`
    const run = await own.run([at], { KEY: { value: SECRET, hosts: [at] } })
    const session = await openSession(run, at)
    const stream = session.request({ ':method': 'POST', ':path': '/upload' })
    const sent = Buffer.alloc(4 * 1_048_576, 'a')
    stream.end(sent)
    const { headers, body } = await told(stream)
    expect([headers[':status'], body.toString()]).toEqual([413, SAID])
    session.close()
  })
})
