import { isIPv6 } from 'node:net'

/**
 * IPv4-mapped IPv6 (RFC 4291, 2.5.5.2) would pass a token's address list by, or count as another client: an address as a
 * socket tells it, in one form, `192.0.2.1` rather than `::ffff:192.0.2.1`.
 */
export const plainAddress = (address: string | undefined): string =>
  (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '')

/** Of a plain address: this machine itself. */
export const isLoopbackAddress = (address: string): boolean =>
  /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) || address === '::1'

/** What is counted as one stranger, of a plain address: of IPv6 the network, since the smallest that anybody is given is a /64 (RFC 6177). */
export function networkOf(address: string): string {
  const [host = ''] = address.split('%', 1)
  if (!isIPv6(host)) return address
  const [head = '', tail] = host.split('::')
  const groups = head === '' ? [] : head.split(':')
  const left = tail === undefined || tail === '' ? 0 : tail.split(':').length
  const whole =
    tail === undefined
      ? groups
      : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - left)).fill('0'), ...tail.split(':')]
  const network = whole.slice(0, 4).map((group) => Number.parseInt(group || '0', 16).toString(16))
  return `${network.join(':')}::/64`
}
