import type { ApprovalEvent } from '../../approvals/index.ts'
import { approvalStateOf, type ExecutionEvent } from '../../executions/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import type { Tx } from '../../kernel/index.ts'
import type { AccessEvent } from '../../llm/provider-access/index.ts'
import type { Outbox } from '../outbox/index.ts'
import { renderLimitPassed } from './access-message.ts'
import type { Chat } from './chat.ts'
import { escapeHtml } from './html.ts'
import { cardLane, noticeLane, replyLane, updateLane } from './lanes.ts'

/**
 * Queues what the chat must learn, inside the unit that made it so. Of requests only their id is queued; what
 * is shown is rendered from the stored row when it is sent, so several transitions in a row become one edit.
 */
export interface TelegramNotifier {
  approvalChanged(event: ApprovalEvent, tx: Tx): Promise<void>
  /** What became of it once it was approved. */
  executionChanged(event: ExecutionEvent, tx: Tx): Promise<void>
  limitPassed(event: AccessEvent, tx: Tx): Promise<void>
  /** Something of the daemon itself; plain text. */
  tellOwner(text: string, tx: Tx): Promise<void>
}

export function createTelegramNotifier(deps: {
  readonly outbox: Pick<Outbox, 'enqueue'>
  readonly agents: Pick<Agents, 'byId'>
  readonly chat: Pick<Chat, 'id'>
  /** Whoever sends what is queued. */
  readonly sender: { nudge(): void }
}): TelegramNotifier {
  const { outbox, chat } = deps
  const enqueue = async (
    tx: Tx,
    lane: string,
    kind: string,
    payload: Record<string, string>,
  ): Promise<void> => {
    await outbox.enqueue(tx, lane, kind, payload)
    tx.afterCommit(() => deps.sender.nudge())
  }
  return {
    async approvalChanged({ type, id, requester }, tx) {
      if (type === 'approval.requested')
        await enqueue(tx, cardLane(chat.id, requester.id), 'card', { requestId: id })
      else if (type === 'approval.reminded')
        await enqueue(tx, noticeLane(chat.id, requester.id), 'reminder', { requestId: id })
      else await enqueue(tx, updateLane(chat.id, requester.id), 'card_update', { requestId: id })
    },
    async executionChanged({ execution, from }, tx) {
      const { requestId, agentId, status, trusted } = execution
      const isOfRun =
        from !== null && (approvalStateOf(from) === approvalStateOf(status) || status === 'failed')
      if (isOfRun && !trusted) await enqueue(tx, updateLane(chat.id, agentId), 'card_update', { requestId })
      else if (trusted && status === 'failed')
        await enqueue(tx, noticeLane(chat.id, agentId), 'card_update', { requestId })
      if (status === 'awaiting_secrets')
        await enqueue(tx, cardLane(chat.id, agentId), 'secret_prompt', { requestId })
    },
    async limitPassed({ grant, limit }, tx) {
      const agent = deps.agents.byId(grant.agentId)?.name ?? grant.agentId
      await enqueue(tx, noticeLane(chat.id, grant.agentId), 'notice', {
        html: renderLimitPassed(grant, limit, agent),
      })
    },
    tellOwner: (text, tx) => enqueue(tx, replyLane(chat.id), 'notice', { html: escapeHtml(text) }),
  }
}
