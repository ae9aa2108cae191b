import type { Agents } from '../../domain/agents/index.ts'
import type { Outbox } from '../../domain/outbox/index.ts'
import type { AccessObserver } from '../../domain/provider-access/index.ts'
import { renderLimitPassed } from './access-message.ts'
import type { Chat } from './chat.ts'
import { cardLane, noticeLane, updateLane } from './lanes.ts'

/**
 * Queues what the chat must learn of asks and grants, inside the transaction that made it so. Of an ask only its id is
 * queued; what is shown is rendered from the stored row when it is sent.
 */
export function createTelegramAccessObserver(deps: {
  readonly outbox: Outbox
  readonly agents: Pick<Agents, 'byId'>
  readonly chat: Pick<Chat, 'id'>
  /** Called inside the transaction: what is queued can be sent once that is committed. */
  readonly onEnqueued?: () => void
}): AccessObserver {
  const enqueue = (lane: string, kind: string, payload: Record<string, string>): void => {
    deps.outbox.enqueue(lane, kind, payload)
    deps.onEnqueued?.()
  }
  return {
    asked: ({ id, agentId }) => enqueue(cardLane(deps.chat.id, agentId), 'card', { requestId: id }),
    settled: ({ id, agentId }) =>
      enqueue(updateLane(deps.chat.id, agentId), 'card_update', { requestId: id }),
    limitPassed(grant, limit) {
      const agent = deps.agents.byId(grant.agentId)?.name ?? grant.agentId
      enqueue(noticeLane(deps.chat.id, grant.agentId), 'notice', {
        html: renderLimitPassed(grant, limit, agent),
      })
    },
  }
}
