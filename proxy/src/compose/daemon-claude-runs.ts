import { createServer, type RequestListener } from 'node:http'
import { appToken } from '../claude-runs/apps/index.ts'
import { addressMatcher, type Config } from '../config/index.ts'
import { answerApiError, knownError } from '../http/index.ts'
import { DEFAULT_TENANT, lazily, sha256Hex } from '../kernel/index.ts'
import { VERSION } from '../version.ts'
import type { TenantParts } from './compose-tenant.ts'
import type { Tenants } from './compose-tenants.ts'
import type { ClaudeRunsBase } from './daemon-claude-runner.ts'
import { closeServer, listenTcp } from './daemon-servers.ts'

/** The port of apps while it listens. */
export interface ClaudeRunsServer extends AsyncDisposable {
  readonly url: string
}

const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 65_000
const MAX_CONNECTIONS = 2_048

/**
 * One port for the apps of all tenants: a token's hash tells whose it is, before anything of the request is evaluated. A stranger's
 * request is the default tenant's to refuse. What answers is loaded at the first request.
 */
export async function listenForApps(
  base: ClaudeRunsBase,
  deps: {
    readonly config: Pick<Config, 'trustedProxies'>
    readonly tenants: Pick<Tenants, 'all'>
    readonly log: { error(details: object, message: string): void }
  },
): Promise<ClaudeRunsServer> {
  const { settings } = base
  const answer = createAppsFront(base, deps)
  // Bodies may take long, as long as they come: uploads have a limit on silence of their own.
  const server = createServer(
    { requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    answer,
  )
  server.maxConnections = MAX_CONNECTIONS
  const url = await listenTcp(server, settings.host, settings.port)
  return { url, [Symbol.asyncDispose]: () => closeServer(server) }
}

function createAppsFront(
  { settings, runner, places }: ClaudeRunsBase,
  {
    config,
    tenants,
    log,
  }: {
    readonly config: Pick<Config, 'trustedProxies'>
    readonly tenants: Pick<Tenants, 'all'>
    readonly log: { error(details: object, message: string): void }
  },
): RequestListener {
  const addresses = {
    isAllowed: addressMatcher(settings.allowedFrom),
    isTrustedProxy: addressMatcher(config.trustedProxies),
  }
  const load = lazily(() => import('../http/claude-runs-api/index.ts'))
  const made = new WeakMap<TenantParts, RequestListener>()
  const listenerOf = async (parts: TenantParts): Promise<RequestListener> => {
    const { createClaudeRunsApi } = await load()
    const known = made.get(parts)
    if (known !== undefined) return known
    const { claudeRuns, settings: tenant } = parts
    if (claudeRuns === null) throw new Error('the port of apps is open, and runs are off')
    const api = createClaudeRunsApi({
      ...parts,
      ...claudeRuns,
      addresses,
      // It makes apps of the installation's own tenant alone.
      bootstrapToken: tenant.id === DEFAULT_TENANT ? settings.bootstrapToken : null,
      status: () => runner.status(),
      queue: () => ({ running: places.running, waiting: places.waiting }),
      version: VERSION,
    })
    made.set(parts, api)
    return api
  }
  const holderOf = (authorization: string | undefined): TenantParts => {
    const all = tenants.all()
    const token = all.length === 1 ? undefined : appToken(authorization)
    const hash = token === undefined ? undefined : sha256Hex(token)
    const holder = hash === undefined ? undefined : all.find(({ apps }) => apps.hasIssued(hash))
    return holder ?? (all[0] as TenantParts)
  }
  return (request, response) => {
    listenerOf(holderOf(request.headers.authorization)).then(
      (listener) => listener(request, response),
      (error: unknown) => answerApiError(response, knownError(error, log)),
    )
  }
}
