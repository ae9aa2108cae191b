import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { isIpLiteral } from '../../kernel/index.ts'
import { type EgressTarget, parseAuthority } from '../index.ts'
import type { Arrival, Endpoint } from './egress-endpoint.ts'
import { recorded } from './evaluate-request.ts'
import { type Refusal, writeRefusal } from './refusal.ts'
import { isResolver, serveResolver } from './resolver.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
/** In these protocols the client speaks first, at once; in others (SMTP, MySQL) it waits for a greeting that never comes. */
const SILENCE_TIMEOUT_MS = 5_000
/** Where connections are opened ahead of their requests, and silence says nothing. */
const USUAL_PORTS = [80, 443]
/** First byte of a TLS record that carries a handshake. */
const TLS_HANDSHAKE = 0x16

/**
 * CONNECT. The tunnel ends here: what is said in it is opened and evaluated request by request. It is opened for hosts that
 * are not approved too, so that the code reads why it is refused instead of a connection that breaks.
 */
export function openTunnel(tunnel: {
  readonly request: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
  readonly arrival: Arrival
  readonly serve: (socket: Duplex, arrival: Arrival) => void
  readonly serveHttp2: (socket: TLSSocket, arrival: Arrival) => void
  /** Nothing was said where HTTP would have been. */
  readonly onIdle: (socket: Duplex, arrival: Arrival) => void
}): void {
  const { request, socket, head, arrival, serve, serveHttp2, onIdle } = tunnel
  const { endpoint } = arrival
  const refused = refusalOf(request, arrival)
  if ('rule' in refused) {
    refuse(socket, arrival, refused)
    return
  }
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  if (head.length > 0) socket.unshift(head)
  if (isResolver(refused.target)) return void serveResolver(socket, endpoint)
  const target = meantBy(refused.target, endpoint)
  const mayBeSilent = USUAL_PORTS.includes(target.port)
  const giveUp = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT_MS).unref()
  socket.once('close', () => clearTimeout(giveUp))
  const plain: Arrival = { endpoint, tunnel: { target: { ...target, scheme: 'http' }, namesAgree: true } }
  awaitFirst(socket, mayBeSilent ? null : () => onIdle(socket, plain), (first) => {
    if (first[0] !== TLS_HANDSHAKE) {
      clearTimeout(giveUp)
      return serve(socket, plain)
    }
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: endpoint.issuer.contextFor(target.host),
      // The first that the code speaks, too: HTTP/2 is for what speaks nothing else.
      ALPNProtocols: ['http/1.1', 'h2'],
    })
    secured.on('error', () => socket.destroy())
    secured.once('secure', () => {
      clearTimeout(giveUp)
      const inside = { endpoint, tunnel: { target, namesAgree: isNamed(secured, target) } }
      if (secured.alpnProtocol === 'h2') serveHttp2(secured, inside)
      else if (mayBeSilent) serve(secured, inside)
      else
        awaitFirst(
          secured,
          () => onIdle(secured, inside),
          () => serve(secured, inside),
        )
    })
  })
}

/** Waits for the first bytes, which stay to be read. A connection that ends without any is dropped. */
function awaitFirst(
  socket: Socket,
  onIdle: (() => void) | null,
  onFirstBytes: (first: Buffer) => void,
): void {
  const read = (): void => {
    clearTimeout(silence)
    const first: Buffer | null = socket.read()
    if (first === null) return void socket.destroy()
    socket.unshift(first)
    onFirstBytes(first)
  }
  const silence = setTimeout(() => {
    if (onIdle === null) return
    socket.off('readable', read)
    onIdle()
  }, SILENCE_TIMEOUT_MS).unref()
  socket.once('close', () => clearTimeout(silence)).once('readable', read)
}

function refusalOf(
  request: IncomingMessage,
  { endpoint, tunnel }: Arrival,
): Refusal | { readonly target: EgressTarget } {
  const authority = request.url ?? ''
  const target = parseAuthority(authority, 'https', { portRequired: true })
  const origin = endpoint.session === null ? '' : recorded(endpoint.session, authority)
  const refusal = { origin, secrets: [] }
  // Before its run a sandbox warms itself up: its handshake is the same, its requests are refused in the tunnel.
  if (endpoint.session === null && !endpoint.waits) return { rule: 'no_run', ...refusal }
  if (!endpoint.mayTunnel()) return { rule: 'too_many_requests', ...refusal }
  // A tunnel in a tunnel would lead past the host that was evaluated.
  if (tunnel !== null) return { rule: 'method_not_allowed', ...refusal }
  if (target === null) return { rule: 'bad_request', ...refusal }
  const host = request.headers.host
  if (host !== undefined && !sameHost(parseAuthority(host, 'https'), target)) {
    return { rule: 'host_mismatch', ...refusal }
  }
  return { target }
}

/** An address of the sandbox's loopback that stands for a name is that name (see `createLoopbackNames`). */
function meantBy(target: EgressTarget, endpoint: Endpoint): EgressTarget {
  const host = endpoint.names?.nameAt(target.host)
  return host === undefined ? target : { ...target, host }
}

/** Some clients leave the port out of the Host header of a CONNECT. */
const sameHost = (authority: EgressTarget | null, target: EgressTarget): boolean =>
  authority !== null &&
  authority.host === target.host &&
  (authority.port === target.port || authority.port === 443)

/** The server name of the handshake; an address has none (RFC 6066, section 3). */
function isNamed(socket: TLSSocket, target: EgressTarget): boolean {
  const name: unknown = (socket as { servername?: unknown }).servername
  if (typeof name !== 'string' || name === '') return isIpLiteral(target.host)
  return name.toLowerCase() === target.host
}

function refuse(socket: Socket, { endpoint }: Arrival, refusal: Refusal): void {
  const session = endpoint.session
  // Counted like a request, so that what is told to the audit has an end.
  if (session?.begin()) {
    session.record({
      method: 'CONNECT',
      origin: refusal.origin,
      path: '',
      status: null,
      requestBytes: 0,
      responseBytes: 0,
      secrets: [],
      refused: refusal.rule,
      rejected: [],
    })
  }
  writeRefusal(socket, refusal)
}
