import type { TelegramDeps } from './deps.ts'
import { code } from './html.ts'
import { cardLane, replyLane } from './lanes.ts'

const ALL = 1_000

/** Goes where the chat went, and sends what waits anew: cards in the old place can no longer be answered. */
export const createChatFollower =
  (
    deps: Pick<TelegramDeps, 'chat' | 'approvals' | 'executions' | 'outbox' | 'storage' | 'audit' | 'log'>,
  ): ((to: string) => Promise<boolean>) =>
  async (to) => {
    const { chat, approvals, executions, outbox, storage, audit, log } = deps
    return await storage.transaction(async (tx) => {
      const from = chat.id
      if (!(await chat.moveTo(tx, to))) return false
      await audit.append(tx, 'telegram.chat_moved', 'daemon', null, { from, to })
      for (const { id, requester, isPending } of await approvals.list(tx, { which: 'waiting' }))
        if (isPending) await outbox.enqueue(tx, cardLane(to, requester.id), 'card', { requestId: id })
      for (const { requestId, agentId } of await executions.list(tx, {
        statuses: ['awaiting_secrets'],
        limit: ALL,
      }))
        await outbox.enqueue(tx, cardLane(to, agentId), 'secret_prompt', { requestId })
      await outbox.enqueue(tx, replyLane(to), 'notice', {
        html: `This group became a supergroup with another id. I go on here; put ${code(`TELEGRAM_CHAT_ID=${to}`)} into the settings.`,
      })
      tx.afterCommit(() =>
        log.warn(
          { from, to },
          'the chat became a supergroup and is followed; set TELEGRAM_CHAT_ID to its new id',
        ),
      )
      return true
    })
  }
