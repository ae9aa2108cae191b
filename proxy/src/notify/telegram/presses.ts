import { setTimeout as sleep } from 'node:timers/promises'
import type { ApprovalView, Card, CardVerdict } from '../../approvals/index.ts'
import type { Principal } from '../../identity/index.ts'
import { AppError, oneLine, type RequestId, type Tx } from '../../kernel/index.ts'
import type { BotApi, BotPress } from '../bot-api/index.ts'
import { BotApiError, isTransient, troubleOf } from '../bot-api/index.ts'
import { AGAIN, readCallbackData, SHOW, STOP, WHOLE_HASH } from './callback-data.ts'
import type { TelegramDeps } from './deps.ts'
import { personLane, updateLane } from './lanes.ts'
import { PANIC, type PanicButton } from './panic-button.ts'
import type { PersonOf } from './people.ts'
import type { Refusals } from './refusals.ts'
import type { Sender } from './sender.ts'

/** What the one who pressed reads. */
interface PressAnswer {
  readonly text: string
  /** A window that must be closed, in place of a line that passes. */
  readonly alert: boolean
}

/**
 * Presses of buttons. Each is answered once, since the client spins until then; what decides is the evaluation of the
 * card (chat, approver, delivered) and then of what it asks about (hash, state, expiry), in one unit of work with its effect.
 */
export function createPresses(
  deps: TelegramDeps & {
    readonly personOf: PersonOf
    readonly panic: PanicButton
    readonly api: BotApi
    readonly sender: Sender
    readonly refusals: Refusals
    /** Aborts when the daemon does not wait any longer. */
    readonly signal: AbortSignal
  },
): { handle(press: BotPress): Promise<void> } {
  const { chat, approvals, cards, executions, outbox, storage, log, personOf, sender, refusals, signal } =
    deps

  /** What waits is sent once more; what waits no more is said. */
  const showAgain = async (tx: Tx, { requestId }: Card): Promise<PressAnswer> => {
    const kind = (await approvals.find(tx, requestId))?.isPending
      ? 'card'
      : (await executions.find(tx, requestId as RequestId))?.status === 'awaiting_secrets'
        ? 'secret_prompt'
        : undefined
    if (kind === undefined) return { text: 'It waits no more.', alert: false }
    await outbox.enqueue(tx, personLane(chat.id), kind, { requestId, again: true })
    return SHOWN
  }

  const wholeHash = async (tx: Tx, { requestId }: Card): Promise<PressAnswer> => {
    const execution = await executions.find(tx, requestId as RequestId)
    return execution === undefined
      ? { text: REFUSED.unknown_card, alert: true }
      : { text: `SHA-256 of the code:\n${execution.codeHash}`, alert: true }
  }

  /** What expired is asked once more, as a card of its own. */
  const askAgain = async (tx: Tx, { requestId, consentHash }: Card, by: Principal): Promise<PressAnswer> => {
    const outcome = await approvals.askAgain(tx, requestId, consentHash, by)
    return outcome.accepted
      ? { text: 'Asked again: the new card comes below.', alert: false }
      : { text: outcome.message, alert: true }
  }

  /** A card that still has buttons which are good no more, or a second copy of it. */
  const bringUpToDate = (tx: Tx, { requester }: ApprovalView, requestId: string, messageId: number | null) =>
    outbox.enqueue(tx, updateLane(chat.id, requester.id), 'card_update', { requestId, messageId })

  /** A second tap on what was Run Once stops nothing: nobody has read the button by then. */
  const stop = async (
    tx: Tx,
    { requestId, messageId }: Card,
    by: Principal,
    pressed: number | null,
  ): Promise<PressAnswer> => {
    const subject = await approvals.find(tx, requestId)
    const execution = await executions.find(tx, requestId as RequestId)
    if (subject === undefined || execution === undefined) return { text: REFUSED.unknown_card, alert: true }
    if (!subject.canStop || (pressed !== null && pressed !== messageId))
      await bringUpToDate(tx, subject, requestId, pressed)
    if (!subject.canStop) return { text: 'It has ended already, or has not begun.', alert: true }
    if (deps.clock.now() - (execution.decidedAt ?? 0) < TAP_MS)
      return { text: 'It has just begun. Press again to stop it.', alert: true }
    await executions.stop(tx, by, execution.requestId)
    return { text: 'Stopping it now.', alert: false }
  }

  /** Undefined for a word that this kind of card has on no button. */
  const decide = async (
    tx: Tx,
    card: Card,
    choice: string,
    by: Principal,
    pressed: number | null,
  ): Promise<PressAnswer | undefined> => {
    const subject = await approvals.find(tx, card.requestId)
    if (subject === undefined) return { text: 'This card is for another request.', alert: true }
    const outcome = await approvals.choose(tx, card.requestId, card.consentHash, choice, by)
    if (outcome === undefined) return undefined
    if (!outcome.accepted || (pressed !== null && pressed !== card.messageId))
      await bringUpToDate(tx, subject, card.requestId, pressed)
    // Telegram takes 0–200 characters.
    return { text: oneLine(outcome.message, 200), alert: !outcome.accepted }
  }

  const answerTo = async (press: BotPress): Promise<PressAnswer> => {
    const { token, decision } = readCallbackData(press.data)
    const userId = String(press.from.id)
    const chatId = String(press.message?.chat.id ?? '')
    const pressed = press.message?.message_id ?? null
    const asked = () => ({ token, chatId, by: personOf(press.from) })
    const refuse = async (reason: string, text: string): Promise<PressAnswer> => {
      await refusals.press(userId, chatId, null, reason)
      return { text, alert: true }
    }
    if (chatId !== chat.id) return await refuse('wrong_chat', REFUSED.wrong_chat)
    if (token === '') return await refuse('malformed', REFUSED.wrong_chat)
    if (decision === PANIC) {
      const text = await deps.panic.press(token, personOf(press.from))
      return text === undefined ? await refuse('stale_panic', REFUSED.unknown_card) : { text, alert: true }
    }
    const before = await storage.read((tx) => cards.evaluate(tx, asked()))
    if (!before.accepted && before.reason === 'not_delivered') {
      // The press overtook the record that the card has arrived.
      await Promise.race([sender.settled(), sleep(5_000, undefined, { signal }).catch(() => {})])
    } else if (!before.accepted) return await refuse(before.reason, REFUSED[before.reason])

    /** TOCTOU: the card that decides, and who presses it, are evaluated where it decides. */
    const done = await storage.transaction(async (tx) => {
      const verdict = await cards.evaluate(tx, asked())
      if (!verdict.accepted) return verdict.reason
      const { card, by } = verdict
      if (decision === SHOW) return await showAgain(tx, card)
      if (decision === AGAIN) return await askAgain(tx, card, by)
      if (decision === STOP) return await stop(tx, card, by, pressed)
      if (decision === WHOLE_HASH) return await wholeHash(tx, card)
      return (await decide(tx, card, decision, by, pressed)) ?? 'malformed'
    })
    if (done === 'malformed') return await refuse(done, REFUSED.wrong_chat)
    if (typeof done === 'string') return await refuse(done, REFUSED[done])
    sender.nudge()
    return done
  }

  return {
    async handle(press) {
      let answer: PressAnswer
      try {
        answer = await answerTo(press)
      } catch (error) {
        const isTold =
          error instanceof AppError && (error.code === 'conflict' || error.code === 'rate_limited')
        if (!isTold) log.error({ err: error }, 'a press could not be handled')
        answer = {
          text: isTold
            ? oneLine(error.message, 200)
            : 'That failed on my side and nothing was decided. Press again in a moment.',
          alert: true,
        }
      }
      await reply(deps.api, press.id, answer, log, signal)
    },
  }
}

/** Two taps that follow each other sooner were meant as one. */
const TAP_MS = 2_000

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
