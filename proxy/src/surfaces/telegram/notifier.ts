import type { Agents } from '../../domain/agents/index.ts'
import type { Transactor } from '../../domain/audit/index.ts'
import type { ExecutionEvent } from '../../domain/executions/index.ts'
import type { Outbox } from '../../domain/outbox/index.ts'
import type { AccessEvent } from '../../domain/provider-access/index.ts'
import { renderLimitPassed } from './access-message.ts'
import type { Chat } from './chat.ts'
import { escapeHtml } from './html.ts'
import { cardLane, noticeLane, replyLane, updateLane } from './lanes.ts'

/**
 * Queues what the chat must learn, inside the transaction that made it so. Of requests and asks only their id is queued; what
 * is shown is rendered from the stored row when it is sent, so several transitions in a row become one edit.
 */
export interface TelegramNotifier {
  executionChanged(event: ExecutionEvent): void
  accessChanged(event: AccessEvent): void
  /** Something of the daemon itself; plain text. */
  tellOwner(text: string): void
}

export function createTelegramNotifier(deps: {
  readonly outbox: Outbox
  readonly agents: Pick<Agents, 'byId'>
  readonly chat: Pick<Chat, 'id'>
  readonly transactor: Pick<Transactor, 'afterCommit'>
  /** Whoever sends what is queued. */
  readonly sender: { nudge(): void }
}): TelegramNotifier {
  const { outbox, chat } = deps
  const enqueue = (lane: string, kind: string, payload: Record<string, string>): void => {
    outbox.enqueue(lane, kind, payload)
    deps.transactor.afterCommit(() => deps.sender.nudge())
  }
  return {
    executionChanged({ execution, from }) {
      const { requestId, agentId } = execution
      const cards = cardLane(chat.id, agentId)
      if (from === null && execution.status === 'pending') enqueue(cards, 'card', { requestId })
      else if (!execution.trusted && from !== null)
        enqueue(updateLane(chat.id, agentId), 'card_update', { requestId })
      else if (execution.status === 'failed')
        enqueue(noticeLane(chat.id, agentId), 'card_update', { requestId })
      if (execution.status === 'awaiting_secrets') enqueue(cards, 'secret_prompt', { requestId })
    },
    accessChanged(event) {
      if (event.type === 'access.limit_passed') {
        const { grant, limit } = event
        const agent = deps.agents.byId(grant.agentId)?.name ?? grant.agentId
        enqueue(noticeLane(chat.id, grant.agentId), 'notice', {
          html: renderLimitPassed(grant, limit, agent),
        })
        return
      }
      const { id, agentId } = event.ask
      if (event.type === 'access.requested') enqueue(cardLane(chat.id, agentId), 'card', { requestId: id })
      else enqueue(updateLane(chat.id, agentId), 'card_update', { requestId: id })
    },
    tellOwner: (text) => enqueue(replyLane(chat.id), 'notice', { html: escapeHtml(text) }),
  }
}
