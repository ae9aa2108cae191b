import { Resolver } from 'node:dns/promises'

/** One query; a server that says nothing is asked again, or the next one is. */
const QUERY_TIMEOUT_MS = 2_000
const TRIES = 2
/** How long the other address family is waited for once one is there: some name servers never answer for AAAA. */
const OTHER_FAMILY_MS = 300

/**
 * Asks the system's name servers, or the given ones (`address:port`), for A and AAAA together, over sockets: no thread
 * is held, and the signal ends it at once. IPv4 addresses come first. Rejects with the name server's answer where there is
 * no address, or with the signal's reason.
 */
export async function queryNameServers(
  host: string,
  signal: AbortSignal,
  servers?: readonly string[],
): Promise<readonly string[]> {
  signal.throwIfAborted()
  // One for each look-up, for `cancel` ends all that one of them has asked.
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES })
  if (servers !== undefined) resolver.setServers(servers)
  const { promise: gaveUp, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => {
    reject(signal.reason)
    resolver.cancel()
  }
  signal.addEventListener('abort', giveUp, { once: true })
  let timer: NodeJS.Timeout | undefined
  const found = async (query: Promise<string[]>): Promise<readonly string[]> => {
    const addresses = await query
    timer ??= setTimeout(() => resolver.cancel(), OTHER_FAMILY_MS)
    return addresses
  }
  try {
    const both = Promise.allSettled([found(resolver.resolve4(host)), found(resolver.resolve6(host))])
    const answers = await Promise.race([both, gaveUp])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length > 0) return addresses
    throw answers.find((answer) => answer.status === 'rejected')?.reason ?? new Error('no address')
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}
