import { Pool } from 'undici'
import {
  type ApprovedAddresses,
  type EgressDial,
  type EgressTarget,
  originOf,
} from '../../domain/egress/index.ts'

/** Shorter than what servers commonly keep, so that a request seldom meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 4_000
const MAX_HEADER_BYTES = 64 * 1_024

/**
 * Connections to one place, each dialled and verified by `dial`. How many there are at once, and how long a request takes, is
 * for the surface to bound. `end` breaks off what is being dialled.
 */
export function openPool(
  dial: EgressDial,
  target: EgressTarget,
  approved: ApprovedAddresses,
  end: AbortSignal,
): Pool {
  const way = target.scheme === 'https' ? 'dialTls' : 'dial'
  return new Pool(originOf(target), {
    connect: (_options, callback) => {
      dial[way](target, approved, end).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
    },
    allowH2: false,
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
}
