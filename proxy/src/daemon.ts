import { type Composition, compose, type Overrides } from './compose.ts'
import { composeAdminApi, composeDoctorChecks } from './compose-admin.ts'
import type { Config } from './config/index.ts'
import type { Overview } from './daemon-banner.ts'
import { type DaemonFront, openFront } from './daemon-front.ts'
import { createLog } from './daemon-log.ts'
import { recoverOnStartup, runPeriodicTasks } from './daemon-periodic.ts'
import { announce } from './daemon-sandbox.ts'
import { closeServer, createAgentServer, listenTcp } from './daemon-servers.ts'

/** A running daemon. Stopping it is a graceful shutdown: no new requests, runs under way finish or are ended (drain), all is closed. */
export interface Daemon extends AsyncDisposable {
  readonly url: string
  readonly adminSocketPath: string
  /** For whoever starts it at a terminal. */
  overview(): Promise<Overview>
  stop(): Promise<void>
}

export interface DaemonOptions extends Overrides {
  /** The lock and the socket, where they were there before this was loaded. */
  readonly front?: DaemonFront
  /** How long a drain waits for runs under way. */
  readonly drainMs?: number
}

/** Together well below the stop timeouts of systemd and compose (30 s and more). */
const DRAIN_MS = 12_000
const DISPOSE_MS = 12_000
const TICK_MS = 1_000
const SANDBOX_VIEW_MS = 5_000

/** Takes the database, joins the parts, and starts them; what was started is undone in reverse. */
export async function startDaemon(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
  const log = options.log ?? createLog(config.logLevel)
  await using stack = new AsyncDisposableStack()
  const front = stack.use(options.front ?? (await openFront(config)))
  const parts = stack.use(await compose(config, { ...options, log }))
  const { sandbox, telegram, llmProxy } = parts
  await recoverOnStartup(parts, log)

  const agentServer = createAgentServer(parts.app, llmProxy)
  const url = await listenTcp(agentServer, config.host, config.port)
  stack.defer(() => closeServer(agentServer))
  const doctorChecks = composeDoctorChecks(config, parts, options.sandbox === undefined)
  front.serve(composeAdminApi(config, parts, { url: () => url, doctorChecks }))
  stack.defer(() => front.close())
  const tick = setInterval(() => runPeriodicTasks(parts, log), TICK_MS)
  stack.defer(() => clearInterval(tick))

  parts.upkeep.start()
  sandbox.start()
  parts.waker.start()
  telegram?.start()
  stack.use(await announce(sandbox, { url, telegram: config.telegram ? 'on' : 'off' }, log))

  const owned = stack.move()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= drainAndClose(parts, owned, options.drainMs ?? DRAIN_MS)
    return stopping
  }
  return {
    url,
    adminSocketPath: config.adminSocketPath,
    overview: async () => ({
      url,
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
  parts.setAccepting(false)
  await Promise.all([parts.runs.drain(drainMs), parts.llmProxy.drain(drainMs)])
  parts.transactor.transact(() => parts.audit.append('daemon.stopped', 'daemon', null, null))
  await Promise.race([
    owned.disposeAsync(),
    new Promise((resolve) => setTimeout(resolve, DISPOSE_MS).unref()),
  ])
  parts.log.info('oauth3 has stopped')
}
