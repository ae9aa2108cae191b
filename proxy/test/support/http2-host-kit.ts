import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect } from 'vitest'
import { GATEWAY_CA } from '../../src/egress/index.ts'
import { connectThrough } from './gateway-client.ts'
import { createGatewayKit, type GatewayKit } from './gateway-kit.ts'
import { createTestCa } from './test-ca.ts'

export const SECRET = 'demo-value-4f9a2c7e81b35d60'
export const HOST = 'api.example.com'

export type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

export const ca = createTestCa()

export type Run = Awaited<ReturnType<GatewayKit['run']>>

interface Told {
  readonly headers: IncomingHttpHeaders & { ':status'?: number }
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders
}

export async function told(stream: ClientHttp2Stream): Promise<Told> {
  let headers: IncomingHttpHeaders = {}
  let trailers: IncomingHttpHeaders = {}
  // It may be sending still when its answer is out and the test over.
  stream.on('error', () => {})
  stream.on('response', (received) => {
    headers = received
  })
  stream.on('trailers', (received) => {
    trailers = received
  })
  const body = await buffer(stream)
  return { headers, body, trailers }
}

/** Before each test: a gateway, and a host behind it that speaks HTTP/2 only and answers as the test says. */
export function useHttp2Host() {
  let kit: GatewayKit
  let port: number
  let handler: Handler
  let connections: number
  let close: () => void
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

  return {
    get handler() {
      return handler
    },
    set handler(to) {
      handler = to
    },
    get connections() {
      return connections
    },
    get kit() {
      return kit
    },
    runWith,
    place,
    openSession,
  }
}
