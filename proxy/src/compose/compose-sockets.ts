import type { RequestListener } from 'node:http'
import { addressMatcher, type Config } from '../config/index.ts'
import { SOCKET_PURPOSES } from '../contracts/index.ts'
import type { AccountSockets } from '../http/account-sockets/index.ts'
import type { AgentPages } from '../http/agent-pages/index.ts'
import { answerApiError, knownError, type PageOrigins, refuseUpgrade } from '../http/index.ts'
import { lazily } from '../kernel/index.ts'
import type { Composition } from './compose.ts'
import type { AccountsFront } from './compose-accounts.ts'
import type { FrontSurface, UpgradeSurface } from './daemon-servers.ts'

interface SocketsDeps {
  readonly config: Pick<Config, 'publicUrl' | 'trustedProxies' | 'hosting'>
  readonly accounts: Pick<AccountsFront, 'viewOf'>
  readonly pages: PageOrigins
  readonly port: () => number
}

export interface SocketsFront extends UpgradeSurface, Disposable {
  /** Requests whose Host is of an agent's own page are answered here, whatever they are for. */
  before(rest: RequestListener): RequestListener
  /** Without those requests. */
  without(front: FrontSurface): FrontSurface
}

const PATH = new RegExp(`^/api/instances/[^/?#]+/(?:${SOCKET_PURPOSES.join('|')})(?:\\?|$)`)

/** WebSockets to hosted agents, of accounts and of sessions at the console, and the agents' own pages; loaded by the first. */
export function openSockets(
  { installation, tenants, log, clock }: Composition,
  { config, accounts, pages, port }: SocketsDeps,
): SocketsFront {
  const { accessTokens, tickets } = installation
  const shared = {
    ...{ tickets, log, clock, isTrustedProxy: addressMatcher(config.trustedProxies) },
    tenants: () => tenants.all().map(accounts.viewOf),
  }
  let loaded: AccountSockets | undefined
  const load = lazily(async () => {
    const [{ createAccountSockets }, { createCloudbotRow }, { createVncRow }] = await Promise.all([
      import('../http/account-sockets/index.ts'),
      import('../http/cloudbot/index.ts'),
      import('../http/vnc/index.ts'),
    ])
    const { publicUrl } = config
    const rows = { cloudbot: createCloudbotRow(), vnc: createVncRow() }
    loaded = createAccountSockets({ ...shared, accessTokens, publicUrl, port, rows })
    return loaded
  })
  const loadPages = lazily(async (): Promise<AgentPages> => {
    const { createAgentPages } = await import('../http/agent-pages/index.ts')
    return createAgentPages({ ...shared, origins: pages, sockets: await load() })
  })
  const isForPage = (rawHeaders: readonly string[]): boolean =>
    config.hosting.pages !== null && pages.machineOf(hostOf(rawHeaders)) !== undefined
  return {
    takes: (url, rawHeaders) => PATH.test(url) || isForPage(rawHeaders),
    upgrade(request, socket, head) {
      const loading: Promise<Pick<AccountSockets, 'upgrade'>> = isForPage(request.rawHeaders)
        ? loadPages()
        : load()
      loading.then(
        (surface) => surface.upgrade(request, socket, head),
        (error: unknown) => refuseUpgrade(socket, error, log),
      )
    },
    before: (rest) => (request, response) => {
      if (!isForPage(request.rawHeaders)) return rest(request, response)
      loadPages().then(
        (surface) => surface.handle(request, response),
        (error: unknown) => answerApiError(response, knownError(error, log)),
      )
    },
    without: (front) =>
      config.hosting.pages === null
        ? front
        : { ...front, takes: (url, rawHeaders) => !isForPage(rawHeaders) && front.takes(url, rawHeaders) },
    [Symbol.dispose]: () => loaded?.[Symbol.dispose](),
  }
}

/** Undefined where it is not there once. */
function hostOf(rawHeaders: readonly string[]): string | undefined {
  const found = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase() === 'host' ? [rawHeaders[at + 1] ?? ''] : [],
  )
  return found.length === 1 ? found[0] : undefined
}
