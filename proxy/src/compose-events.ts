import type { Logger } from 'pino'
import type { DaemonCore } from './daemon-core.ts'
import { lowDiskMessage } from './daemon-health.ts'
import type { Upkeep } from './daemon-storage.ts'
import type { createChanges, Executions } from './domain/executions/index.ts'
import type { LlmModules } from './domain/provider-access/index.ts'
import type { createWakeScheduler } from './domain/wake/index.ts'
import { countTransition, type Metrics } from './surfaces/agent-api/index.ts'
import type { createTelegramNotifier } from './surfaces/telegram/index.ts'

/**
 * Who acts on what, inside the transaction of what they act on. Subscribers of one event run in the order in which they stand
 * here; an error of any undoes the fact and all that the others did.
 */
export function subscribeParts(parts: {
  readonly core: Pick<DaemonCore, 'events' | 'transactor'>
  readonly executions: Executions
  readonly changes: ReturnType<typeof createChanges>
  readonly scheduleWake: ReturnType<typeof createWakeScheduler>
  readonly llm: LlmModules
  readonly upkeep: Upkeep
  readonly metrics: Metrics
  /** Undefined: nobody is told by Telegram. */
  readonly notifier: ReturnType<typeof createTelegramNotifier> | undefined
  readonly log: Pick<Logger, 'warn'>
}): void {
  const { executions, changes, scheduleWake, llm, upkeep, metrics, notifier, log } = parts
  const { events, transactor } = parts.core

  events.subscribe('agent.revoked', ({ agentId, actor }) => {
    executions.agentRevoked(agentId, actor)
    llm.access.agentRevoked(agentId, actor)
    llm.keys.dropCache()
  })
  events.subscribe('secret.stored', ({ name }) => executions.secretStored(name))
  events.subscribe('provider.removed', ({ name, actor }) => {
    for (const { id } of llm.keys.list(name)) llm.keys.remove(id, actor)
    llm.access.providerRemoved(name, actor)
  })

  // It is told inside the transaction, so one that is undone counts too.
  events.subscribe('execution.changed', (event) => countTransition(metrics, event))
  events.subscribe('execution.changed', scheduleWake)
  if (notifier) {
    events.subscribe('execution.changed', (event) => notifier.executionChanged(event))
    events.subscribe('access.requested', (event) => notifier.accessChanged(event))
    events.subscribe('access.settled', (event) => notifier.accessChanged(event))
    events.subscribe('access.limit_passed', (event) => notifier.accessChanged(event))
  }
  events.subscribe('execution.changed', ({ execution }) => changes.announce(execution))

  events.subscribe('content.released', () => transactor.afterCommit(() => upkeep.nudge()))
  events.subscribe('storage.low', ({ freeBytes }) => {
    log.warn({ freeBytes }, 'the disk is nearly full')
    notifier?.tellOwner(`💾 ${lowDiskMessage(freeBytes)}`)
  })
  events.subscribe('storage.recovered', ({ freeBytes }) => {
    log.warn({ freeBytes }, 'the disk has room again')
    notifier?.tellOwner('💾 the disk has room again; new requests are taken')
  })
}
