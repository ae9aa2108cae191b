/** Answers that HTTP/1.1 lets through and HTTP/2 has rules of its own for, to code that speaks HTTP/2. */
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GATEWAY_CA } from '../../src/egress/index.ts'
import { connectThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createTestCa } from '../support/test-ca.ts'

const HOST = 'api.example.com'
const ca = createTestCa()

let kit: GatewayKit
let port: number
let said: string
let close: () => void
beforeEach(async () => {
  const sockets = new Set<TLSSocket>()
  const server = createTlsServer(ca.issue([HOST]), (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.end(said, 'latin1'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  kit = await createGatewayKit({ tls: { ca: ca.certificate } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  close()
})

async function openSession(): Promise<ClientHttp2Session> {
  const place = `${HOST}:${port}`
  const run = await kit.run([place], { KEY: { value: 'demo-value-4f9a2c7e81b35d60', hosts: [place] } })
  const socket = connectTls({
    socket: await connectThrough(run.endpoint, place),
    servername: HOST,
    ca: readFileSync(join(run.endpoint.directory, GATEWAY_CA)),
    ALPNProtocols: ['h2'],
  })
  const session = connect(`https://${place}`, { createConnection: () => socket })
  session.on('error', () => {})
  return session
}

async function answerTo(session: ClientHttp2Session, method: string) {
  const stream = session.request({ ':method': method, ':path': '/' })
  const got: { status?: number; trailers: IncomingHttpHeaders } = { trailers: {} }
  const fields: string[] = []
  stream.on('error', () => {})
  stream.on('response', (headers, _flags, rawHeaders: string[]) => {
    got.status = headers[':status'] as number
    fields.push(...rawHeaders)
  })
  stream.on('trailers', (trailers) => {
    got.trailers = trailers
  })
  stream.end()
  const body = await buffer(stream).catch(() => Buffer.from('broken off'))
  return { ...got, fields, body: body.toString() }
}

const OK = 'HTTP/1.1 200 OK\r\n'
const TWO = 'Content-Length: 2\r\n\r\nok'

describe('code that speaks HTTP/2 has the answer of a host that speaks HTTP/1.1', () => {
  test.each([
    ['with a status of its own', `HTTP/1.1 999 Request denied\r\n${TWO}`, 502, 'ok', []],
    ['with a status just beyond', `HTTP/1.1 600 x\r\n${TWO}`, 502, 'ok', []],
    ['with fields twice', `${OK}ETag: "a"\r\nETag: "b"\r\n${TWO}`, 200, 'ok', ['etag', '"a"', 'etag', '"b"']],
    [
      'with two types',
      `${OK}Content-Type: a/b\r\nContent-Type: c/d\r\n${TWO}`,
      200,
      'ok',
      ['content-type', 'a/b'],
    ],
    ['that is to have no content', `HTTP/1.1 205 x\r\n${TWO}`, 205, '', []],
    [
      'with fields of a connection',
      `${OK}HTTP2-Settings: x\r\nTE: gzip\r\n__proto__: x\r\n${TWO}`,
      200,
      'ok',
      [],
    ],
  ])('%s', async (_what, answer, status, body, fields) => {
    said = answer
    const session = await openSession()
    const got = await answerTo(session, 'GET')
    expect([got.status, got.body]).toEqual([status, body])
    expect(got.fields).toEqual(expect.arrayContaining(fields))
    expect(await answerTo(session, 'HEAD')).toMatchObject({ status, body: '' })
    session.close()
  })

  test('with trailers twice, which end no daemon', async () => {
    said = `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nETag: a\r\nETag: b\r\n\r\n`
    const session = await openSession()
    expect(await answerTo(session, 'GET')).toMatchObject({ status: 200, body: 'ok', trailers: { etag: 'a' } })
    session.close()
  })
})
