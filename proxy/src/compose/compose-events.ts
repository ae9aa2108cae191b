import type { Logger } from 'pino'
import type { ClaudeRuns } from '../claude-runs/runs/index.ts'
import type { ToolCalls } from '../claude-runs/tool-calls/index.ts'
import type { createChanges, Executions, Runs } from '../executions/index.ts'
import { countTransition, type Metrics } from '../http/agent-api/index.ts'
import { agentRequester, appRequester, type Requester } from '../identity/index.ts'
import type { LlmModules } from '../llm/provider-access/index.ts'
import type { EventFeed } from '../notify/event-feed/index.ts'
import type { createTelegramNotifier } from '../notify/telegram/index.ts'
import type { createWakeScheduler } from '../notify/wake/index.ts'
import type { WebPush } from '../notify/web-push/index.ts'
import type { TenantCore } from './daemon-core.ts'
import { lowDiskMessage } from './daemon-health.ts'
import type { Upkeep } from './daemon-storage.ts'

/**
 * Who acts on what, in the unit of work of what they act on. Subscribers of one event run in the order in which they stand
 * here; an error of any undoes the fact and all that the others did.
 */
export function subscribeParts(parts: {
  readonly core: Pick<TenantCore, 'events' | 'approvals' | 'trust' | 'lockdown' | 'quorum'>
  readonly executions: Executions
  readonly runs: Runs
  readonly changes: ReturnType<typeof createChanges>
  readonly scheduleWake: ReturnType<typeof createWakeScheduler>
  readonly llm: LlmModules
  /** Undefined: they are off. */
  readonly claudeRuns: ClaudeRuns | undefined
  readonly toolCalls: Pick<ToolCalls, 'halt'> | undefined
  readonly upkeep: Upkeep
  readonly webPush: Pick<WebPush, 'approvalRequested'>
  readonly metrics: Metrics
  /** Undefined: nobody is told by Telegram. */
  readonly notifier: ReturnType<typeof createTelegramNotifier> | undefined
  /** For who is signed in at the console. */
  readonly feed: EventFeed
  readonly log: Pick<Logger, 'warn'>
}): void {
  const { core, executions, changes, scheduleWake, llm, upkeep, metrics, notifier, feed, log } = parts
  const { events } = core

  events.subscribe('agent.revoked', async ({ agentId, actor }, tx) => {
    await core.approvals.requesterRevoked(tx, agentRequester(agentId), { actor, name: null })
    await core.quorum.requesterRevoked(tx, agentRequester(agentId), actor)
    await executions.cancelApproved(tx, agentId, actor, 'agent revoked')
    tx.onCommit(() => parts.runs.endOf(agentId))
    await llm.access.agentRevoked(tx, agentId, actor)
    llm.keys.dropCache()
  })
  events.subscribe('app.revoked', async ({ appId, actor }, tx) => {
    await core.approvals.requesterRevoked(tx, appRequester(appId), { actor, name: null })
    await core.quorum.requesterRevoked(tx, appRequester(appId), actor)
    await parts.claudeRuns?.appRevoked(tx, appId)
  })
  events.subscribe('lockdown.begun', async ({ by }, tx) => {
    await core.approvals.withdrawAll(tx, by, LOCKDOWN)
    await executions.cancelApproved(tx, null, by.actor, LOCKDOWN)
    await core.trust.revokeAll(tx, by.actor)
    await llm.access.revokeAll(tx, by.actor)
    llm.keys.dropCache()
  })
  core.lockdown.onBegin(() => {
    parts.runs.halt()
    parts.claudeRuns?.halt()
    parts.toolCalls?.halt()
    llm.keys.dropCache()
  })
  core.lockdown.onEnd(parts.runs.resume)
  events.subscribe('secret.renamed', ({ from, to, actor }, tx) =>
    core.quorum.secretRenamed(tx, from, to, actor),
  )
  events.subscribe('secret.stored', ({ name }, tx) => executions.secretStored(tx, name))
  events.subscribe('provider.removed', async ({ name, actor }, tx) => {
    for (const { id } of llm.keys.list(name)) await llm.keys.remove(tx, id, actor)
    await llm.access.providerRemoved(tx, name, actor)
  })

  events.subscribe('execution.changed', (event, tx) => tx.onCommit(() => countTransition(metrics, event)))
  events.subscribe('execution.changed', scheduleWake)
  if (notifier) {
    events.subscribe('execution.changed', notifier.executionChanged)
    events.subscribe('approval.requested', notifier.approvalChanged)
    events.subscribe('approval.voted', notifier.approvalChanged)
    events.subscribe('approval.settled', notifier.approvalChanged)
    events.subscribe('approval.reminded', notifier.approvalChanged)
    events.subscribe('approval.asked_again', notifier.approvalChanged)
    events.subscribe('access.limit_passed', notifier.limitPassed)
  }
  events.subscribe('approval.requested', parts.webPush.approvalRequested)
  events.subscribe('execution.changed', ({ execution }, tx) => changes.announce(tx, execution))

  events.subscribe('content.released', (_event, tx) => tx.afterCommit(() => upkeep.nudge()))
  events.subscribe('storage.low', async ({ freeBytes }, tx) => {
    log.warn({ freeBytes }, 'the disk is nearly full')
    await notifier?.tellOwner(`💾 ${lowDiskMessage(freeBytes)}`, tx)
  })
  events.subscribe('storage.recovered', async ({ freeBytes }, tx) => {
    log.warn({ freeBytes }, 'the disk has room again')
    await notifier?.tellOwner('💾 the disk has room again; new requests are taken', tx)
  })

  events.subscribe('approval.requested', ({ type, id, requester }, tx) =>
    tx.afterCommit(() => feed.publish({ type, id, ...memberOf(requester) })),
  )
  events.subscribe('approval.settled', ({ type, id, requester, state }, tx) =>
    tx.afterCommit(() => feed.publish({ type, id, ...memberOf(requester), state })),
  )
  events.subscribe('execution.changed', ({ type, execution }, tx) =>
    tx.afterCommit(() =>
      feed.publish({ type, id: execution.requestId, agent_id: execution.agentId, status: execution.status }),
    ),
  )
  events.subscribe('machine.identity_taken', async ({ name }, tx) => {
    log.warn({ machine: name }, 'two have shown themselves as one machine; it was ended')
    await notifier?.tellOwner(
      `⚠️ Somebody else has shown itself as the hosted agent ${name}, by what its instance was handed. It was ended; the next who speaks to it has a new one made. Look at who may read user data of your EC2 account.`,
      tx,
    )
  })
  // Whatever else changes has a row there: agents, secrets, grants, keys.
  events.subscribe('audit.appended', ({ id, event, requestId }, tx) =>
    tx.afterCommit(() => feed.publish({ type: 'audit', id, event, request_id: requestId })),
  )
}

/** Who asks, in the words of the console's events. */
const memberOf = ({ kind, id }: Requester): Record<string, string> =>
  kind === 'agent' ? { agent_id: id } : { app_id: id }

/** Why, as the audit has it. */
const LOCKDOWN = 'lockdown'
