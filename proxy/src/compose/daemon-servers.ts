import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { type Http1Connections, type ServerOptions, serveHttp1 } from '../http/http1/index.ts'
import { hasOwnPace, isWebSocketUpgrade } from '../http/index.ts'
import type { LlmRequest, LlmResponse } from '../llm/proxy/index.ts'

const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 65_000
/** For a whole request; files, and bodies for a provider, may take longer, as long as they come. */
const REQUEST_TIMEOUT_MS = 30_000
/**
 * Connections that the system holds until the event loop accepts them (listen(2)); it may allow fewer (`net.core.somaxconn`, 4096
 * since Linux 5.4). With Node's 511 a burst of one agent makes the system drop what others open meanwhile.
 */
const LISTEN_BACKLOG = 4_096

/** For a client to take in why its connection ends. */
const LINGER_MS = 2_000
/** Of clients whose requests are read without node:http. */
const MAX_CONNECTIONS = 4_096

/** What answers paths of its own in front of the app, without a framework: bodies and sockets are its own to pace. */
export interface FrontSurface {
  /** Whether a request is its to answer. */
  takes(url: string, rawHeaders: readonly string[]): boolean
  request(request: LlmRequest, response: LlmResponse): void
  /** A WebSocket's opening (RFC 6455, 4.1); the socket is its own from here on. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void
  /** Answers what is for it and cannot be read, and ends the socket. */
  unreadable(socket: Socket, problem: string, status: number): void
}

/** What takes WebSockets of paths of its own. */
export type UpgradeSurface = Pick<FrontSurface, 'takes' | 'upgrade'>

/** Each path is the first one's that takes it. */
export const joinUpgrades = (...surfaces: readonly UpgradeSurface[]): UpgradeSurface => ({
  takes: (url, rawHeaders) => surfaces.some((surface) => surface.takes(url, rawHeaders)),
  upgrade(request, socket, head) {
    surfaces
      .find((surface) => surface.takes(request.url ?? '', request.rawHeaders))
      ?.upgrade(request, socket, head)
  },
})

/** A server at which nothing but these is upgraded. */
export function createUpgradingServer(app: RequestListener, sockets: UpgradeSurface): Server {
  const server = createServer(
    {
      shouldUpgradeCallback: (request) =>
        isWebSocketUpgrade(request) && sockets.takes(request.url ?? '', request.rawHeaders),
    },
    app,
  )
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket as Socket, head))
  return server
}

export interface AgentServer {
  readonly server: Server
  close(): Promise<void>
}

/**
 * One port for agents. Each target belongs to the front if that takes it, else to the app; here alone a connection is upgraded, and
 * only for the front and for `sockets`. With the own transport the front's requests are read by the daemon's own reader of HTTP/1.1.
 */
export function createAgentServer(
  app: RequestListener,
  front: FrontSurface,
  transport: 'own' | 'node',
  sockets?: UpgradeSurface,
): AgentServer {
  const isFronts = ({ url = '', rawHeaders }: IncomingMessage): boolean => front.takes(url, rawHeaders)
  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      shouldUpgradeCallback: (request) =>
        isWebSocketUpgrade(request) &&
        (isFronts(request) || sockets?.takes(request.url ?? '', request.rawHeaders) === true),
    },
    (request, response) => {
      if (isFronts(request)) return front.request(request, response)
      const requestTimer = setTimeout(() => {
        if (!request.complete && !hasOwnPace(request)) request.destroy()
      }, REQUEST_TIMEOUT_MS).unref()
      response.once('close', () => clearTimeout(requestTimer))
      app(request, response)
    },
  )
  server.on('upgrade', (request, socket, head) => {
    if (isFronts(request)) front.upgrade(request, socket as Socket, head)
    else if (sockets?.takes(request.url ?? '', request.rawHeaders))
      sockets.upgrade(request, socket as Socket, head)
    else socket.destroy()
  })
  const own = transport === 'own' ? serveHttp1(server, ownOptions(front)) : undefined
  return { server, close: () => closeServer(server, own) }
}

const ownOptions = (front: FrontSurface): ServerOptions => ({
  takes: (target, rawHeaders) => front.takes(target, rawHeaders),
  request: (request, response) => front.request(request, response),
  unreadable: (socket, problem, status) => front.unreadable(socket, problem, status),
  times: {
    headMs: HEADERS_TIMEOUT_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    restMs: HEADERS_TIMEOUT_MS,
    lingerMs: LINGER_MS,
  },
  maxConnections: MAX_CONNECTIONS,
})

export function listenTcp(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: LISTEN_BACKLOG }, () => {
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

export function closeServer(server: Server, own?: Http1Connections): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    own?.closeIdle()
    setTimeout(() => {
      server.closeAllConnections()
      own?.closeAll()
    }, 1_000).unref()
  })
}
