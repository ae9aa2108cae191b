import type { ExecutionObserver } from '../../domain/executions/index.ts'
import type { Outbox } from '../../domain/outbox/index.ts'
import type { Chat } from './chat.ts'
import { escapeHtml } from './html.ts'
import { cardLane, noticeLane, replyLane, updateLane } from './lanes.ts'

/** Tells the owner something of the daemon itself; plain text. Inside the transaction of what it tells of. */
export const tellOwner = (outbox: Outbox, chatId: string, text: string): void =>
  outbox.enqueue(replyLane(chatId), 'notice', { html: escapeHtml(text) })

/**
 * Queues what the chat must learn of a transition, inside its transaction. Only the request's id is queued; what is
 * shown is rendered from the stored row when it is sent, so several transitions in a row become one edit.
 */
export function createTelegramObserver(deps: {
  readonly outbox: Outbox
  readonly chat: Pick<Chat, 'id'>
  /** Called inside the transaction: what is queued can be sent once that is committed. */
  readonly onEnqueued?: () => void
}): ExecutionObserver {
  const enqueue = (lane: string, kind: string, payload: { requestId: string }): void => {
    deps.outbox.enqueue(lane, kind, payload)
    deps.onEnqueued?.()
  }
  return {
    transitioned(execution, from) {
      const payload = { requestId: execution.requestId }
      const cards = cardLane(deps.chat.id, execution.agentId)
      if (from === null && execution.status === 'pending') enqueue(cards, 'card', payload)
      else if (!execution.trusted && from !== null)
        enqueue(updateLane(deps.chat.id, execution.agentId), 'card_update', payload)
      else if (execution.status === 'failed')
        enqueue(noticeLane(deps.chat.id, execution.agentId), 'card_update', payload)
      if (execution.status === 'awaiting_secrets') enqueue(cards, 'secret_prompt', payload)
    },
  }
}
