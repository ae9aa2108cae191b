import type { TelegramDeps } from './deps.ts'
import { createPace } from './pace.ts'

/** Records who was turned away; bounded, so that a stranger cannot fill the audit by writing to the bot. */
export interface Refusals {
  press(userId: string, chatId: string, requestId: string | null, reason: string): void
  message(userId: string, chatId: string, reason: string): void
}

export function createRefusals(
  deps: Pick<TelegramDeps, 'audit' | 'transactor' | 'config' | 'log'>,
): Refusals {
  const { audit, transactor, log } = deps
  const presses = createPace({ burst: 60, perSecond: 0.2 })
  const messages = createPace({ burst: 60, perSecond: 0.2 })
  const record = (work: () => void): void => {
    try {
      transactor.transact(work, 'grouped')
    } catch (error) {
      log.error({ err: error }, 'a refusal could not be written to the audit')
    }
  }
  return {
    press(userId, chatId, requestId, reason) {
      if (!presses.tryTake()) return
      record(() =>
        audit.append('approval.refused', `telegram:${userId}`, requestId, { reason, chat_id: chatId }),
      )
    },
    message(userId, chatId, reason) {
      if (!messages.tryTake()) return
      record(() => audit.append('telegram.rejected', `telegram:${userId}`, null, { reason, chat_id: chatId }))
    },
  }
}
