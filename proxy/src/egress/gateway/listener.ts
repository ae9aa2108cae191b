import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isWebSocketUpgrade } from '../../http/index.ts'
import type { EgressDial, LargeInspections } from '../index.ts'
import type { Arrival, Endpoint } from './egress-endpoint.ts'
import { createExchanges, type Expectation } from './exchange.ts'
import { serveHttp2 } from './http2.ts'
import { lingerOnClose } from './linger.ts'
import { openTunnel } from './tunnel.ts'
import type { Upstreams } from './upstreams.ts'

export interface Listener {
  /** Serves a connection that came through an endpoint. */
  accept(socket: Socket, endpoint: Endpoint): void
  close(): void
}

export interface ListenerDeps {
  readonly dial: EgressDial
  readonly upstreams: Upstreams
  readonly inspections: LargeInspections
  readonly log: (message: string, error?: unknown) => void
}

const MAX_HEADER_BYTES = 32 * 1_024
/** For the head of one request, however slowly its bytes drip in. A body may take as long as its run. */
const HEADERS_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 60_000
const BUFFER_BYTES = 64 * 1_024

/**
 * One HTTP server for all endpoints: for what is said to the endpoint itself and for what is said inside its tunnels. It never
 * listens; connections are handed to it, and each is known by where it came from.
 */
export function createListener(deps: ListenerDeps): Listener {
  const arrivals = new WeakMap<Duplex, Arrival>()
  const refused = new WeakSet<Duplex>()
  const latest = new WeakMap<Duplex, IncomingMessage>()
  const exchanges = createExchanges(deps)
  const server: Server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Fewer stops and starts of a long body, for at most so much memory.
    highWaterMark: BUFFER_BYTES,
    // Checked with the other hosts that a request names, and refused in the gateway's own words.
    requireHostHeader: false,
    shouldUpgradeCallback: isWebSocketUpgrade,
  })
  // Headers beyond a count would be dropped without a word; their bytes are bounded.
  server.maxHeadersCount = 0
  server.timeout = 0

  const arrivalOf = (socket: Duplex): Arrival => {
    const arrival = arrivals.get(socket)
    if (arrival === undefined) throw new Error('a connection that came through no endpoint')
    return arrival
  }
  const serve = (socket: Duplex, arrival: Arrival): void => {
    arrivals.set(socket, arrival)
    lingerOnClose(socket, () => latest.get(socket))
    server.emit('connection', socket)
  }

  const take = (request: IncomingMessage, response: ServerResponse, expect: Expectation): void => {
    const { socket } = request
    // Nothing follows the last answer on a connection, whatever the code still sends there.
    if (socket.writableEnded) return void response.destroy()
    latest.set(socket, request)
    exchanges.request(request, response, arrivalOf(socket), expect)
  }
  server.on('request', (request, response) => take(request, response, 'none'))
  server.on('checkContinue', (request, response) => take(request, response, 'continue'))
  server.on('checkExpectation', (request, response) => take(request, response, 'unknown'))
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    exchanges.webSocket(request, socket as Socket, head, arrivalOf(socket))
  })
  server.on('connect', (request, socket, head) => {
    socket.on('error', () => {})
    const arrival = arrivalOf(socket)
    openTunnel({
      request,
      socket: socket as Socket,
      head,
      arrival,
      serve,
      serveHttp2: (secured, inside) => serveHttp2(secured, inside, exchanges),
      onIdle: (waiting, inside) => exchanges.unreadable(waiting, inside, 'not_http'),
    })
  })
  server.on('clientError', (error: UnreadableError, socket) => {
    // Told for every further piece of what could not be read; once is enough.
    if (refused.has(socket)) return
    refused.add(socket)
    if (error.code?.startsWith('HPE_')) {
      const rule = latest.has(socket) || isHttp(error) ? 'bad_request' : 'not_http'
      exchanges.unreadable(socket, arrivalOf(socket), rule)
    } else socket.destroy()
  })
  // What else would be done on listening: without it the server would not look after slow heads.
  server.emit('listening')

  return {
    accept(socket, endpoint) {
      if (!endpoint.take(socket)) return void socket.destroy()
      socket.on('error', () => {})
      serve(socket, { endpoint, tunnel: null })
    },
    close: () => void server.close(),
  }
}

interface UnreadableError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer
}

/** Whether what could not be read was meant as HTTP: other protocols begin with no method, and name no version of it. */
const isHttp = ({ code, rawPacket }: UnreadableError): boolean =>
  code !== 'HPE_INVALID_METHOD' || rawPacket?.includes(' HTTP/') === true
