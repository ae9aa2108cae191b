import { setTimeout as sleep } from 'node:timers/promises'
import type { Card, CardVerdict, Decider } from '../../domain/approvals/index.ts'
import { oneLine, type RequestId } from '../../kernel/index.ts'
import type { BotApi, BotPress, BotUser } from './bot-api.ts'
import { BotApiError, isTransient, troubleOf } from './bot-errors.ts'
import { readCallbackData, SHOW, WHOLE_HASH } from './callback-data.ts'
import type { TelegramDeps } from './deps.ts'
import { personLane, updateLane } from './lanes.ts'
import type { Refusals } from './refusals.ts'
import type { Sender } from './sender.ts'

/** What the one who pressed reads. */
interface PressAnswer {
  readonly text: string
  /** A window that must be closed, in place of a line that passes. */
  readonly alert: boolean
}

/** The name under which a decision is recorded; chosen by its owner, so only the id identifies. */
function displayName(user: BotUser): string {
  const name = [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username || String(user.id)
  return oneLine(name, 64) || String(user.id)
}

/**
 * Presses of buttons. Each is answered once, since the client spins until then; what decides is the evaluation of the
 * card (chat, approver, delivered) and then of what it asks about (hash, state, expiry), each inside a transaction.
 */
export function createPresses(
  deps: TelegramDeps & {
    readonly api: BotApi
    readonly sender: Sender
    readonly refusals: Refusals
    /** Aborts when the daemon does not wait any longer. */
    readonly signal: AbortSignal
  },
): { handle(press: BotPress): Promise<void> } {
  const { chat, approvals, cards, executions, outbox, transactor, log, sender, refusals, signal } = deps

  /** What waits is sent once more; what waits no more is said. */
  const showAgain = ({ requestId }: Card): PressAnswer => {
    const answer = transactor.transact((): PressAnswer => {
      const kind = approvals.find(requestId)?.isPending
        ? 'card'
        : executions.find(requestId as RequestId)?.status === 'awaiting_secrets'
          ? 'secret_prompt'
          : undefined
      if (kind === undefined) return { text: 'It waits no more.', alert: false }
      outbox.enqueue(personLane(chat.id), kind, { requestId, again: true })
      return SHOWN
    })
    sender.nudge()
    return answer
  }

  const wholeHash = ({ requestId }: Card): PressAnswer => {
    const execution = executions.find(requestId as RequestId)
    return execution === undefined
      ? { text: REFUSED.unknown_card, alert: true }
      : { text: `SHA-256 of the code:\n${execution.codeHash}`, alert: true }
  }

  /** Undefined for a word that this kind of card has on no button. */
  const decide = (card: Card, choice: string, by: Decider, pressed: number | null): PressAnswer | undefined =>
    transactor.transact(() => {
      const subject = approvals.find(card.requestId)
      if (subject === undefined) return { text: 'This card is for another request.', alert: true }
      const outcome = approvals.choose(card.requestId, card.consentHash, choice, by)
      if (outcome === undefined) return undefined
      // A card that still has buttons after the decision, or a second copy of it, is brought up to date as well.
      if (!outcome.accepted || (pressed !== null && pressed !== card.messageId)) {
        outbox.enqueue(updateLane(chat.id, subject.agentId), 'card_update', {
          requestId: card.requestId,
          messageId: pressed,
        })
      }
      // Telegram takes 0–200 characters.
      return { text: oneLine(outcome.message, 200), alert: !outcome.accepted }
    })

  const answerTo = async (press: BotPress): Promise<PressAnswer> => {
    const { token, decision } = readCallbackData(press.data)
    const userId = String(press.from.id)
    const chatId = String(press.message?.chat.id ?? '')
    const asked = { token, chatId, userId }
    const nothingHere = (reason: string): PressAnswer => {
      refusals.press(userId, chatId, null, reason)
      return { text: REFUSED.wrong_chat, alert: true }
    }
    if (chatId !== chat.id) return nothingHere('wrong_chat')
    if (token === '') return nothingHere('malformed')
    let verdict = cards.evaluate(asked)
    if (!verdict.accepted && verdict.reason === 'not_delivered') {
      // The press overtook the record that the card has arrived.
      await Promise.race([sender.settled(), sleep(5_000, undefined, { signal }).catch(() => {})])
      verdict = cards.evaluate(asked)
    }
    if (!verdict.accepted) {
      refusals.press(userId, chatId, null, verdict.reason)
      return { text: REFUSED[verdict.reason], alert: true }
    }
    const { card } = verdict
    if (decision === SHOW) return showAgain(card)
    if (decision === WHOLE_HASH) return wholeHash(card)
    const by = { actor: `telegram:${userId}`, name: displayName(press.from) }
    const answer = decide(card, decision, by, press.message?.message_id ?? null)
    if (answer === undefined) return nothingHere('malformed')
    sender.nudge()
    return answer
  }

  return {
    async handle(press) {
      let answer: PressAnswer
      try {
        answer = await answerTo(press)
      } catch (error) {
        log.error({ err: error }, 'a press could not be handled')
        answer = {
          text: 'That failed on my side and nothing was decided. Press again in a moment.',
          alert: true,
        }
      }
      await reply(deps.api, press.id, answer, log, signal)
    },
  }
}

const SHOWN: PressAnswer = { text: 'Here it comes', alert: false }

const REFUSED: Record<Extract<CardVerdict, { accepted: false }>['reason'], string> = {
  unknown_card: 'I do not know this card.',
  wrong_chat: 'This button does nothing here.',
  not_approver: 'Only approvers can answer.',
  not_delivered: 'This card is still being sent. Press again in a moment.',
}

/** Tried again twice while Telegram is unreachable; a press that is too old needs no answer any more. */
async function reply(
  api: BotApi,
  id: string,
  answer: PressAnswer,
  log: TelegramDeps['log'],
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await api.call(
        'answerCallbackQuery',
        { callback_query_id: id, text: answer.text, show_alert: answer.alert },
        { timeoutMs: 10_000, signal },
      )
      return
    } catch (error) {
      if (!(error instanceof BotApiError)) throw error
      const trouble = troubleOf(error)
      if (trouble === 'stale_query') return
      if (!isTransient(trouble) || attempt === 3 || signal.aborted) {
        log.warn({ said: error.message }, 'a press could not be answered; what it decided stands')
        return
      }
      await sleep(Math.min(error.retryAfterMs ?? attempt * 500, 5_000), undefined, { signal }).catch(() => {})
    }
  }
}
