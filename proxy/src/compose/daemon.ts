import type { Config } from '../config/index.ts'
import type { AdminApi } from '../http/admin-api/index.ts'
import { createPageOrigins } from '../http/index.ts'
import { type Composition, compose, type Overrides } from './compose.ts'
import { openAccounts } from './compose-accounts.ts'
import { composeAdminApi, composeDoctorChecks } from './compose-admin.ts'
import { withConsole } from './compose-console.ts'
import { createAdminFront } from './compose-front.ts'
import { openSockets } from './compose-sockets.ts'
import type { TenantParts } from './compose-tenant.ts'
import type { Overview } from './daemon-banner.ts'
import { listenForApps } from './daemon-claude-runs.ts'
import { type DaemonFront, openFront } from './daemon-front.ts'
import { createLog } from './daemon-log.ts'
import { recoverTenant, sweepSandbox } from './daemon-periodic.ts'
import { preload } from './daemon-preload.ts'
import { announce } from './daemon-sandbox.ts'
import { createAgentServer, joinUpgrades, listenTcp } from './daemon-servers.ts'
import { drainTenant, startTenant } from './daemon-tenant-lifecycle.ts'

/** A running daemon. Stopping it is a graceful shutdown: no new requests, runs under way finish or are ended (drain), all is closed. */
export interface Daemon extends AsyncDisposable {
  readonly url: string
  /** Where apps have prompts run; undefined where that is off. */
  readonly appsUrl: string | undefined
  readonly adminSocketPath: string
  /** Aborted when another daemon works on the database: this one writes nothing any more, and has to be stopped. */
  readonly taken: AbortSignal
  /** For whoever starts it at a terminal. */
  overview(): Promise<Overview>
  stop(): Promise<void>
}

export interface DaemonOptions extends Overrides {
  /** The lock and the socket, where they were there before this was loaded. */
  readonly front?: DaemonFront
  /** Why what is loaded is compiled anew; null where V8's compile cache is used. */
  readonly cacheProblem?: string | null
  /** How long a drain waits for runs under way. */
  readonly drainMs?: number
}

/** With what ends of runs take (5 s) below the stop timeouts of systemd and compose (30 s and more). */
const DRAIN_MS = 12_000
const DISPOSE_MS = 10_000
const SANDBOX_VIEW_MS = 5_000

/** Takes the database, joins the parts, and starts them; what was started is undone in reverse. */
export async function startDaemon(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
  const log = options.log ?? createLog(config.logLevel)
  await using stack = new AsyncDisposableStack()
  const front = stack.use(options.front ?? (await openFront(config)))
  const parts = stack.use(await compose(config, { ...options, lock: front.lock, log }))
  const { sandbox, tenants, front: agents } = parts
  await sweepSandbox(
    [sandbox, ...(parts.installation.claudeRuns ? [parts.installation.claudeRuns.runner] : [])],
    log,
  )
  await recoverTenant(parts, log)
  await tenants.start()

  const checksIsolation = options.sandbox === undefined
  const adminApis = new WeakMap<TenantParts, AdminApi>()
  const adminApi = (tenant: TenantParts): AdminApi => {
    const all = { ...parts, ...tenant }
    const api =
      adminApis.get(tenant) ??
      composeAdminApi(all, {
        url: () => url,
        appsUrl: () => forApps?.url ?? null,
        consoleAddress: console.address,
        directory: () => accounts.directory,
        doctorChecks: composeDoctorChecks(config, all, checksIsolation),
      })
    adminApis.set(tenant, api)
    return api
  }
  const port = (): number => Number(new URL(url).port || 80)
  const pages = createPageOrigins(config.hosting.pages, port)
  const accounts = openAccounts(parts, { config, adminApi, pages, port })
  const sockets = openSockets(parts, { config, accounts, pages, port })
  const { tickets } = parts.installation
  const atConsole = { ...parts, config, accounts, sockets, tickets, pages, port }
  const console = stack.use(withConsole(agents.app, atConsole))
  const agentServer = createAgentServer(
    ...([sockets.before(console.app), sockets.without(agents.llm), config.llmTransport] as const),
    joinUpgrades(sockets, agents.cdp),
  )
  const url = await listenTcp(agentServer.server, config.host, config.port)
  stack.defer(() => agentServer.close())
  // Before the server, which waits for what it has upgraded.
  stack.use(sockets)
  await console.listenLocally()
  const { claudeRuns: base } = parts.installation
  const forApps = base === null ? undefined : stack.use(await listenForApps(base, { ...parts, config }))
  front.serve(createAdminFront(tenants, adminApi, log))
  stack.defer(() => front.close())
  sandbox.start()
  base?.runner.start()
  stack.use(await startTenant(parts, log))
  if (options.cacheProblem) log.warn(`V8's compile cache is not used: ${options.cacheProblem}`)
  stack.use(preload(options.cacheProblem === null))
  stack.use(
    await announce(sandbox, { url, apps: forApps?.url, telegram: config.telegram ? 'on' : 'off' }, log),
  )

  const owned = stack.move()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    const drainMs = front.lock.taken.aborted ? 0 : (options.drainMs ?? DRAIN_MS)
    stopping ??= drainAndClose(parts, owned, drainMs)
    return stopping
  }
  return {
    url,
    appsUrl: forApps?.url,
    adminSocketPath: config.adminSocketPath,
    taken: front.lock.taken,
    overview: async () => ({
      url,
      console: `${console.address().origin}/console/`,
      sandbox: (await sandbox.status(SANDBOX_VIEW_MS)).kind,
      agents: parts.agents.list().filter(({ revokedAt }) => revokedAt === null).length,
    }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function drainAndClose(
  parts: Composition,
  owned: AsyncDisposableStack,
  drainMs: number,
): Promise<void> {
  parts.log.info(
    `oauth3 is stopping: what is under way has ${drainMs / 1_000} seconds; the next signal ends it at once`,
  )
  await Promise.all(parts.tenants.all().map((tenant) => drainTenant(tenant, drainMs)))
  await Promise.race([
    owned.disposeAsync(),
    new Promise((resolve) => setTimeout(resolve, DISPOSE_MS).unref()),
  ])
  parts.log.info('oauth3 has stopped')
}
