import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Card,
  type CardSubject,
  type CardVerdict,
  type DecisionKind,
  isAskCard,
  isDecisionKind,
  isRequestCard,
} from '../../domain/approvals/index.ts'
import type { DecisionOutcome } from '../../domain/executions/index.ts'
import { oneLine, type RequestId } from '../../kernel/index.ts'
import { isAccessChoice } from './access-choices.ts'
import { createAccessPresses, type PressAnswer } from './access-presses.ts'
import type { BotApi, BotPress, BotUser } from './bot-api.ts'
import { BotApiError, isTransient, troubleOf } from './bot-errors.ts'
import { readCallbackData, SHOW, WHOLE_HASH } from './callback-data.ts'
import type { TelegramDeps } from './deps.ts'
import { personLane, updateLane } from './lanes.ts'
import { decisionSaid } from './outcome-message.ts'
import type { Refusals } from './refusals.ts'
import type { Sender } from './sender.ts'

/** The name under which a decision is recorded; chosen by its owner, so only the id identifies. */
function displayName(user: BotUser): string {
  const name = [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username || String(user.id)
  return oneLine(name, 64) || String(user.id)
}

/**
 * Presses of buttons. Each is answered once, since the client spins until then; what decides is the judgement of the
 * card (chat, approver, delivered) and then of the execution (state, expiry, consent), each inside a transaction.
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
  const { chat, cards, executions, outbox, transactor, log, sender, refusals, signal } = deps
  const answerAsk = createAccessPresses(deps)

  /** What waits is sent once more; what waits no more is said. */
  const showAgain = (card: Card<CardSubject>): PressAnswer => {
    const subject = card.requestId
    const answer = transactor.transact((): PressAnswer => {
      if (isAskCard(card)) {
        const ask = deps.llm.access.find(subject)
        if (ask?.status !== 'pending') return { text: 'It waits no more.', alert: false }
        outbox.enqueue(personLane(chat.id), 'provider_ask', { askId: subject, again: true })
        return SHOWN
      }
      const execution = executions.find(subject as RequestId)
      const kind = execution?.status === 'pending' ? 'card' : 'secret_prompt'
      if (execution === undefined || (kind === 'secret_prompt' && execution.status !== 'awaiting_secrets'))
        return { text: 'It waits no more.', alert: false }
      outbox.enqueue(personLane(chat.id), kind, { requestId: subject, again: true })
      return SHOWN
    })
    sender.nudge()
    return answer
  }

  const wholeHash = (card: Card<CardSubject>): PressAnswer => {
    const execution = isRequestCard(card) ? executions.find(card.requestId) : undefined
    return execution === undefined
      ? { text: REFUSED.unknown_card, alert: true }
      : { text: `SHA-256 of the code:\n${execution.codeHash}`, alert: true }
  }

  const judge = async (press: BotPress): Promise<PressAnswer> => {
    const { token, decision } = readCallbackData(press.data)
    const userId = String(press.from.id)
    const chatId = String(press.message?.chat.id ?? '')
    const asked = { token, chatId, userId }
    const nothingHere = (reason: string): PressAnswer => {
      refusals.press(userId, chatId, null, reason)
      return { text: REFUSED.wrong_chat, alert: true }
    }
    if (chatId !== chat.id) return nothingHere('wrong_chat')
    if (
      decision !== SHOW &&
      decision !== WHOLE_HASH &&
      !isDecisionKind(decision) &&
      !isAccessChoice(decision)
    )
      return nothingHere('malformed')
    let verdict = cards.judge(asked)
    if (!verdict.accepted && verdict.reason === 'not_delivered') {
      // The press overtook the record that the card has arrived.
      await Promise.race([sender.settled(), sleep(5_000, undefined, { signal }).catch(() => {})])
      verdict = cards.judge(asked)
    }
    if (!verdict.accepted) {
      refusals.press(userId, chatId, null, verdict.reason)
      return { text: REFUSED[verdict.reason], alert: true }
    }
    const { card } = verdict
    if (decision === SHOW) return showAgain(card)
    if (decision === WHOLE_HASH) return wholeHash(card)
    const name = displayName(press.from)
    const pressed = press.message?.message_id ?? null
    if (isAskCard(card)) {
      if (!isAccessChoice(decision)) return nothingHere('malformed')
      const answer = answerAsk({ card, choice: decision, userId, name, messageId: pressed })
      sender.nudge()
      return answer
    }
    if (!isRequestCard(card) || !isDecisionKind(decision)) return nothingHere('malformed')
    const approver = { via: 'telegram', userId, chatId, name } as const
    const outcome = transactor.transact(() => {
      const decided = executions.decide(card.requestId, card.consentHash, decision, approver)
      // A card that still has buttons after the decision, or a second copy of it, is brought up to date as well.
      if (!decided.accepted || (pressed !== null && pressed !== card.messageId)) {
        const agentId = executions.find(card.requestId)?.agentId ?? ''
        outbox.enqueue(updateLane(chat.id, agentId), 'card_update', {
          requestId: card.requestId,
          messageId: pressed,
        })
      }
      return decided
    })
    sender.nudge()
    return answerOf(outcome, decision)
  }

  return {
    async handle(press) {
      let answer: PressAnswer
      try {
        answer = await judge(press)
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

function answerOf(outcome: DecisionOutcome, decision: DecisionKind): PressAnswer {
  const { execution } = outcome
  if (outcome.accepted) {
    const waits = execution.status === 'awaiting_secrets' ? '; a secret is missing' : ''
    return { text: `${decisionSaid(decision)}${waits}`, alert: false }
  }
  if (outcome.reason === 'expired') return { text: 'Expired: nothing was decided.', alert: true }
  if (outcome.reason === 'other_consent') return { text: 'This card is for another request.', alert: true }
  if (outcome.reason === 'not_offered')
    return { text: 'The request has no args to approve others of.', alert: true }
  if (execution.decision !== null) {
    return {
      text: clipAnswer(`Already decided by ${execution.decidedByName}: ${decisionSaid(execution.decision)}`),
      alert: true,
    }
  }
  return { text: `Already ${execution.status}.`, alert: true }
}

/** Telegram takes 0–200 characters. */
const clipAnswer = (text: string): string => oneLine(text, 200)

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
