import { type EgressRule, formatHostPattern, hostPatternCovers, parseHostPattern } from '../kernel/index.ts'
import { type EgressPolicy, type EgressTarget, reaches } from './policy.ts'

/**
 * Reads the `host` or `host:port` of a CONNECT, a Host header or an absolute-form URL; null when it is not exactly
 * that. The one parser of host patterns does the reading, so a request cannot name a host in a way that approval
 * never saw.
 */
export function parseAuthority(
  text: string,
  scheme: EgressTarget['scheme'],
  options: { readonly portRequired?: boolean } = {},
): EgressTarget | null {
  if (options.portRequired === true && !/[^:]:[0-9]+$/.test(text)) return null
  const pattern = parseHostPattern(`${scheme}://${text}`)
  if ('problem' in pattern || pattern.wildcard) return null
  return { scheme, host: pattern.host, port: pattern.port }
}

/** Which rule keeps this run from the target; null when it was approved. */
export function checkTarget(policy: EgressPolicy, target: EgressTarget): EgressRule | null {
  if (reaches(policy.network, target)) return null
  const isHttpsOnly =
    target.scheme === 'http' &&
    policy.network.some((pattern) =>
      hostPatternCovers(pattern, { ...target, scheme: 'https', port: pattern.port, wildcard: false }),
    )
  return isHttpsOnly ? 'plain_http_not_approved' : 'host_not_approved'
}

/** `host`, or `host:port` where the port is not the scheme's own: what the Host header says. */
export function authorityOf(target: EgressTarget): string {
  return formatHostPattern({ ...target, wildcard: false }).replace(/^http:\/\//, '')
}

/** `https://host`, with the port where it is not the scheme's own. */
export const originOf = (target: EgressTarget): string => `${target.scheme}://${authorityOf(target)}`
