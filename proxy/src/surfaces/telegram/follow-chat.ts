import type { TelegramDeps } from './deps.ts'
import { code } from './html.ts'
import { cardLane, replyLane } from './lanes.ts'

const ALL = 1_000

/** Goes where the chat went, and sends what waits anew: cards in the old place can no longer be answered. */
export const createChatFollower =
  (
    deps: Pick<TelegramDeps, 'chat' | 'executions' | 'llm' | 'outbox' | 'transactor' | 'audit' | 'log'>,
  ): ((to: string) => boolean) =>
  (to) => {
    const { chat, executions, llm, outbox, transactor, audit, log } = deps
    const from = chat.id
    return transactor.transact(() => {
      if (!chat.moveTo(to)) return false
      audit.append('telegram.chat_moved', 'daemon', null, { from, to })
      for (const { requestId, agentId } of executions.list({ statuses: ['pending'], limit: ALL }))
        outbox.enqueue(cardLane(to, agentId), 'card', { requestId })
      for (const { requestId, agentId } of executions.list({ statuses: ['awaiting_secrets'], limit: ALL }))
        outbox.enqueue(cardLane(to, agentId), 'secret_prompt', { requestId })
      for (const { id, agentId } of llm.access.pending())
        outbox.enqueue(cardLane(to, agentId), 'card', { requestId: id })
      outbox.enqueue(replyLane(to), 'notice', {
        html: `This group became a supergroup with another id. I go on here; put ${code(`TELEGRAM_CHAT_ID=${to}`)} into the settings.`,
      })
      log.warn(
        { from, to },
        'the chat became a supergroup and is followed; set TELEGRAM_CHAT_ID to its new id',
      )
      return true
    })
  }
