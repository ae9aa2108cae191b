import type { TLSSocket } from 'node:tls'
import {
  type ApprovedAddresses,
  type EgressDial,
  EgressDialError,
  type EgressTarget,
  originOf,
} from '../index.ts'
import { Http2Connection } from './http2-connection.ts'
import { http2FieldsOf } from './http2-request.ts'
import { openPool, poolOver } from './pool.ts'
import {
  KEEP_ALIVE_MS,
  notSent,
  type UpstreamHandler,
  type UpstreamPool,
  type UpstreamRequest,
} from './upstream-pool.ts'

/** What is offered in the handshake (ALPN), the preferred first; the host chooses. */
const HTTP_1 = ['http/1.1']
const HTTP_2 = ['h2', 'http/1.1']

/**
 * Connections to one place over TLS that speak HTTP/1.1, and HTTP/2 with a host that speaks nothing else, or before it where that is
 * preferred. Each request is alone on its connection, in both.
 */
export function openMixedPool(
  dial: EgressDial,
  target: EgressTarget,
  approved: ApprovedAddresses,
  end: AbortSignal,
  prefersHttp2: boolean,
): UpstreamPool {
  if (target.scheme === 'http') return openPool(dial, target, approved, end)
  return new MixedPool(
    originOf(target),
    (protocols) => dial.dialTls(target, approved, end, protocols),
    prefersHttp2,
  )
}

class MixedPool implements UpstreamPool {
  readonly #origin: string
  readonly #dial: (protocols: readonly string[]) => Promise<TLSSocket>
  readonly #firstOffer: readonly string[]
  readonly #http1: UpstreamPool
  readonly #all = new Set<Http2Connection>()
  /** Free for a request, the latest last. */
  readonly #free = new Set<Http2Connection>()
  /** Chose HTTP/1.1, and wait for the pool of that to take them. */
  readonly #unclaimed = new Set<TLSSocket>()
  #offer: readonly string[]
  /** What the host was last seen to choose. */
  #isHttp1 = false
  #isDestroyed = false

  constructor(
    origin: string,
    dial: (protocols: readonly string[]) => Promise<TLSSocket>,
    prefersHttp2: boolean,
  ) {
    this.#origin = origin
    this.#dial = dial
    this.#firstOffer = prefersHttp2 ? HTTP_2 : HTTP_1
    this.#offer = this.#firstOffer
    this.#http1 = poolOver(origin, () => this.#connectHttp1())
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (this.#isHttp1) {
      this.#http1.dispatch(request, handler)
      return
    }
    let free: Http2Connection | undefined
    for (const each of this.#free) free = each
    if (free !== undefined) {
      this.#free.delete(free)
      free.send(request, handler, http2FieldsOf(this.#origin, request))
      return
    }
    this.#connect()
      .then((socket) => {
        if (socket.alpnProtocol !== 'h2') {
          this.#handOver(socket)
          this.#http1.dispatch(request, handler)
          return
        }
        this.#open(socket).send(request, handler, http2FieldsOf(this.#origin, request))
      })
      .catch((error: Error) => notSent(request, handler, error))
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true
    for (const connection of [...this.#all]) connection.destroy()
    for (const socket of this.#unclaimed) socket.destroy()
    await this.#http1.destroy()
  }

  async #connect(): Promise<TLSSocket> {
    let socket: TLSSocket
    try {
      socket = await this.#dial(this.#offer)
    } catch (error) {
      if (!isOtherProtocol(error) || this.#offer === HTTP_2) throw error
      this.#offer = HTTP_2
      socket = await this.#dial(HTTP_2)
    }
    if (!this.#isDestroyed) return socket
    socket.destroy()
    throw new Error('the connections are being closed')
  }

  /** For a request that is with the pool of HTTP/1.1 already. */
  async #connectHttp1(): Promise<TLSSocket> {
    for (const socket of this.#unclaimed) {
      this.#unclaimed.delete(socket)
      if (socket.destroyed) continue
      socket.setTimeout(0)
      return socket
    }
    try {
      return await this.#dial(HTTP_1)
    } catch (error) {
      // The next request asks anew.
      if (isOtherProtocol(error)) this.#isHttp1 = false
      throw error
    }
  }

  #handOver(socket: TLSSocket): void {
    this.#isHttp1 = true
    this.#offer = this.#firstOffer
    this.#unclaimed.add(socket)
    // Its request may find another one that is free.
    socket.setTimeout(KEEP_ALIVE_MS, () => {
      if (this.#unclaimed.delete(socket)) socket.destroy()
    })
  }

  #open(socket: TLSSocket): Http2Connection {
    const connection = new Http2Connection(this.#origin, socket, (state, which) => {
      if (state === 'free') {
        this.#free.add(which)
        return
      }
      this.#free.delete(which)
      this.#all.delete(which)
    })
    this.#all.add(connection)
    return connection
  }
}

const isOtherProtocol = (error: unknown): boolean =>
  error instanceof EgressDialError && error.reason === 'protocol_not_supported'
