import type { AuditEventName } from '../../audit/index.ts'
import { telegramActor } from '../../identity/index.ts'
import type { Json } from '../../kernel/index.ts'
import { createPace } from '../bot-api/index.ts'
import type { TelegramDeps } from './deps.ts'

/** Records who was turned away; bounded, so that a stranger cannot fill the audit by writing to the bot. Never rejects. */
export interface Refusals {
  press(userId: string, chatId: string, requestId: string | null, reason: string): Promise<void>
  message(userId: string, chatId: string, reason: string): Promise<void>
}

export function createRefusals(deps: Pick<TelegramDeps, 'audit' | 'storage' | 'config' | 'log'>): Refusals {
  const { audit, storage, log } = deps
  const presses = createPace({ burst: 60, perSecond: 0.2 })
  const messages = createPace({ burst: 60, perSecond: 0.2 })
  const record = async (
    event: AuditEventName,
    userId: string,
    requestId: string | null,
    data: Json,
  ): Promise<void> => {
    try {
      await storage.transaction(
        (tx) => audit.append(tx, event, telegramActor(userId), requestId, data),
        'grouped',
      )
    } catch (error) {
      log.error({ err: error }, 'a refusal could not be written to the audit')
    }
  }
  return {
    async press(userId, chatId, requestId, reason) {
      if (!presses.tryTake()) return
      await record('approval.refused', userId, requestId, { reason, chat_id: chatId })
    },
    async message(userId, chatId, reason) {
      if (!messages.tryTake()) return
      await record('telegram.rejected', userId, null, { reason, chat_id: chatId })
    },
  }
}
