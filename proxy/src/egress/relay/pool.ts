import type { Socket } from 'node:net'
import type { Pool } from 'undici'
import { Http1Pool } from '../../http/http1/index.ts'
import { type ApprovedAddresses, type EgressDial, type EgressTarget, originOf } from '../index.ts'
import {
  KEEP_ALIVE_MS,
  MAX_HEADER_BYTES,
  notSent,
  type UpstreamHandler,
  type UpstreamPool,
  type UpstreamRequest,
  VENDOR_KEEP_ALIVE_MS,
} from './upstream-pool.ts'

/**
 * Connections to one place, each dialled and verified by `dial`, that speak HTTP/1.1. How many there are at once, and how long a
 * request takes, is for the surface to bound. `end` breaks off what is being dialled.
 */
export function openPool(
  dial: EgressDial,
  target: EgressTarget,
  approved: ApprovedAddresses,
  end: AbortSignal,
): UpstreamPool {
  return poolOver(originOf(target), () =>
    target.scheme === 'http' ? dial.dial(target, approved, end) : dial.dialTls(target, approved, end),
  )
}

/** The same without undici: an own reader of HTTP/1.1, and no more than requests of an agent need. */
export function openHttp1Pool(
  dial: EgressDial,
  target: EgressTarget,
  approved: ApprovedAddresses,
  end: AbortSignal,
): UpstreamPool {
  return new Http1Pool({
    host: new URL(originOf(target)).host,
    keepAliveMs: VENDOR_KEEP_ALIVE_MS,
    connect: () =>
      target.scheme === 'http' ? dial.dial(target, approved, end) : dial.dialTls(target, approved, end),
  })
}

export const poolOver = (origin: string, connect: () => Promise<Socket>): UpstreamPool =>
  new DeferredPool(undiciPool(origin, connect))

/** Until undici is loaded, which an idle daemon does without: it is a twentieth of its memory. */
class DeferredPool implements UpstreamPool {
  readonly #loaded: Promise<Pool>
  #pool: Pool | undefined

  constructor(loaded: Promise<Pool>) {
    this.#loaded = loaded
    loaded.then(
      (pool) => {
        this.#pool = pool
      },
      () => {
        // Each request is told.
      },
    )
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void {
    if (this.#pool !== undefined) this.#pool.dispatch(request, handler)
    else
      this.#loaded
        .then((pool) => pool.dispatch(request, handler))
        .catch((error: Error) => notSent(request, handler, error))
  }

  async destroy(): Promise<void> {
    await (await this.#loaded).destroy()
  }
}

async function undiciPool(origin: string, connect: () => Promise<Socket>): Promise<Pool> {
  const { Pool } = await import('undici')
  return new Pool(origin, {
    connect: (_options, callback) => {
      connect().then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
    },
    // What undici resets in HTTP/2 can take up the event loop for good: see Http2Exchange.
    allowH2: false,
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
}
