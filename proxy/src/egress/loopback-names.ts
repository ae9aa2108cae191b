/**
 * The names of a run as addresses of its sandbox's loopback. A client that dials hosts by itself asks a resolver first;
 * each approved name has an address of its own there, so that the address it dials tells the name that it meant.
 */
import { isIpLiteral } from '../kernel/index.ts'
import type { EgressPolicy } from './policy.ts'
import { parseAuthority } from './target.ts'

/** `approved` with the address that stands for the name; `exhausted`: approved, but no address is left for it. */
type NameAnswer =
  | { readonly kind: 'approved'; readonly address: string }
  | { readonly kind: 'not_approved' }
  | { readonly kind: 'exhausted' }

export interface LoopbackNames {
  /** `name` in any case, with or without the dot of the root. */
  addressOf(name: string): NameAnswer
  /** The name, in canonical form, that an address stands for; undefined when it stands for none. */
  nameAt(address: string): string | undefined
}

/** Names below wildcards are the code's to choose, so there is an end to them. */
const MAX_NAMES = 1_024
/** 127.64.0.1 and on: far from the addresses that programs bind by themselves. */
const FIRST = [127, 64, 0, 1] as const
/** RFC 6761, section 6.3: the sandbox itself, whatever was approved. */
const LOCALHOST = /^(?:.+\.)?localhost$/
const LOOPBACK = '127.0.0.1'
/** What the machine calls itself in every sandbox: libraries look up their own address, to log it or to make an id of it. */
const OWN_NAME = 'sandbox'

const addressAt = (index: number): string => {
  const offset = FIRST[3] + index
  return `${FIRST[0]}.${FIRST[1]}.${offset >> 8}.${offset & 255}`
}

/** `session`: what is approved can become more and less while names are given; an address never stands for another name later. */
export function createLoopbackNames(session: {
  readonly policy: Pick<EgressPolicy, 'network'>
}): LoopbackNames {
  const addresses = new Map<string, string>()
  const names = new Map<string, string>()
  const isLiteral = (host: string): boolean =>
    isIpLiteral(host) && session.policy.network.some((pattern) => pattern.host === host)
  let next = 0
  const assign = (name: string): string => {
    // An address that was approved by itself stands for itself.
    while (isLiteral(addressAt(next))) next += 1
    const address = addressAt(next)
    next += 1
    addresses.set(name, address)
    names.set(address, name)
    return address
  }
  // Those approved by themselves have theirs from the start: no flood of names below a wildcard takes it from them.
  for (const { host, wildcard } of session.policy.network) {
    if (!wildcard && !isLiteral(host) && !addresses.has(host)) assign(host)
  }
  const isBelowWildcard = (name: string): boolean =>
    session.policy.network.some(({ host, wildcard }) => wildcard && name.endsWith(`.${host}`))
  const isNamed = (name: string): boolean =>
    session.policy.network.some(({ host, wildcard }) => !wildcard && host === name)

  return {
    addressOf(text) {
      const name = text.replace(/\.$/, '').toLowerCase()
      // Only a host and nothing else reads back as it was written.
      if (parseAuthority(name, 'https')?.host !== name) return { kind: 'not_approved' }
      if (LOCALHOST.test(name)) return { kind: 'approved', address: LOOPBACK }
      const known = addresses.get(name)
      if (isNamed(name)) return { kind: 'approved', address: known ?? assign(name) }
      if (name === OWN_NAME) return { kind: 'approved', address: LOOPBACK }
      if (!isBelowWildcard(name)) return { kind: 'not_approved' }
      if (known !== undefined) return { kind: 'approved', address: known }
      if (addresses.size >= MAX_NAMES) return { kind: 'exhausted' }
      return { kind: 'approved', address: assign(name) }
    },
    nameAt: (address) => names.get(address),
  }
}
