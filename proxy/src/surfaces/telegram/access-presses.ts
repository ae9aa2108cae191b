import type { AskId, Card } from '../../domain/approvals/index.ts'
import type { ProviderAsk } from '../../domain/provider-access/index.ts'
import { AppError, oneLine } from '../../kernel/index.ts'
import { type AccessChoice, answerOfChoice } from './access-choices.ts'
import { askHash } from './access-deliveries.ts'
import type { TelegramDeps } from './deps.ts'
import { updateLane } from './lanes.ts'

/** What the one who pressed reads. */
export interface PressAnswer {
  readonly text: string
  /** A window that must be closed, in place of a line that passes. */
  readonly alert: boolean
}

interface AcceptedPress {
  readonly card: Card<AskId>
  readonly choice: AccessChoice
  readonly userId: string
  readonly name: string
  readonly messageId: number | null
}

/** Answers to the cards of asks, by an approver, in the chat: the ask itself says whether it can still be decided. */
export function createAccessPresses(
  deps: Pick<TelegramDeps, 'llm' | 'outbox' | 'transactor' | 'chat'>,
): (press: AcceptedPress) => PressAnswer {
  const { outbox, transactor, chat } = deps
  const { access, providers } = deps.llm

  const decide = ({ card, choice, userId, name }: AcceptedPress): PressAnswer => {
    const ask = access.find(card.requestId)
    if (!ask || askHash(ask, providers) !== card.consentHash) {
      return { text: 'This card is for another request.', alert: true }
    }
    if (ask.status !== 'pending') return { text: alreadySaid(ask), alert: true }
    try {
      access.decide(ask.id, answerOfChoice(choice), { actor: `telegram:${userId}`, name })
      return { text: SAID[choice], alert: false }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'refused') throw error
      return { text: oneLine(error.message, 200), alert: true }
    }
  }

  return (press) =>
    transactor.transact(() => {
      const answer = decide(press)
      // A card that still has buttons after the decision, or a second copy of it, is brought up to date as well.
      if (answer.alert || (press.messageId !== null && press.messageId !== press.card.messageId)) {
        const agentId = access.find(press.card.requestId)?.agentId ?? ''
        outbox.enqueue(updateLane(chat.id, agentId), 'provider_ask_update', {
          askId: press.card.requestId,
          messageId: press.messageId,
        })
      }
      return answer
    })
}

const SAID: Record<AccessChoice, string> = {
  '1h': 'Granted for 1 hour',
  '24h': 'Granted for 24 hours',
  always: 'Granted until you revoke it',
  deny: 'Denied',
  '24h_usd1': 'Granted for 24 hours, for at most $1 a day',
  always_usd1: 'Granted for at most $1 a day, until you revoke it',
  '24h_tokens200k': 'Granted for 24 hours, for at most 200,000 tokens a day',
  always_tokens200k: 'Granted for at most 200,000 tokens a day, until you revoke it',
  model_1h: 'Granted this model for 1 hour',
  model_24h: 'Granted this model for 24 hours',
  model_always: 'Granted this model until you revoke it',
}

function alreadySaid({ status, decidedBy, decidedByName }: ProviderAsk): string {
  if (status === 'expired') return 'Expired: nothing was decided.'
  return oneLine(`Already ${status} by ${decidedByName ?? decidedBy ?? 'somebody'}.`, 200)
}
