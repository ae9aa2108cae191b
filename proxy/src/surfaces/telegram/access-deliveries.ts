import type { ProviderAsk, ProviderGrant } from '../../domain/provider-access/index.ts'
import { renderAsk, renderAskOutcome } from './access-message.ts'
import type { BotMessage } from './bot-api.ts'
import { BotApiError, isOfContent } from './bot-errors.ts'
import type { TelegramDeps } from './deps.ts'
import { plainText } from './html.ts'

/** Sends the cards of asks and brings them up to date; `call` writes to the chat and throws BotApiError. */
export function createAccessDeliveries(
  deps: TelegramDeps & {
    readonly call: <T>(method: string, payload: Record<string, unknown>) => Promise<T>
    readonly takeAway: (messageId: number) => Promise<void>
  },
): {
  /** `isAgain`: also when it was sent before. */
  ask(outboxId: number, askId: string | undefined, isAgain: boolean): Promise<void>
  update(outboxId: number, askId: string | undefined, pressed: number | null): Promise<void>
} {
  const { cards, agents, audit, outbox, transactor, clock, log, chat, call } = deps
  const { access } = deps.llm

  /** As HTML, and as plain text when Telegram refuses that. */
  const say = async <T>(method: string, html: string, extra: Record<string, unknown>): Promise<T> => {
    try {
      return await call<T>(method, { ...extra, text: html, parse_mode: 'HTML' })
    } catch (error) {
      if (!(error instanceof BotApiError) || !isOfContent(error)) throw error
      log.error({ said: error.message }, 'Telegram refused what an ask says; sending it without formatting')
      return call<T>(method, { ...extra, text: plainText(html) })
    }
  }

  /** What stands by now for what was asked. */
  const grantFor = (ask: ProviderAsk): ProviderGrant | undefined => {
    const verdict = access.judge(ask)
    return verdict.verdict === 'granted' ? verdict.grant : undefined
  }

  return {
    async ask(outboxId, askId, isAgain) {
      const ask = askId === undefined ? undefined : access.find(askId)
      const model = ask?.status === 'pending' ? access.card(ask.id) : undefined
      if (!ask || !model) return outbox.settle(outboxId)
      const card = transactor.transact(() => cards.issue(ask.id, chat.id, access.contentHash(ask)), 'grouped')
      if (card.messageId !== null && !isAgain) return outbox.settle(outboxId)
      const { html, keyboard } = renderAsk(model, card.token, clock.now())
      const sent = await say<BotMessage>('sendMessage', html, { reply_markup: { inline_keyboard: keyboard } })
      transactor.transact(() => {
        cards.delivered(card, sent.message_id)
        audit.append('approval.asked', 'daemon', null, {
          ask: ask.id,
          chat_id: chat.id,
          message_id: sent.message_id,
          consent_hash: card.consentHash,
        })
        outbox.settle(outboxId)
      }, 'grouped')
      if (card.messageId !== null) await deps.takeAway(card.messageId)
    },

    async update(outboxId, askId, pressed) {
      const ask = askId === undefined ? undefined : access.find(askId)
      if (!ask || ask.status === 'pending') return outbox.settle(outboxId)
      const messageId = pressed ?? cards.byRequest(ask.id, chat.id)?.messageId ?? null
      if (messageId !== null) {
        const agent = agents.byId(ask.agentId)?.name ?? ask.agentId
        const html = renderAskOutcome({ ask, agent, grant: grantFor(ask) })
        await say('editMessageText', html, { message_id: messageId })
      }
      outbox.settle(outboxId)
    },
  }
}
