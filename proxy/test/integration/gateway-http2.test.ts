/** Hosts, and code, that speak HTTP/2 and nothing else; gRPC among them. */
import type { IncomingHttpHeaders } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, test, vi } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask, sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit } from '../support/gateway-kit.ts'
import { ca, HOST, SECRET, told, useHttp2Host } from '../support/http2-host-kit.ts'
import { createTestCa } from '../support/test-ca.ts'

const world = useHttp2Host()
const { runWith, place, openSession } = world

describe('a host that speaks HTTP/2 only', () => {
  test('is reached, with the value in its place, and its answer is searched', async () => {
    const seen: IncomingHttpHeaders[] = []
    world.handler = (stream, headers) => {
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
    expect(world.connections).toBe(1)
    await vi.waitFor(async () => expect(await run.events()).toHaveLength(2))
    expect((await run.events())[0]).toMatchObject({
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
    expect(world.connections).toBe(0)
  })

  test('gets a body, with and without a length', async () => {
    world.handler = (stream, headers) => {
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
    const run = await world.kit.run([at])
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
    const run = await world.kit.run([at])
    expect((await ask(run.endpoint, `https://${at}/`)).rule).toBe('tls_failed')
    server.close()
  })

  test('where there is no TLS', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
    })
    const at = await listening(server as never)
    const run = await world.kit.run([at])
    expect((await ask(run.endpoint, `https://${at}/`)).rule).toBe('tls_failed')
    server.close()
  })
})

describe('code that speaks HTTP/2 only', () => {
  test.each([
    [{ ':authority': 'other.example.com' }, 'host_mismatch'],
    [{ host: 'other.example.com' }, 'host_mismatch'],
    [{ authorization: 'PLACEHOLDER', referer: 'PLACEHOLDER' }, 'secret_not_for_surface'],
  ])('is evaluated as any other: %j', async (headers, rule) => {
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
    expect(world.connections).toBe(0)
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
