/** CONNECT as clients use it: for plain HTTP as well, and with nothing but the status line to read when it is refused. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EGRESS_RULES, type EgressRule } from '../../src/egress/index.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import {
  connectThrough,
  openSocket,
  readUntil,
  ruleIn,
  sayRaw,
  tlsThrough,
} from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'

describe('CONNECT to port 80 with plain HTTP inside', () => {
  let kit: GatewayKit
  let seen: IncomingMessage[]
  let server: ReturnType<typeof createServer>
  beforeEach(async () => {
    seen = []
    server = createServer((request, response) => {
      seen.push(request)
      response.end('plain hello')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    kit = await createGatewayKit({ portOf: () => port })
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    server.closeAllConnections()
    server.close()
  })

  test.each([HOST, `${HOST}:80`])('is HTTP to that host, said as %s', async (said) => {
    const run = await kit.run([`http://${HOST}`], { KEY: { value: SECRET, hosts: [`http://${HOST}`] } })
    const socket = await openSocket(run.endpoint)
    socket.write(`CONNECT ${HOST}:80 HTTP/1.1\r\nHost: ${said}\r\n\r\n`)
    expect(await readUntil(socket, '\r\n\r\n')).toContain(' 200 ')
    socket.write(
      `GET /v1?a=b HTTP/1.1\r\nHost: ${said}\r\nAuthorization: Bearer ${placeholderOf(run.policy, 'KEY')}\r\n\r\n`,
    )
    expect(await readUntil(socket, 'plain hello')).toContain('HTTP/1.1 200')
    socket.destroy()
    expect(seen[0]?.headers).toMatchObject({ host: HOST, authorization: `Bearer ${SECRET}` })
    expect(seen[0]?.url).toBe('/v1?a=b')
  })

  test('takes the whole URL in a request line, where it names the same host', async () => {
    const run = await kit.run([`http://${HOST}`, 'http://other.example.com'])
    const socket = await connectThrough(run.endpoint, `${HOST}:80`)
    socket.write(`GET http://${HOST}/v1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    expect(await readUntil(socket, 'plain hello')).toContain('HTTP/1.1 200')
    const other = 'GET http://other.example.com/ HTTP/1.1\r\nHost: other.example.com\r\n\r\n'
    expect(ruleIn(await sayRaw(socket, other.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')))).toBe(
      'bad_request',
    )
    expect(seen.map(({ url }) => url)).toEqual(['/v1'])
  })

  test('opens a WebSocket', async () => {
    server.on('upgrade', (_request, socket: Socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    })
    const run = await kit.run([`http://${HOST}`])
    const socket = await connectThrough(run.endpoint, `${HOST}:80`)
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    expect(await readUntil(socket, '\r\n\r\n')).toContain('HTTP/1.1 101')
    socket.destroy()
  })

  test('is refused in the tunnel where only https was approved', async () => {
    const run = await kit.run([HOST])
    const socket = await connectThrough(run.endpoint, `${HOST}:80`)
    expect(ruleIn(await sayRaw(socket, `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`))).toBe(
      'plain_http_not_approved',
    )
  })
})

describe('a CONNECT that is refused', () => {
  let kit: GatewayKit
  beforeEach(async () => {
    kit = await createGatewayKit()
  })
  afterEach(() => kit[Symbol.asyncDispose]())

  test.each([
    ['host_mismatch', `CONNECT ${HOST}:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n`],
    ['bad_request', `CONNECT ${HOST} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    ['bad_request', `CONNECT ${'\u00e4'.repeat(300)}:443 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    ['bad_request', `CONNECT ${HOST}:443 HTTP/1.1\r\nHost : ${HOST}\r\n\r\n`],
  ])('says %s in the status line, in few and harmless characters', async (rule, head) => {
    const run = await kit.run([HOST])
    const [line = ''] = (await sayRaw(await openSocket(run.endpoint), head)).split('\r\n', 1)
    expect(line).toMatch(/^HTTP\/1\.1 4\d\d [\x20-\x7e]{10,200}$/)
    expect(line).toContain(` ${rule}: ${EGRESS_RULES[rule as EgressRule].slice(0, 60)}`)
  })

  test('after the end of its run says so, too', async () => {
    const run = await kit.run([HOST])
    await run.events()
    const socket = await openSocket(run.endpoint)
    const told = await sayRaw(socket, `CONNECT ${HOST}:443 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    expect(told.split('\r\n', 1)).toEqual([`HTTP/1.1 403 no_run: ${EGRESS_RULES.no_run}`])
  })

  test('and a request refused in a tunnel says its rule there', async () => {
    const run = await kit.run([HOST])
    const socket = await tlsThrough(run.endpoint, 'other.example.com:443')
    const told = await sayRaw(
      socket,
      'GET / HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n',
    )
    expect(told.split('\r\n', 1)).toEqual([
      `HTTP/1.1 403 host_not_approved: ${EGRESS_RULES.host_not_approved}`,
    ])
  })
})
