import type { Socket } from 'node:net'
import { Pool } from 'undici'
import { Http1Pool } from '../../http/http1/index.ts'
import { type ApprovedAddresses, type EgressDial, type EgressTarget, originOf } from '../index.ts'
import { KEEP_ALIVE_MS, MAX_HEADER_BYTES, type UpstreamPool, VENDOR_KEEP_ALIVE_MS } from './upstream-pool.ts'

/**
 * Connections to one place, each dialled and verified by `dial`, that speak HTTP/1.1. How many there are at once, and how long a
 * request takes, is for the surface to bound. `end` breaks off what is being dialled.
 */
export function openPool(
  dial: EgressDial,
  target: EgressTarget,
  approved: ApprovedAddresses,
  end: AbortSignal,
): Pool {
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

export function poolOver(origin: string, connect: () => Promise<Socket>): Pool {
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
