import type { Logger } from 'pino'
import type { Config } from '../config/index.ts'
import { WAITING_STATES } from '../executions/index.ts'
import type { Actor } from '../identity/index.ts'
import { type Clock, DEFAULT_TENANT, systemClock } from '../kernel/index.ts'
import { createFront, isAccountsChat } from './compose-front.ts'
import { type InstallationOverrides, openInstallation } from './compose-installation.ts'
import { composeTenant, type TenantOverrides } from './compose-tenant.ts'
import { createTenants } from './compose-tenants.ts'
import { openTenantCore } from './daemon-core.ts'
import { createLog } from './daemon-log.ts'
import { openFreeSpace } from './daemon-storage.ts'
import { createTenantLifecycle } from './daemon-tenant-lifecycle.ts'

/** Parts that a test or the demo puts in the place of the usual ones; each left out is the real one. */
export interface Overrides extends InstallationOverrides, TenantOverrides {
  readonly clock?: Clock
  readonly log?: Logger
}

/** All parts, joined and at rest. */
export type Composition = Awaited<ReturnType<typeof compose>>

/**
 * The one graph of parts: the installation's, on them the default tenant's as the settings say, and beside it those of every other
 * tenant. Nothing listens, polls, runs or looks back at what an earlier process left: the daemon starts that. Disposal undoes it in
 * reverse.
 */
export async function compose(config: Config, overrides: Overrides = {}) {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLog(config.logLevel)
  await using stack = new AsyncDisposableStack()
  const installation = stack.use(await openInstallation(config, clock, log, overrides))
  const { database, masterKeys, metrics, sandbox } = installation
  const archiveFolder = config.storage.auditArchiveDirectory
  const core = await openTenantCore(installation, {
    storage: database.forTenant(DEFAULT_TENANT),
    keyring: masterKeys.keyring,
    archiveFolder,
    freeSpace: (told) => openFreeSpace(installation, told),
  })
  database.whenFull(() => void core.freeSpace.refusedWrite())
  const { telegram, wake } = config
  const settings = { id: DEFAULT_TENANT, name: DEFAULT_TENANT, telegram, wake, archiveFolder }
  const own = stack.use(await composeTenant(installation, core, settings, overrides))
  const tenants = stack.use(
    createTenants({ installation, own, lifecycle: createTenantLifecycle(log), overrides }),
  )
  await tenants.load()

  const sum = async (count: (parts: typeof own) => Promise<number>): Promise<number> =>
    (await Promise.all(tenants.all().map(count))).reduce((all, one) => all + one, 0)
  metrics.watch({
    pending: () =>
      sum(
        async ({ storage, executions }) =>
          (await storage.read((tx) => executions.list(tx, { statuses: WAITING_STATES, limit: 1_000 })))
            .length,
      ),
    telegramOutbox: () => sum(({ outbox }) => outbox.waiting('telegram:')),
    warm: async () => (await sandbox.status()).warm,
    claudeRuns: () => ({
      running: installation.claudeRuns?.places.running ?? 0,
      waiting: installation.claudeRuns?.places.waiting ?? 0,
    }),
    llm: () => tenants.all().flatMap(({ llm }) => llm.usage.totals()),
  })

  const owned = stack.move()
  return {
    ...own,
    sandbox,
    installation,
    imports: installation.imports,
    tenants,
    /** What listens for agents of every tenant. */
    front: createFront(tenants, config.signUp === 'closed' ? () => false : isAccountsChat),
    keys: {
      rotateData: (actor: Actor): Promise<number> => own.vault.rotate(actor),
      rotateMaster: (actor: Actor): Promise<void> =>
        masterKeys.rotate((tx) => own.audit.append(tx, 'key.rotated', actor, null, { what: 'master key' })),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
