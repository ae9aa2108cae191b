import type { IncomingMessage } from 'node:http'
import { plainAddress } from '../kernel/index.ts'

/** The last address that no trusted proxy has, since whatever stands before that may be made up. */
export function forwardedFor(
  { headers }: IncomingMessage,
  peer: string,
  isTrustedProxy: (address: string) => boolean,
): string {
  const chain = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => plainAddress(part.trim()))
  const address = chain.findLast((part) => !isTrustedProxy(part))
  return address !== undefined && /^[0-9A-Fa-f.:]{2,45}$/.test(address) ? address : peer
}
