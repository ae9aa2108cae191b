import type { Logger } from 'pino'
import type { Sandbox } from '../sandbox/index.ts'
import { VERSION } from '../version.ts'
import type { TenantParts } from './compose-tenant.ts'

/** What an earlier process left in the sandbox engine. */
export async function sweepSandbox(sandboxes: readonly Pick<Sandbox, 'sweep'>[], log: Logger): Promise<void> {
  try {
    let swept = 0
    for (const sandbox of sandboxes) swept += await sandbox.sweep()
    if (swept > 0) log.info({ swept }, 'removed what an earlier daemon left in the sandbox engine')
  } catch (error) {
    // That it is away is told once, when the rest is up; the sandbox sweeps when it comes back.
    log.debug({ err: error }, 'the sandbox engine does not answer yet; leftovers are removed when it does')
  }
}

/** Whatever an earlier process left half done is settled before anybody can ask. */
export async function recoverTenant(parts: TenantParts, log: Logger): Promise<void> {
  const { executions, claudeRuns, storage, audit } = parts
  await storage.transaction((tx) => audit.append(tx, 'daemon.started', 'daemon', null, { version: VERSION }))
  await executions.recover()
  await executions.readWaiting()
  await claudeRuns?.runs.recover()
  await claudeRuns?.toolCalls.recover()
  await runPeriodicTasks(parts, log)
}

/** What comes to its end by itself: requests, grants, asks, old tokens. */
export async function runPeriodicTasks(
  {
    approvals,
    executions,
    trust,
    agents,
    llm,
    claudeRuns,
    auditIndexer,
  }: Pick<
    TenantParts,
    'approvals' | 'executions' | 'trust' | 'agents' | 'llm' | 'claudeRuns' | 'auditIndexer'
  >,
  log: Logger,
): Promise<void> {
  // Each for itself: what fails in one holds up no end of what stands in another.
  for (const part of [
    ...[approvals, executions, trust, agents, llm.access],
    ...[claudeRuns?.runs, auditIndexer],
  ]) {
    try {
      await part?.tick()
    } catch (error) {
      log.error({ err: error }, 'periodic work failed; it will be tried again')
    }
  }
}

const TICK_MS = 1_000

/** Calls `work` now and then, never while the call before it is under way. Disposal waits for that one. */
export function everyTick(work: () => Promise<void>): AsyncDisposable {
  let underWay: Promise<void> | undefined
  const timer = setInterval(() => {
    underWay ??= work().finally(() => {
      underWay = undefined
    })
  }, TICK_MS)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await underWay
    },
  }
}
