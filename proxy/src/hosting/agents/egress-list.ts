/** Which hosts a machine's owner may put on its list. */
import { canonicalHost } from '../../egress/capabilities/index.ts'
import { AppError, isIpLiteral, isPublicAddress, parseHostPattern } from '../../kernel/index.ts'

const MAX_HOSTS = 100

/**
 * The canonical pattern of what somebody wrote. Addresses that are not public are nobody's to allow: this is no consent of one run,
 * and what stands beside the daemon would be open to whatever the agent is talked into. Throws `invalid_request`.
 */
export function listedHost(text: string): string {
  const host = canonicalHost(text)
  if (typeof host !== 'string') throw invalid(text, host.problem)
  const pattern = parseHostPattern(host)
  if ('problem' in pattern) throw invalid(text, pattern.problem)
  if (isIpLiteral(pattern.host)) {
    if (!isPublicAddress(pattern.host)) throw invalid(text, 'is no public address')
  } else if (!pattern.host.includes('.') || /(?:^|\.)localhost$/.test(pattern.host))
    throw invalid(text, 'is no public name')
  return host
}

/** For what is taken off the list, whatever it is. */
export function canonicalOr(text: string): string {
  const host = canonicalHost(text)
  return typeof host === 'string' ? host : text
}

/** Sorted, each once. Throws `refused` beyond the limit. */
export function changedHosts(
  hosts: readonly string[],
  allow: readonly string[],
  deny: readonly string[],
): readonly string[] {
  const gone = new Set(deny)
  const left = [...new Set([...hosts, ...allow])].filter((host) => !gone.has(host)).sort()
  if (left.length > MAX_HOSTS) throw new AppError('refused', `A list has at most ${MAX_HOSTS} hosts.`)
  return left
}

const invalid = (text: string, problem: string): AppError =>
  new AppError('invalid_request', `"${text.slice(0, 100)}" ${problem}.`)
