import type { ExecutionObserver } from '../../domain/executions/index.ts'
import type { Outbox } from '../../domain/outbox/index.ts'
import { escapeHtml } from './html.ts'

/** What the chat is told, in order. Replies to commands have a lane of their own, so cards do not delay them. */
export const cardLane = (chatId: string): string => `telegram:${chatId}`
export const replyLane = (chatId: string): string => `telegram:${chatId}/reply`

/** Tells the owner something of the daemon itself; plain text. Inside the transaction of what it tells of. */
export const tellOwner = (outbox: Outbox, chatId: string, text: string): void =>
  outbox.enqueue(replyLane(chatId), 'notice', { html: escapeHtml(text) })

/**
 * Queues what the chat must learn of a transition, inside its transaction. Only the request's id is queued; what is
 * shown is rendered from the stored row when it is sent, so several transitions in a row become one edit.
 */
export function createTelegramObserver(deps: {
  readonly outbox: Outbox
  readonly chatId: string
  /** Called inside the transaction: what is queued can be sent once that is committed. */
  readonly onEnqueued?: () => void
}): ExecutionObserver {
  const lane = cardLane(deps.chatId)
  const enqueue = (kind: string, payload: { requestId: string }): void => {
    deps.outbox.enqueue(lane, kind, payload)
    deps.onEnqueued?.()
  }
  return {
    transitioned(execution, from) {
      const payload = { requestId: execution.requestId }
      const hasCard = !execution.trusted
      if (from === null && execution.status === 'pending') enqueue('card', payload)
      else if ((hasCard && from !== null) || execution.status === 'failed') enqueue('card_update', payload)
      if (execution.status === 'awaiting_secrets') enqueue('secret_prompt', payload)
    },
  }
}
