import type { Agents } from '../../domain/agents/index.ts'
import type { Outbox } from '../../domain/outbox/index.ts'
import type { AccessObserver } from '../../domain/provider-access/index.ts'
import { renderLimitPassed } from './access-message.ts'
import { cardLane } from './observer.ts'

/**
 * Queues what the chat must learn of asks and grants, inside the transaction that made it so. Of an ask only its id is
 * queued; what is shown is rendered from the stored row when it is sent.
 */
export function createTelegramAccessObserver(deps: {
  readonly outbox: Outbox
  readonly agents: Pick<Agents, 'byId'>
  readonly chatId: string
  /** Called inside the transaction: what is queued can be sent once that is committed. */
  readonly onEnqueued?: () => void
}): AccessObserver {
  const lane = cardLane(deps.chatId)
  const enqueue = (kind: string, payload: Record<string, string>): void => {
    deps.outbox.enqueue(lane, kind, payload)
    deps.onEnqueued?.()
  }
  return {
    asked: ({ id }) => enqueue('provider_ask', { askId: id }),
    settled: ({ id }) => enqueue('provider_ask_update', { askId: id }),
    limitPassed(grant, limit) {
      const agent = deps.agents.byId(grant.agentId)?.name ?? grant.agentId
      enqueue('notice', { html: renderLimitPassed(grant, limit, agent) })
    },
  }
}
