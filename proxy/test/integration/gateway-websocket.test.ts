import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { readUntil, ruleIn, sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createTestCa } from '../support/test-ca.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'ws.example.com'

let server: Server
let kit: GatewayKit
let sockets: Socket[]
let handshakes: Record<string, string | string[] | undefined>[]
let onMessage: (socket: Socket, payload: string) => void
beforeEach(async () => {
  sockets = []
  handshakes = []
  onMessage = (socket, payload) => void socket.write(frame(payload))
  const ca = createTestCa()
  server = createServer(ca.issue([HOST]), (_request, response) =>
    response.writeHead(404).end('no websocket here'),
  )
  server.on('upgrade', (request, socket: Socket) => {
    sockets.push(socket)
    handshakes.push(request.headers)
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.on('error', () => {})
    socket.on('data', (chunk) => onMessage(socket, unmasked(chunk)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  kit = await createGatewayKit({ tls: { ca: ca.certificate } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  for (const socket of sockets) socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const place = (): string => `${HOST}:${(server.address() as AddressInfo).port}`
const hello = (more = ''): string =>
  `GET /chat HTTP/1.1\r\nHost: ${place()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n${more}\r\n`

/** A short text frame of a server. */
const frame = (payload: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, Buffer.byteLength(payload)]), Buffer.from(payload)])

/** A short text frame of a client, masked as it must be. */
function masked(payload: string): Buffer {
  const mask = Buffer.from([1, 2, 3, 4])
  const body = Buffer.from(payload).map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length]), mask, body])
}

const unmasked = (chunk: Buffer): string =>
  Buffer.from(chunk.subarray(6).map((byte, index) => byte ^ (chunk[2 + (index % 4)] ?? 0))).toString()

test('a WebSocket passes, its handshake carries the value, and an echo comes back without it', async () => {
  const run = await kit.run([place()], { API_KEY: { value: SECRET, hosts: [place()] } })
  const socket = await tlsThrough(run.endpoint, place())
  socket.write(hello(`Authorization: Bearer ${placeholderOf(run.policy, 'API_KEY')}\r\n`))
  const head = await readUntil(socket, '\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1.1 101 /)
  expect(head.toLowerCase()).toContain('upgrade: websocket')
  expect(handshakes[0]?.authorization).toBe(`Bearer ${SECRET}`)
  expect(handshakes[0]?.['sec-websocket-extensions']).toBeUndefined()
  socket.write(masked('ping'))
  expect(await readUntil(socket, 'ping')).toBe(frame('ping').toString('latin1'))
  onMessage = (there) => void there.write(frame(`it is ${SECRET}`))
  socket.write(masked('tell'))
  expect(await readUntil(socket, ']')).toContain('it is [secret:API_KEY]')
  const gone = once(sockets[0] as Socket, 'close')
  socket.destroy()
  await gone
  await run.endpoint.close()
  expect(await run.events()).toMatchObject([
    { event: 'egress.request', data: { method: 'GET', path: '/chat', status: 101, secrets: ['API_KEY'] } },
  ])
})

test('without a secret to look for, bytes pass as they are, and both ends end together', async () => {
  const run = await kit.run([place()])
  const socket = await tlsThrough(run.endpoint, place())
  socket.write(hello())
  await readUntil(socket, '\r\n\r\n')
  socket.write(masked('ping'))
  expect(await readUntil(socket, 'ping')).toBe(frame('ping').toString('latin1'))
  const closed = once(socket.resume(), 'close')
  sockets[0]?.destroy()
  await closed
})

test('what is no frame ends the connection instead of passing unread', async () => {
  onMessage = (there) => void there.write(`\xff\xff\xff\xff${SECRET}`, 'latin1')
  const run = await kit.run([place()], { API_KEY: { value: SECRET, hosts: [place()] } })
  const socket = await tlsThrough(run.endpoint, place())
  socket.write(hello())
  await readUntil(socket, '\r\n\r\n')
  let said = ''
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1')
  })
  socket.write(masked('tell'))
  await once(socket, 'close')
  expect(said).not.toContain(SECRET)
})

test('a host that was not approved, and one that knows no WebSockets, answer the handshake', async () => {
  const run = await kit.run([`elsewhere.example`])
  const refused = await tlsThrough(run.endpoint, place())
  expect(ruleIn(await sayRaw(refused, hello()))).toBe('host_not_approved')
  server.removeAllListeners('upgrade')
  const approved = await kit.run([place()])
  const answered = await sayRaw(await tlsThrough(approved.endpoint, place()), hello())
  expect(answered).toMatch(/^HTTP\/1.1 404 /)
  expect(answered).toContain('no websocket here')
})

test('another upgrade is answered as a plain request', async () => {
  const run = await kit.run([place()])
  const said = await sayRaw(
    await tlsThrough(run.endpoint, place()),
    `GET / HTTP/1.1\r\nHost: ${place()}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n`,
  )
  expect(said).toMatch(/^HTTP\/1.1 404 /)
  expect(handshakes).toEqual([])
})

test('the end of the run ends a WebSocket at both ends', async () => {
  const run = await kit.run([place()])
  const socket = await tlsThrough(run.endpoint, place())
  socket.write(hello())
  await readUntil(socket, '\r\n\r\n')
  const closed = Promise.all([once(socket.resume(), 'close'), once(sockets[0] as Socket, 'close')])
  await run.endpoint.close()
  await closed
})
