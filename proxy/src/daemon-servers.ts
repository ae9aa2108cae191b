import { chmodSync, rmSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import { isWebSocketUpgrade } from './surfaces/http/index.ts'

const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 65_000
/** For a whole request of the agent API; bodies for a provider may take longer, as long as they come. */
const REQUEST_TIMEOUT_MS = 30_000

/** What answers paths of its own in front of the app, without a framework: bodies and sockets are its own to pace. */
export interface FrontSurface {
  /** Whether a request target is its to answer. */
  takes(url: string): boolean
  request(request: IncomingMessage, response: ServerResponse): void
  /** A WebSocket's opening (RFC 6455, 4.1); the socket is its own from here on. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void
}

/**
 * One port for agents. Each target belongs to the first front that takes it, else to the app; here alone a connection is upgraded, and
 * only for the front that its target belongs to.
 */
export function createAgentServer(app: RequestListener, ...fronts: readonly FrontSurface[]): Server {
  const frontOf = ({ url = '' }: IncomingMessage): FrontSurface | undefined =>
    fronts.find((front) => front.takes(url))
  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      shouldUpgradeCallback: (request) => isWebSocketUpgrade(request) && frontOf(request) !== undefined,
    },
    (request, response) => {
      const front = frontOf(request)
      if (front !== undefined) return front.request(request, response)
      const late = setTimeout(() => {
        if (!request.complete) request.destroy()
      }, REQUEST_TIMEOUT_MS).unref()
      response.once('close', () => clearTimeout(late))
      app(request, response)
    },
  )
  server.on('upgrade', (request, socket, head) => {
    const front = frontOf(request)
    if (front === undefined) socket.destroy()
    else front.upgrade(request, socket as Socket, head)
  })
  return server
}

export function listenTcp(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      const actual = typeof address === 'object' && address ? address.port : port
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`)
    })
  })
}

/**
 * The owner's alone from its first moment: the mask is set while the socket is made. Whoever holds the database's
 * lock may take the place of a socket that a crashed daemon left.
 */
export function listenSocket(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    rmSync(path, { force: true })
    const mask = process.umask(0o177)
    server.listen(path, () => {
      server.off('error', reject)
      chmodSync(path, 0o600)
      resolve()
    })
    process.umask(mask)
  })
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 1_000).unref()
  })
}
