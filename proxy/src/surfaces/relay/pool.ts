import type { Socket } from 'node:net'
import { Pool } from 'undici'
import {
  type ApprovedAddresses,
  type EgressDial,
  EgressDialError,
  type EgressTarget,
  originOf,
} from '../../domain/egress/index.ts'

/** Shorter than what servers commonly keep, so that a request seldom meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 4_000
const MAX_HEADER_BYTES = 64 * 1_024

const HTTP_1 = ['http/1.1']
/** The host chooses. */
const HTTP_2 = ['h2', 'http/1.1']

/**
 * Connections to one place, each dialled and verified by `dial`. How many there are at once, and how long a request takes, is
 * for the surface to bound. `end` breaks off what is being dialled. They speak HTTP/1.1, and where that is
 * wanted HTTP/2 with a host that speaks nothing else, or before it.
 */
export function openPool(
  dial: EgressDial,
  target: EgressTarget,
  approved: ApprovedAddresses,
  end: AbortSignal,
  prefers: 'http/1.1 alone' | 'http/1.1' | 'h2' = 'http/1.1 alone',
): Pool {
  let protocols = prefers === 'h2' ? HTTP_2 : HTTP_1
  const connect = async (): Promise<Socket> => {
    if (target.scheme === 'http') return await dial.dial(target, approved, end)
    try {
      return await dial.dialTls(target, approved, end, protocols)
    } catch (error) {
      const isOther = error instanceof EgressDialError && error.reason === 'protocol_not_supported'
      if (!isOther || protocols === HTTP_2 || prefers === 'http/1.1 alone') throw error
      protocols = HTTP_2
      return await dial.dialTls(target, approved, end, protocols)
    }
  }
  return new Pool(originOf(target), {
    connect: (_options, callback) => {
      connect().then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
    },
    // For the connector that is replaced here; with it, all first requests would wait for one connection.
    allowH2: false,
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
}
