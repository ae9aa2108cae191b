import { lookup } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { isIpLiteral, isPublicAddress } from '../../kernel/index.ts'

/**
 * The one way out to hosts that somebody else named. A host is resolved once; every address that it resolves to must
 * be allowed, else none is dialled; and the very address that was checked is the one connected to, so an answer that
 * changes between check and connect changes nothing.
 */
export interface Dialler {
  /** Throws DialRefused when an address is not allowed, any other Error when the host cannot be reached. */
  dial(target: DialTarget, signal: AbortSignal): Promise<Socket>
  /** The same with TLS on top, the certificate verified for the host. */
  dialTls(target: DialTarget, signal: AbortSignal): Promise<TLSSocket>
}

interface DialTarget {
  /** Host name, or an IP literal without brackets. */
  readonly host: string
  readonly port: number
}

/** All addresses of a host name, as literals. */
type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

export interface DiallerOptions {
  readonly resolve?: Resolve
  /** Whether this address may be dialled for this target; public unicast only when left out. */
  readonly isAllowedAddress?: (address: string, target: DialTarget) => boolean
  /** Roots in place of the system's. */
  readonly tls?: Pick<ConnectionOptions, 'ca'>
  /** For one address; the next one is tried then. */
  readonly connectTimeoutMs?: number
}

/** The host leads to an address that may not be dialled. Nothing was sent there. */
export class DialRefused extends Error {
  constructor() {
    super('The host leads to an address that may not be dialled.')
    this.name = 'DialRefused'
  }
}

const MAX_ADDRESSES = 8

export function createDialler(options: DiallerOptions = {}): Dialler {
  const resolve = options.resolve ?? resolveWithSystem
  const isAllowed = options.isAllowedAddress ?? isPublicAddress
  const connectTimeoutMs = options.connectTimeoutMs ?? 3_000

  const dial = async (target: DialTarget, signal: AbortSignal): Promise<Socket> => {
    const addresses = isIpLiteral(target.host) ? [target.host] : await resolve(target.host, signal)
    if (addresses.length === 0) throw new Error('The host has no address.')
    if (!addresses.every((address) => isIpLiteral(address) && isAllowed(address, target)))
      throw new DialRefused()
    let last: unknown
    for (const address of addresses.slice(0, MAX_ADDRESSES)) {
      signal.throwIfAborted()
      try {
        return await connectTo(
          address,
          target.port,
          AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]),
        )
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  return {
    dial,
    async dialTls(target, signal) {
      const socket = await dial(target, signal)
      return startTls(
        socket,
        target.host,
        options.tls,
        AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]),
      )
    },
  }
}

async function resolveWithSystem(host: string, signal: AbortSignal): Promise<readonly string[]> {
  const { promise: gaveUp, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    // The system resolver cannot be interrupted; its late answer is dropped.
    const found = await Promise.race([lookup(host, { all: true, order: 'verbatim' }), gaveUp])
    return found.map((entry) => entry.address)
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** Connects to an address literal, so no resolver is asked again. */
function connectTo(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true })
  return settled(socket, 'connect', signal)
}

function startTls(
  socket: Socket,
  host: string,
  tls: Pick<ConnectionOptions, 'ca'> | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const secured = connectTls({
    ...tls,
    socket,
    host,
    // An address has no server name; its certificate is still checked against it.
    ...(isIpLiteral(host) ? {} : { servername: host }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  })
  return settled(secured, 'secureConnect', signal)
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
