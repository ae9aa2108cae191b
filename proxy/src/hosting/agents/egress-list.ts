/** Which hosts a machine's owner may put on its list. */
import { canonicalHost } from '../../egress/capabilities/index.ts'
import { AppError } from '../../kernel/index.ts'

const MAX_HOSTS = 100

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
