import { addressMatcher, type Config } from '../config/index.ts'
import type { AccountSockets } from '../http/account-sockets/index.ts'
import { knownError, writeError } from '../http/index.ts'
import { lazily } from '../kernel/index.ts'
import type { Composition } from './compose.ts'
import type { AccountsFront } from './compose-accounts.ts'
import type { UpgradeSurface } from './daemon-servers.ts'

interface SocketsDeps {
  readonly config: Pick<Config, 'publicUrl' | 'trustedProxies'>
  readonly accounts: Pick<AccountsFront, 'viewOf'>
  readonly port: () => number
}

const PATH = /^\/api\/instances\/[^/?#]+\/(?:cloudbot|vnc)(?:\?|$)/

/** WebSockets to hosted agents, of accounts and of sessions at the console; loaded by the first. */
export function openSockets(
  { installation, tenants, log }: Composition,
  { config, accounts, port }: SocketsDeps,
): UpgradeSurface & Disposable {
  let loaded: AccountSockets | undefined
  const load = lazily(async () => {
    const [{ createAccountSockets }, { createCloudbotRow }] = await Promise.all([
      import('../http/account-sockets/index.ts'),
      import('../http/cloudbot/index.ts'),
    ])
    loaded = createAccountSockets({
      ...{ accessTokens: installation.accessTokens, tickets: installation.tickets, port, log },
      ...{ publicUrl: config.publicUrl, isTrustedProxy: addressMatcher(config.trustedProxies) },
      tenants: () => tenants.all().map(accounts.viewOf),
      rows: { cloudbot: createCloudbotRow() },
    })
    return loaded
  })
  return {
    takes: (url) => PATH.test(url),
    upgrade(request, socket, head) {
      load().then(
        (sockets) => sockets.upgrade(request, socket, head),
        (error: unknown) =>
          writeError(socket, { status: knownError(error, log).status, headers: [], body: '' }),
      )
    },
    [Symbol.dispose]: () => loaded?.[Symbol.dispose](),
  }
}
