import ipaddr from 'ipaddr.js'
import { AppError } from '../kernel/index.ts'

/** Of a list that a token may be used from; throws invalid_request. */
export function assertCidr(cidr: string): void {
  const address = cidr.slice(0, Math.max(0, cidr.lastIndexOf('/')))
  // Short, octal and mapped forms are read differently by different people.
  const plain =
    ipaddr.IPv4.isValidFourPartDecimal(address) ||
    (ipaddr.IPv6.isValid(address) && !ipaddr.IPv6.parse(address).isIPv4MappedAddress())
  if (!plain || !ipaddr.isValidCIDR(cidr)) {
    throw new AppError('invalid_request', `"${cidr}" is not a CIDR such as 10.0.0.0/24 or fd00::/64`)
  }
}

/** Whether any address is in both networks; each as `assertCidr` takes it. */
export const networksMeet = (one: string, other: string): boolean =>
  addressInCidr(networkOf(one), other) || addressInCidr(networkOf(other), one)

const networkOf = (cidr: string): string => cidr.slice(0, cidr.lastIndexOf('/'))

/** IPv4-mapped IPv6 addresses count as the IPv4 address that they carry. */
export function addressInCidr(address: string, cidr: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  const [network, bits] = ipaddr.parseCIDR(cidr)
  return parsed.kind() === network.kind() && parsed.match(network, bits)
}
