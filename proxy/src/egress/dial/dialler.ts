import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { currentOwner, isIpLiteral, isPublicAddress } from '../../kernel/index.ts'
import { withLastWords } from './last-words.ts'
import { type Resolve, resolveWithSystem } from './resolve.ts'
/**
 * Against SSRF and DNS rebinding: the one way out to hosts that somebody else named. A host is resolved once; every address
 * that it resolves to must be allowed, else none is dialled; and the very address that was checked is the one connected to,
 * so an answer that changes between check and connect (TOCTOU) changes nothing.
 */

export interface Dialler {
  /** Throws DialRefused when an address is not allowed, any other Error when the host cannot be reached. */
  dial(target: DialTarget, signal: AbortSignal): Promise<Socket>
  /**
   * The same with TLS on top, the certificate verified for the host; throws TlsRefused when it is not. Of `protocols` (ALPN, RFC 7301;
   * HTTP/1.1 when left out) the host chose `alpnProtocol`, which is false when it knows no ALPN; throws ProtocolRefused when it
   * has none of them, and TlsFailed when no handshake came about for another reason.
   */
  dialTls(target: DialTarget, signal: AbortSignal, protocols?: readonly string[]): Promise<TLSSocket>
}

interface DialTarget {
  /** Host name, or an IP literal without brackets. */
  readonly host: string
  readonly port: number
}

export interface TlsSessions {
  get(key: string): Buffer | undefined
  set(key: string, session: Buffer): void
}

export interface DiallerOptions {
  readonly resolve?: Resolve
  /** Whether this address may be dialled for this target; public unicast only when left out. */
  readonly isAllowedAddress?: (address: string, target: DialTarget) => boolean
  /** Roots in place of Node's own, as certificates or as a context that was built of them once. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'secureContext'>
  /** TLS sessions to begin from, by host and port. Only sessions that were verified for that host are put in. */
  readonly sessions?: TlsSessions
  /** The port to connect to where another one plays the target's; the TLS name stays the target's. */
  readonly portOf?: ((target: DialTarget) => number) | undefined
  /** Until the next address is tried, where there is one. */
  readonly nextAddressMs?: number
  /** From the name to a connection that is ready, the handshake with it. */
  readonly connectTimeoutMs?: number
}

/** The host leads to an address that may not be dialled. Nothing was sent there. */
export class DialRefused extends Error {
  constructor() {
    super('The host leads to an address that may not be dialled.')
    this.name = 'DialRefused'
  }
}

/** The host could not show in a TLS handshake that it is that host. Nothing but the handshake was sent. */
export class TlsRefused extends Error {
  constructor(cause: unknown) {
    super('The host could not be verified.', { cause })
    this.name = 'TlsRefused'
  }
}

/** The host takes part in TLS and has none of the protocols that were offered. */
export class ProtocolRefused extends Error {
  constructor(cause: unknown) {
    super('The host speaks none of the protocols that it was offered.', { cause })
    this.name = 'ProtocolRefused'
  }
}

/** No handshake that both sides could agree on: a version, a cipher, a certificate of the client's, or no TLS there at all. */
export class TlsFailed extends Error {
  constructor(cause: unknown) {
    super('No TLS connection to the host could be agreed on.', { cause })
    this.name = 'TlsFailed'
  }
}

const MAX_ADDRESSES = 8
const HTTP_1 = ['http/1.1']

export function createDialler(options: DiallerOptions = {}): Dialler {
  const resolve = options.resolve ?? resolveWithSystem
  const isAllowed = options.isAllowedAddress ?? isPublicAddress
  const { nextAddressMs = 3_000, connectTimeoutMs = 10_000 } = options
  const inTime = (signal: AbortSignal): AbortSignal =>
    AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)])

  const dial = async (target: DialTarget, signal: AbortSignal): Promise<Socket> => {
    const addresses = isIpLiteral(target.host)
      ? [target.host]
      : await resolve(target.host, signal, currentOwner())
    if (addresses.length === 0) throw new Error('The host has no address.')
    if (!addresses.every((address) => isIpLiteral(address) && isAllowed(address, target)))
      throw new DialRefused()
    const tried = addresses.slice(0, MAX_ADDRESSES)
    const port = options.portOf?.(target) ?? target.port
    for (const address of tried.slice(0, -1)) {
      signal.throwIfAborted()
      try {
        return await connectTo(address, port, AbortSignal.any([signal, AbortSignal.timeout(nextAddressMs)]))
      } catch {
        // The last one says what is wrong.
      }
    }
    signal.throwIfAborted()
    return await connectTo(tried.at(-1) ?? '', port, signal)
  }

  return {
    dial: (target, signal) => dial(target, inTime(signal)),
    async dialTls(target, signal, protocols = HTTP_1) {
      const whole = inTime(signal)
      const socket = await dial(target, whole)
      return startTls(socket, target, protocols, options, whole)
    },
  }
}

/** Connects to an address literal, so no resolver is asked again. */
function connectTo(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = withLastWords(connect({ host: address, port, noDelay: true }))
  return settled(socket, 'connect', signal)
}

async function startTls(
  socket: Socket,
  { host, port }: DialTarget,
  protocols: readonly string[],
  { tls, sessions }: DiallerOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const key = `${host}:${port} ${protocols}`
  const session = sessions?.get(key)
  const secured = withLastWords(
    connectTls({
      ...tls,
      socket,
      host,
      // An address has no server name; its certificate is still checked against it.
      ...(isIpLiteral(host) ? {} : { servername: host }),
      ...(session === undefined ? {} : { session }),
      ALPNProtocols: [...protocols],
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    }),
  )
  if (sessions) secured.on('session', (fresh) => secured.authorized && sessions.set(key, fresh))
  try {
    return await settled(secured, 'secureConnect', signal)
  } catch (error) {
    throw asRefusal(secured, error)
  }
}

function asRefusal(socket: TLSSocket, error: unknown): unknown {
  if (socket.authorizationError) return new TlsRefused(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') return new ProtocolRefused(error)
  return code === 'EPROTO' || code.startsWith('ERR_SSL') ? new TlsFailed(error) : error
}

function settled<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>()
  const fail = (error: unknown): void => {
    socket.destroy()
    reject(error)
  }
  const giveUp = (): void => fail(signal.reason)
  const closed = (): void => fail(new Error('The connection was closed.'))
  socket.once('error', fail)
  socket.once('close', closed)
  socket.once(event, () => resolve(socket))
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  return promise.finally(() => {
    signal.removeEventListener('abort', giveUp)
    socket.off('close', closed)
    // The new owner listens for later errors; until then none may end the process.
    socket.off('error', fail)
    socket.on('error', () => {})
  })
}
