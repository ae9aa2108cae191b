import { lookup } from 'node:dns/promises'
import { createFairSlots, type FairSlots } from '../../kernel/index.ts'
import { createHostsFile, type HostsFile } from './hosts-file.ts'
import { queryNameServers } from './name-servers.ts'

/** All addresses of a host name, as literals. `owner` is whom the look-up counts against. */
export type Resolve = (host: string, signal: AbortSignal, owner: string) => Promise<readonly string[]>

export interface SystemResolverOptions {
  /** Name servers to ask in place of the system's: `address:port`. */
  readonly servers?: readonly string[]
  readonly hosts?: HostsFile
  /** What knows names that no name server does; getaddrinfo of the operating system when left out. */
  readonly lookupWithSystem?: (host: string) => Promise<readonly string[]>
  readonly timeoutMs?: number
}

/** As many look-ups wait as may, of this owner or of all. */
export class TooManyLookups extends Error {
  constructor() {
    super('Too many names are being looked up.')
    this.name = 'TooManyLookups'
  }
}

/** Over sockets, at most two each. */
const QUERIES = { total: 128, perOwner: 8, waiting: { perOwner: 64, total: 4_096 } }
/** In threads: Node has four, for its file system too, and nothing ends a look-up in one early. */
const THREADS = { total: 3, perOwner: 1, waiting: { perOwner: 16, total: 64 } }
/** From the turn of a look-up to its answer. */
const TIMEOUT_MS = 5_000
const LOOPBACK = ['127.0.0.1', '::1']

/**
 * The hosts file first, then the name servers, and for names that may be known without DNS (a single label, `.local`)
 * or where no name server runs the operating system. An owner whose names lead to a silent name server holds its own share
 * of the look-ups and no more.
 */
export function createSystemResolver(options: SystemResolverOptions = {}): Resolve {
  const hosts = options.hosts ?? createHostsFile()
  const lookupWithSystem = options.lookupWithSystem ?? getaddrinfo
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const queries = createFairSlots(QUERIES)
  const threads = createFairSlots(THREADS)

  return async (host, signal, owner) => {
    signal.throwIfAborted()
    const name = host.toLowerCase().replace(/\.$/, '')
    // Never asked of DNS (RFC 6761, 6.3).
    if (name === 'localhost' || name.endsWith('.localhost')) return LOOPBACK
    const own = hosts(name)
    if (own.length > 0) return own
    try {
      using _ = await placeIn(queries, owner, signal)
      return await queryNameServers(name, withTimeout(signal, timeoutMs), options.servers)
    } catch (error) {
      if (signal.aborted || error instanceof TooManyLookups || !maySystemKnow(name, error)) throw error
      return await inThread(threads, owner, withTimeout(signal, timeoutMs), () => lookupWithSystem(name))
    }
  }
}

/** One for the whole daemon: shares are shares of all look-ups. */
export const resolveWithSystem: Resolve = createSystemResolver()

const withTimeout = (signal: AbortSignal, ms: number): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(ms)])

async function placeIn(slots: FairSlots, owner: string, signal: AbortSignal): Promise<Disposable> {
  const place = await slots.take(owner, signal)
  if (place === undefined) throw new TooManyLookups()
  return place
}

/** mDNS, containers and search domains know names that a name server asked for them alone does not. */
function maySystemKnow(name: string, error: unknown): boolean {
  if (!name.includes('.') || name.endsWith('.local')) return true
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}

/** Whoever gives up is told at once; the place is free when the thread is. */
async function inThread<T>(
  threads: FairSlots,
  owner: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const place = await placeIn(threads, owner, signal)
  if (signal.aborted) {
    place[Symbol.dispose]()
    throw signal.reason
  }
  const { promise: gaveUp, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([work().finally(() => place[Symbol.dispose]()), gaveUp])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

async function getaddrinfo(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address)
}
