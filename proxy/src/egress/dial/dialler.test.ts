import { connect, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTlsUpstream } from '../../../test/support/tls-upstream.ts'
import { createDialler, DialRefused } from './dialler.ts'

let server: Server
let port: number
beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => {}).end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve))
  port = (server.address() as { port: number }).port
})
afterEach(() => void server.close())

const signal = new AbortController().signal
const loopback = (address: string): boolean => address.startsWith('127.')

test('an address that does not answer is followed by the next one', async () => {
  const dialler = createDialler({
    resolve: async () => ['127.0.0.3', '127.0.0.2'],
    isAllowedAddress: loopback,
  })
  const socket = await dialler.dial({ host: 'two.example', port }, signal)
  expect(socket.remoteAddress).toBe('127.0.0.2')
  socket.destroy()
})

test('a handshake has the time of the whole, not that of one address of several', async () => {
  await using upstream = await startTlsUpstream(['slow.example'], (_request, response) => response.end())
  const slow = createServer((socket) => {
    socket.on('error', () => {})
    setTimeout(() => {
      const behind = connect(upstream.port, '127.0.0.1')
      behind.on('error', () => socket.destroy())
      socket.pipe(behind).pipe(socket)
    }, 200)
  })
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.2', resolve))
  const target = { host: 'slow.example', port: (slow.address() as { port: number }).port }
  const dialler = createDialler({
    resolve: async () => ['127.0.0.3', '127.0.0.2'],
    isAllowedAddress: loopback,
    tls: { ca: upstream.ca },
    nextAddressMs: 20,
  })
  const socket = await dialler.dialTls(target, signal)
  expect(socket.authorized).toBe(true)
  socket.destroy()
  await expect(dialler.dialTls(target, AbortSignal.timeout(50))).rejects.toThrow('timeout')
  slow.close()
})

test('one address that is not allowed refuses all, and nobody is dialled', async () => {
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  const dialler = createDialler({
    resolve: async () => ['127.0.0.2', '127.0.0.3'],
    isAllowedAddress: (address) => address === '127.0.0.2',
  })
  await expect(dialler.dial({ host: 'two.example', port }, signal)).rejects.toBeInstanceOf(DialRefused)
  expect(connections).toBe(0)
})

test('a literal is checked without a resolver, and loopback is refused by default', async () => {
  const dialler = createDialler({ resolve: () => Promise.reject(new Error('must not be asked')) })
  for (const host of ['127.0.0.2', '::1', '::ffff:127.0.0.2']) {
    await expect(dialler.dial({ host, port }, signal)).rejects.toBeInstanceOf(DialRefused)
  }
})

test("the system's resolver is asked by default, and what it finds is checked", async () => {
  await expect(createDialler().dial({ host: 'localhost', port }, signal)).rejects.toBeInstanceOf(DialRefused)
})

test('a caller that gave up is not dialled for', async () => {
  const dialler = createDialler({ resolve: async () => ['127.0.0.2'], isAllowedAddress: loopback })
  const leave = new AbortController()
  leave.abort(new Error('gone'))
  await expect(dialler.dial({ host: 'a.example', port }, leave.signal)).rejects.toThrow('gone')
})

test("a port that plays the target's is connected to in its place", async () => {
  const dialler = createDialler({
    resolve: async () => ['127.0.0.2'],
    isAllowedAddress: loopback,
    portOf: (target) => (target.port === 443 ? port : target.port),
  })
  const socket = await dialler.dial({ host: 'a.example', port: 443 }, signal)
  expect(socket.remotePort).toBe(port)
  socket.destroy()
})
