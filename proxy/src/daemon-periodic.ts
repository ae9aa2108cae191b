import type { Logger } from 'pino'
import type { DaemonCore } from './daemon-core.ts'
import type { Executions, Sandbox } from './domain/executions/index.ts'
import type { LlmRooms } from './domain/provider-access/index.ts'
import { VERSION } from './version.ts'

/** Whatever an earlier process left half done is settled before anybody can ask. */
export async function recoverOnStartup(
  core: DaemonCore,
  sandbox: Sandbox,
  executions: Executions,
  llm: LlmRooms,
  log: Logger,
): Promise<void> {
  try {
    const swept = await sandbox.sweep()
    if (swept > 0) log.info({ swept }, 'removed what an earlier daemon left in the sandbox engine')
  } catch (error) {
    // That it is away is told once, when the rest is up; the sandbox sweeps when it comes back.
    log.debug({ err: error }, 'the sandbox engine does not answer yet; leftovers are removed when it does')
  }
  core.transactor.transact(() => core.audit.append('daemon.started', 'daemon', null, { version: VERSION }))
  executions.recover()
  await executions.readWaiting()
  runPeriodicTasks(executions, core, llm, log)
}

/** What comes to its end by itself: requests, grants, asks, old tokens. */
export function runPeriodicTasks(executions: Executions, core: DaemonCore, llm: LlmRooms, log: Logger): void {
  // Each for itself: what fails in one holds up no end of what stands in another.
  for (const part of [executions, core.trust, core.agents, llm.access]) {
    try {
      part.tick()
    } catch (error) {
      log.error({ err: error }, 'periodic work failed; it will be tried again')
    }
  }
}
