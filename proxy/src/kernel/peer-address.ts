/**
 * IPv4-mapped IPv6 (RFC 4291, 2.5.5.2) would pass a token's address list by, or count as another client: an address as a
 * socket tells it, in one form, `192.0.2.1` rather than `::ffff:192.0.2.1`.
 */
export const plainAddress = (address: string | undefined): string =>
  (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '')
