import type { Logger } from 'pino'
import type { TenantParts } from './compose-tenant.ts'
import type { TenantLifecycle } from './compose-tenants.ts'
import { everyTick, recoverTenant, runPeriodicTasks } from './daemon-periodic.ts'

/** How long what a tenant has under way is waited for, when it alone ends. */
const DRAIN_MS = 3_000

/** Starts and ends the parts of one tenant, while the daemon runs on. */
export const createTenantLifecycle = (log: Logger): TenantLifecycle => ({
  async start(parts) {
    await recoverTenant(parts, log)
    return await startTenant(parts, log)
  },
  drain: (parts) => drainTenant(parts, DRAIN_MS),
})

/** From here on it does by itself what has its time, and talks to its chat and its wake targets. */
export async function startTenant(parts: TenantParts, log: Logger): Promise<AsyncDisposable> {
  const tick = everyTick(() => runPeriodicTasks(parts, log))
  try {
    parts.upkeep.start()
    await parts.waker.start()
    parts.telegram?.start()
    await parts.hosting?.start()
    return tick
  } catch (error) {
    await tick[Symbol.asyncDispose]()
    throw error
  }
}

/** No new requests; what is under way finishes in time, or is ended. */
export async function drainTenant(parts: TenantParts, ms: number): Promise<void> {
  parts.setAccepting(false)
  const runsOfApps = parts.claudeRuns?.runs.drain(ms)
  // A run needs its model until it is over.
  await Promise.all([parts.runs.drain(ms), runsOfApps, parts.llmProxy.drain(ms, runsOfApps)])
  try {
    await parts.storage.transaction((tx) => parts.audit.append(tx, 'daemon.stopped', 'daemon', null, null))
  } catch (error) {
    // A database that is away, or another daemon's by now, keeps nobody from ending.
    parts.log.error({ err: error }, 'the stop could not be written to the audit')
  }
}
