import { AppError, isIpLiteral, isPublicAddress, parseHostPattern } from '../../kernel/index.ts'
import { canonicalHost } from './capability.ts'
import { nameParts } from './registrable.ts'
import { suffixBelow } from './suffix-below.ts'

/**
 * The canonical pattern of what somebody wrote for a list that stands: of a machine, of an app. Addresses that are not public are
 * nobody's to list: this is no consent of one run, and what stands beside the daemon would be open to whatever the code there is talked
 * into (SSRF). Nor is an ending that strangers register under, or what covers one: the list would be open to all of them. Throws `invalid_request`.
 */
export function listedHost(text: string): string {
  const host = canonicalHost(text)
  if (typeof host !== 'string') throw invalid(text, host.problem)
  const pattern = parseHostPattern(host)
  if ('problem' in pattern) throw invalid(text, pattern.problem)
  if (isIpLiteral(pattern.host)) {
    if (!isPublicAddress(pattern.host)) throw invalid(text, 'is no public address')
  } else if (!isPublicName(pattern.host)) throw invalid(text, 'is no public name')
  else if (pattern.wildcard) {
    const open = nameParts(pattern.host).suffix === pattern.host ? pattern.host : suffixBelow(pattern.host)
    if (open !== undefined)
      throw invalid(text, `covers what anybody can have a name under, ${open}; list the hosts that are meant`)
  }
  return host
}

/** A name without a dot is one of the daemon's own network. */
export const isPublicName = (name: string): boolean =>
  name.includes('.') && !/(?:^|\.)localhost$/.test(name) && !isIpLiteral(name)

const invalid = (text: string, problem: string): AppError =>
  new AppError('invalid_request', `"${text.slice(0, 100)}" ${problem}.`)
