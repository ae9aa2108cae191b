/** Hosts whose answers no HTTP client should read: what the code is told of them. */
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { createServer, type Server } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createTestCa } from '../support/test-ca.ts'

const HOST = 'api.example.com'
const ca = createTestCa()

let kit: GatewayKit
let server: Server
let answer: string
beforeEach(async () => {
  server = createServer(ca.issue([HOST]), (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.from(answer, 'latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  kit = await createGatewayKit({ tls: { ca: ca.certificate } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await new Promise((resolve) => server.close(resolve))
})

const portOf = (of: { address(): AddressInfo | string | null }): number => (of.address() as AddressInfo).port

test.each([
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello'],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a folded line', 'HTTP/1.1 200 OK\r\nx-a: one\r\n two\r\ncontent-length: 5\r\n\r\nhello'],
  ['a blank in a name', 'HTTP/1.1 200 OK\r\nx a: 1\r\ncontent-length: 5\r\n\r\nhello'],
  ['line feeds alone', 'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello'],
  ['another protocol', 'ICY 200 OK\r\ncontent-length: 5\r\n\r\nhello'],
  [
    'a 100 that nobody asked for',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
  ],
  ['a head that is too large', `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(200_000)}\r\n\r\n`],
])('an answer with %s is told as malformed, and its host not as out of reach', async (_name, bytes) => {
  answer = bytes
  const place = `${HOST}:${portOf(server)}`
  const run = await kit.run([place])
  const got = await ask(run.endpoint, `https://${place}/`)
  expect([got.status, got.rule]).toEqual([502, 'answer_malformed'])
  expect(got.body).not.toContain('hello')
})

test('a host that nobody answers for stays out of reach', async () => {
  const gone = createTcpServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const place = `${HOST}:${portOf(gone)}`
  await new Promise((resolve) => gone.close(resolve))
  const run = await kit.run([place])
  expect((await ask(run.endpoint, `https://${place}/`)).rule).toBe('unreachable')
})
