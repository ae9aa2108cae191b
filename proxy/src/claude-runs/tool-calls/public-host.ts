import { canonicalHost, isPublicName } from '../../egress/capabilities/index.ts'
import { parseHostPattern } from '../../kernel/index.ts'

/**
 * The host of an address to fetch. Names alone: an approved literal would be reached in private networks too (SSRF), and a name
 * without a dot is one of the daemon's own network.
 */
export function hostToFetch(url: unknown): { readonly host: string } | { readonly problem: string } {
  const parsed = typeof url === 'string' ? URL.parse(url) : null
  if (parsed === null) return { problem: 'takes a whole address, as https://example.com/page' }
  if (parsed.protocol !== 'https:') return { problem: 'takes addresses of https alone' }
  if (parsed.username !== '' || parsed.password !== '')
    return { problem: 'takes no address with a user or password' }
  const host = canonicalHost(parsed.host)
  const pattern = typeof host === 'string' ? parseHostPattern(host) : host
  if (typeof host !== 'string' || 'problem' in pattern || pattern.wildcard)
    return { problem: 'cannot reach this host' }
  if (!isPublicName(pattern.host)) return { problem: 'takes the public name of a host' }
  return { host }
}
