import type { IncomingMessage } from 'node:http'
import { AppError, isLoopbackAddress, plainAddress } from '../../kernel/index.ts'
import { forwardedFor } from '../index.ts'

export interface AddressRules {
  /** Beside loopback. */
  readonly isAllowed: (address: string) => boolean
  readonly isTrustedProxy: (address: string) => boolean
}

/**
 * The address that a request comes from, in plain form: of the connection, or behind a trusted proxy what that tells. Throws
 * `address_not_allowed` for one that may not call this port. What a proxy on this machine brings in would pass as loopback: where the
 * proxy is not trusted, that is refused.
 */
export function clientAddress(request: IncomingMessage, { isAllowed, isTrustedProxy }: AddressRules): string {
  const peer = plainAddress(request.socket.remoteAddress)
  const address = isTrustedProxy(peer) ? forwardedFor(request, peer, isTrustedProxy) : peer
  const isForwarded = 'x-forwarded-for' in request.headers || 'forwarded' in request.headers
  if (isForwarded && isLoopbackAddress(peer) && !isTrustedProxy(peer))
    throw new AppError(
      'address_not_allowed',
      'It came through a proxy of this machine that OAUTH3_TRUSTED_PROXIES does not name.',
    )
  if (isLoopbackAddress(address) || isAllowed(address)) return address
  throw new AppError('address_not_allowed', `ALLOW_CIDRS does not let ${address} call this port.`)
}
