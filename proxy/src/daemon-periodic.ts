import type { Logger } from 'pino'
import type { Composition } from './compose.ts'
import { VERSION } from './version.ts'

/** Whatever an earlier process left half done is settled before anybody can ask. */
export async function recoverOnStartup(parts: Composition, log: Logger): Promise<void> {
  const { sandbox, executions, transactor, audit } = parts
  try {
    const swept = await sandbox.sweep()
    if (swept > 0) log.info({ swept }, 'removed what an earlier daemon left in the sandbox engine')
  } catch (error) {
    // That it is away is told once, when the rest is up; the sandbox sweeps when it comes back.
    log.debug({ err: error }, 'the sandbox engine does not answer yet; leftovers are removed when it does')
  }
  transactor.transact(() => audit.append('daemon.started', 'daemon', null, { version: VERSION }))
  executions.recover()
  await executions.readWaiting()
  runPeriodicTasks(parts, log)
}

/** What comes to its end by itself: requests, grants, asks, old tokens. */
export function runPeriodicTasks(
  { executions, trust, agents, llm }: Pick<Composition, 'executions' | 'trust' | 'agents' | 'llm'>,
  log: Logger,
): void {
  // Each for itself: what fails in one holds up no end of what stands in another.
  for (const part of [executions, trust, agents, llm.access]) {
    try {
      part.tick()
    } catch (error) {
      log.error({ err: error }, 'periodic work failed; it will be tried again')
    }
  }
}
