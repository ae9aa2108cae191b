import type { RequestListener, Server } from 'node:http'
import type { Logger } from 'pino'
import { addressMatcher, type Config } from '../config/index.ts'
import type { Console } from '../http/console/index.ts'
import { answerApiError, knownError, type PageOrigins } from '../http/index.ts'
import type { ConsoleAddress } from '../identity/sessions/index.ts'
import type { Tickets } from '../identity/tickets/index.ts'
import { AppError, type Clock, lazily } from '../kernel/index.ts'
import { VERSION } from '../version.ts'
import type { AccountsFront } from './compose-accounts.ts'
import type { SocketsFront } from './compose-sockets.ts'
import type { Tenants } from './compose-tenants.ts'
import { closeServer, createUpgradingServer, listenTcp } from './daemon-servers.ts'

interface ConsoleFrontDeps {
  readonly config: Pick<Config, 'host' | 'publicUrl' | 'trustedProxies'>
  readonly tenants: Pick<Tenants, 'all'>
  readonly accounts: AccountsFront
  readonly sockets: SocketsFront
  readonly tickets: Tickets
  readonly pages: PageOrigins
  /** The one that the daemon listens on; known once it listens. */
  readonly port: () => number
  readonly clock: Clock
  readonly log: Logger
}

interface ConsoleFront extends AsyncDisposable {
  readonly app: RequestListener
  /** Where browsers reach it. */
  address(): ConsoleAddress
  /**
   * Where agents have an address of their own, this machine's browsers still come by localhost: to the console, and to nothing else.
   */
  listenLocally(): Promise<void>
}

const COVERS_LOCALHOST = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?|localhost)$/

/**
 * Puts the console in front of what answers agents. It is loaded at the first request for it: a daemon without one starts as fast, and
 * holds as little, as without a console.
 */
export function withConsole(app: RequestListener, deps: ConsoleFrontDeps): ConsoleFront {
  const { config, tenants, accounts, sockets, port, log } = deps
  let loaded: Console | undefined
  const load = lazily(async () => {
    const { createConsole } = await import('../http/console/index.ts')
    loaded = createConsole({
      ...{ publicUrl: config.publicUrl, isTrustedProxy: addressMatcher(config.trustedProxies) },
      ...{ port, clock: deps.clock, version: VERSION, log },
      tenants: () => tenants.all().map(accounts.viewOf),
      ...{ directory: accounts.directory, passwords: accounts.passwords },
      ...{ tickets: deps.tickets, pages: deps.pages },
    })
    return loaded
  })
  const before =
    (rest: RequestListener): RequestListener =>
    (request, response) => {
      if (!isForConsole(request.url)) return rest(request, response)
      load().then(
        (console) => console.handle(request, response),
        (error: unknown) => answerApiError(response, knownError(error, log)),
      )
    }
  let local: Server | undefined
  let problem: string | null = null

  return {
    app: before(accounts.before(app)),
    address: () =>
      config.publicUrl === null
        ? { origin: new URL(`http://localhost:${port()}`).origin, problem }
        : { origin: config.publicUrl, problem: null },
    async listenLocally() {
      if (COVERS_LOCALHOST.test(config.host)) return
      const nothing: RequestListener = (_request, response) => answerApiError(response, nothingElse())
      const server = createUpgradingServer(sockets.before(before(accounts.before(nothing))), sockets)
      try {
        await listenTcp(server, '127.0.0.1', port())
        local = server
      } catch (error) {
        problem = `Port ${port()} of localhost is somebody else's, so the console is not reached there: set OAUTH3_PUBLIC_URL, or another PORT.`
        log.warn({ reason: (error as Error).message }, 'the console is not served at localhost')
      }
    },
    async [Symbol.asyncDispose]() {
      loaded?.[Symbol.dispose]()
      if (local !== undefined) await closeServer(local)
    },
  }
}

const nothingElse = (): AppError =>
  new AppError('not_found', 'Here is the console alone; agents reach the daemon at another address.')

const isForConsole = (url = ''): boolean => /^\/console(?:[/?]|$)/.test(url)
