/** An address as a socket tells it, in one form: an IPv4 address is not written as the IPv6 one that it is mapped to. */
export const plainAddress = (address: string | undefined): string =>
  (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '')
