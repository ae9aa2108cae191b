import type { IncomingMessage } from 'node:http'
import { AppError, plainAddress } from '../../kernel/index.ts'

/**
 * Against CSRF and DNS rebinding: a browser names the page that makes it call. A page of this machine may; any other name, even
 * one that resolves here and therefore equals Host, may not. Programs that are no browsers send no Origin.
 */
export function assertOrigin(request: IncomingMessage): void {
  const { origin } = request.headers
  if (origin === undefined) return
  const host = URL.parse(origin)?.hostname.replace(/^\[|\]$/g, '')
  const own = plainAddress(request.socket.localAddress)
  if (host !== undefined && (host === 'localhost' || host === '127.0.0.1' || host === '::1' || host === own))
    return
  throw new AppError('address_not_allowed', 'Pages of another origin may not call this.')
}
