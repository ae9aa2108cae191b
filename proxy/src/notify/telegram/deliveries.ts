import type { Consent } from '../../approvals/consent/index.ts'
import type { ApprovalCard, ApprovalView, Card } from '../../approvals/index.ts'
import type { Execution } from '../../executions/index.ts'
import { type AgentId, AppError, type ReadTx, type RequestId, type UnixMs } from '../../kernel/index.ts'
import type { BotApi, BotMessage } from '../bot-api/index.ts'
import { BotApiError, isOfContent } from '../bot-api/index.ts'
import type { OutboxMessage } from '../outbox/index.ts'
import { AGAIN, callbackData, STOP } from './callback-data.ts'
import { type CardMessage, type InlineKeyboard, renderCard, renderPlainCard } from './card-message.ts'
import type { TelegramDeps } from './deps.ts'
import { code, plainText } from './html.ts'
import { isNoticeLane, requesterOfLane } from './lanes.ts'
import { renderLinesCard } from './lines-card.ts'
import { linesHtml } from './lines-message.ts'
import { foldedNotices, NOTICES_IN_FULL, reminder } from './notices.ts'
import { renderOutcome } from './outcome-message.ts'
import { missingFor, secretPrompt } from './prompts.ts'

/** What waits in the outbox. Nothing secret: it stands in the database as it is. */
interface Payload {
  /** Of what the message is about: an execution, or whatever else is asked. */
  readonly requestId?: string
  /** As versions before named an ask for a provider. */
  readonly askId?: string
  readonly messageId?: number | null
  readonly html?: string
  readonly forceReply?: boolean
  readonly keyboard?: InlineKeyboard
  /** A card that was sent before is sent once more, and its older message taken away. */
  readonly again?: boolean
}

/** Hosts that a question for a value names; the binding itself is in `/list_secrets`. */
const HOSTS_NAMED = 8
const shortList = (hosts: readonly string[]): readonly string[] =>
  hosts.length <= HOSTS_NAMED
    ? hosts
    : [...hosts.slice(0, HOSTS_NAMED), `and ${hosts.length - HOSTS_NAMED} more`]

/** Of either form. */
const cardMessage = (
  shown: ApprovalCard,
  around: { readonly expiresAt: UnixMs; readonly token: string; readonly now: UnixMs },
): CardMessage =>
  shown.form === 'program' ? renderCard({ ...shown, ...around }) : renderLinesCard(shown, around)

/** What may still be done about what was decided, or was not in time. */
function outcomeKeyboard(asked: ApprovalView, token: string): InlineKeyboard {
  if (asked.canAskAgain) return [[{ text: '🔁 Ask again', callback_data: callbackData(token, AGAIN) }]]
  if (asked.canStop) return [[{ text: '⏹ Stop', callback_data: callbackData(token, STOP) }]]
  return []
}

/** Below what expired: the request that asks it once more. */
const followedUp = ({ followUp: { supersededBy } }: ApprovalView): string =>
  supersededBy === null ? '' : `\n🔁 Asked again as ${code(supersededBy)}`

/** How many renderings are remembered, so that an edit that changes nothing is not sent, and a second copy is kept up to date. */
const REMEMBERED = 500

/**
 * Delivers one message of the outbox and takes it out; throws BotApiError when Telegram does not take it, and an
 * internal AppError when what it is about cannot be opened. A card is opened whole before any part of it is sent.
 */
export function createDeliveries(
  deps: TelegramDeps & {
    readonly api: BotApi
    readonly beforeCall: () => Promise<void>
    readonly signal: AbortSignal
  },
): (message: OutboxMessage) => Promise<void> {
  const { api, approvals, executions, cards, audit, outbox, storage, clock, log, chat, beforeCall, signal } =
    deps
  /** By what it is about, what each of its messages says. */
  const rendered = new Map<string, Map<number | null, string>>()
  /** Parts of a message that have arrived, so that a retry in this process does not repeat them. */
  const arrived = new Set<string>()

  /** A place for a call, and nothing that a power cut may take is told by it. */
  const mayCall = async (): Promise<void> => {
    await beforeCall()
    await storage.flushed()
  }
  const call = async <T>(method: string, payload: Record<string, unknown>): Promise<T> => {
    await mayCall()
    return api.call<T>(
      method,
      { chat_id: chat.id, link_preview_options: { is_disabled: true }, ...payload },
      { signal },
    )
  }
  const send = (html: string, extra: Record<string, unknown> = {}): Promise<BotMessage> =>
    call<BotMessage>('sendMessage', { text: html, parse_mode: 'HTML', ...extra })
  const once = async (key: string, work: () => Promise<unknown>): Promise<void> => {
    if (arrived.has(key)) return
    await work()
    arrived.add(key)
  }
  const forget = (prefix: string): void => {
    for (const key of arrived) if (key.startsWith(prefix)) arrived.delete(key)
  }

  const sendCardMessage = async (key: string, message: CardMessage, html: boolean): Promise<BotMessage> => {
    for (const { document, caption } of message.documents) {
      await once(`${key}/${document.fileName}`, async () => {
        await mayCall()
        await api.sendDocument(chat.id, document, caption, signal)
      })
    }
    const reply_markup = { inline_keyboard: message.keyboard }
    return html
      ? send(message.html, { reply_markup })
      : call<BotMessage>('sendMessage', { text: message.html, reply_markup })
  }

  /** Two messages of one card would be one too many to keep up to date. */
  const takeAway = async (messageId: number): Promise<void> => {
    try {
      await call('deleteMessage', { message_id: messageId })
    } catch (error) {
      if (!(error instanceof BotApiError)) throw error
      log.warn({ said: error.message }, 'an older message of a card stays; its buttons still work')
    }
  }

  /** Lost with the power it is sent again: at least once. */
  const settle = (id: number): Promise<void> => storage.transaction((tx) => outbox.settle(tx, id), 'grouped')

  /** What is to be shown, and the card that it is shown by; undefined, and settled, when it is not to be shown. */
  const issueCard = (outboxId: number, id: string, isAgain: boolean) =>
    storage.transaction(async (tx) => {
      const asked = await approvals.find(tx, id)
      const issued = asked?.isPending ? await cards.issue(tx, id, chat.id, asked.contentHash) : undefined
      if (asked === undefined || issued === undefined || (issued.messageId !== null && !isAgain)) {
        await outbox.settle(tx, outboxId)
        return undefined
      }
      return { asked, issued, shown: await approvals.card(tx, id) }
    }, 'grouped')

  const card = async (outboxId: number, id: string, isAgain: boolean): Promise<void> => {
    const made = await issueCard(outboxId, id, isAgain)
    if (made === undefined) return
    const { asked, issued, shown } = made
    const sent = await sendAnyCard(id, shown, asked.expiresAt, issued.token)
    await storage.transaction(async (tx) => {
      await cards.delivered(tx, issued, sent.message_id)
      await audit.append(tx, 'approval.asked', 'daemon', asked.audit.requestId, {
        ...asked.audit.data,
        chat_id: chat.id,
        message_id: sent.message_id,
        consent_hash: issued.consentHash,
      })
      await outbox.settle(tx, outboxId)
    }, 'grouped')
    forget(id)
    if (issued.messageId !== null) await takeAway(issued.messageId)
  }

  const sendAnyCard = async (
    id: string,
    shown: ApprovalCard,
    expiresAt: UnixMs,
    token: string,
  ): Promise<BotMessage> => {
    const now = clock.now()
    const formatted = cardMessage(shown, { expiresAt, token, now })
    try {
      return await sendCardMessage(id, formatted, true)
    } catch (error) {
      if (!(error instanceof BotApiError) || !isOfContent(error)) throw error
      log.error(
        { said: error.message, requestId: id },
        'Telegram refused the card; sending it without formatting',
      )
      const plain =
        shown.form === 'program'
          ? renderPlainCard({ ...shown, token, now })
          : { ...formatted, html: plainText(formatted.html) }
      return sendCardMessage(`${id}/plain`, plain, false)
    }
  }

  const readable = (execution: Execution): Consent | undefined => {
    try {
      return executions.consentOf(execution)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      log.error(
        { said: error.message, requestId: execution.requestId },
        'an outcome is shown without its consent',
      )
      return undefined
    }
  }

  /** A card that still has its buttons says how many have said yes by now, in the message that was sent. */
  const pendingCard = async (
    tx: ReadTx,
    asked: ApprovalView,
    issued: Card | undefined,
    messageId: number | null,
  ) => {
    const isShown = asked.isPending && messageId !== null && issued?.consentHash === asked.contentHash
    if (!isShown || issued.messageId === null) return undefined
    const shown = await approvals.card(tx, asked.id)
    if (shown.notes.length === 0) return undefined
    const { html, keyboard } = cardMessage(shown, { ...asked, token: issued.token, now: clock.now() })
    return { messageId, html, keyboard }
  }

  /** What an update says, and where; undefined when there is nothing to say, or nowhere. */
  const outcomeOf = (id: string, pressed: number | null) =>
    storage.read(async (tx) => {
      const asked = await approvals.find(tx, id)
      const execution = await executions.find(tx, id as RequestId)
      if (!asked) return undefined
      const issued = await cards.byRequest(tx, id, chat.id)
      const messageId = pressed ?? issued?.messageId ?? null
      if (asked.state === 'pending') return await pendingCard(tx, asked, issued, messageId)
      const isNotice = messageId === null && execution?.trusted === true && execution.status === 'failed'
      if (messageId === null && !isNotice) return undefined
      // An execution lives on after its approval: its card tells what came of the run.
      const html =
        execution === undefined
          ? linesHtml((await approvals.outcome(tx, id)).lines)
          : renderOutcome(execution, readable(execution))
      const keyboard = issued === undefined ? [] : outcomeKeyboard(asked, issued.token)
      return { messageId, html: `${html}${followedUp(asked)}`, keyboard }
    })

  const cardUpdate = async (outboxId: number, id: string, pressed: number | null): Promise<void> => {
    const outcome = await outcomeOf(id, pressed)
    if (outcome === undefined) return await settle(outboxId)
    const { messageId, html, keyboard } = outcome
    const says = rendered.get(id) ?? new Map<number | null, string>()
    rendered.set(id, says)
    if (rendered.size > REMEMBERED) rendered.delete(rendered.keys().next().value as string)
    // A copy whose button was pressed while the run was under way has nobody else to tell it how that ended.
    for (const target of new Set([messageId, ...says.keys()])) {
      if (says.get(target) === html) continue
      await showOutcome(id, target, html, keyboard)
      says.set(target, html)
    }
    await settle(outboxId)
  }

  const showOutcome = async (
    id: string,
    messageId: number | null,
    html: string,
    keyboard: InlineKeyboard,
  ): Promise<void> => {
    const buttons = keyboard.length === 0 ? {} : { reply_markup: { inline_keyboard: keyboard } }
    const target = { ...(messageId === null ? {} : { message_id: messageId }), ...buttons }
    const method = messageId === null ? 'sendMessage' : 'editMessageText'
    try {
      await call(method, { ...target, text: html, parse_mode: 'HTML' })
    } catch (error) {
      if (!(error instanceof BotApiError) || !isOfContent(error)) throw error
      log.error(
        { said: error.message, requestId: id },
        'Telegram refused an outcome; sending it without formatting',
      )
      await call(method, { ...target, text: plainText(html) })
    }
  }

  /** Only while it waits, below its card, so that a tap leads there. */
  const remind = async (outboxId: number, id: string): Promise<void> => {
    const asked = await storage.read(async (tx) => {
      const found = await approvals.find(tx, id)
      const issued = await cards.byRequest(tx, id, chat.id)
      return found?.isPending ? { found, messageId: issued?.messageId ?? null } : undefined
    })
    if (asked !== undefined) {
      const { found, messageId } = asked
      const below =
        messageId === null
          ? {}
          : { reply_parameters: { message_id: messageId, allow_sending_without_reply: true } }
      await send(reminder(found.requester.name, found, clock.now()), below)
    }
    await settle(outboxId)
  }

  /** The values that a request waits for, and where each will go. */
  const awaitedOf = (requestId: RequestId) =>
    storage.read(async (tx) => {
      const execution = await executions.find(tx, requestId)
      if (execution?.status !== 'awaiting_secrets') return undefined
      const awaited: { readonly name: string; readonly hosts: readonly string[] }[] = []
      for (const name of await executions.missingSecrets(tx, executions.consentOf(execution)))
        awaited.push({ name, hosts: (await deps.vault.bindingOfNew(tx, name)) ?? [] })
      return { skillId: execution.skillId, awaited }
    })

  const secretPrompts = async (outboxId: number, requestId: RequestId): Promise<void> => {
    const waiting = await awaitedOf(requestId)
    for (const { name, hosts } of waiting?.awaited ?? []) {
      const why = missingFor(waiting?.skillId ?? '', shortList(hosts))
      await once(`${requestId}/prompt/${name}`, () => ask(secretPrompt(name, { requestId }, why)))
    }
    forget(`${requestId}/prompt/`)
    await settle(outboxId)
  }

  const ask = (html: string): Promise<BotMessage> =>
    send(html, { reply_markup: { force_reply: true, input_field_placeholder: 'The value' } })

  /** What one agent causes faster than the chat takes it becomes one message; nothing else waits for it. */
  const foldNotices = async (lane: string, queued: readonly OutboxMessage[]): Promise<void> => {
    const { failed, reminders } = await storage.read(async (tx) => {
      const found: { failed: Execution[]; reminders: ApprovalView[] } = { failed: [], reminders: [] }
      for (const { kind, payload } of queued) {
        const { requestId = '' } = (payload ?? {}) as Payload
        if (kind === 'reminder') {
          const asked = await approvals.find(tx, requestId)
          if (asked?.isPending) found.reminders.push(asked)
          continue
        }
        const execution = await executions.find(tx, requestId as RequestId)
        if (execution !== undefined) found.failed.push(execution)
      }
      return found
    })
    const others = queued.filter(({ kind }) => kind !== 'reminder').length - failed.length
    const id = requesterOfLane(lane)
    const agent = reminders[0]?.requester.name ?? deps.agents.byId(id as AgentId)?.name ?? id
    if (failed.length + others + reminders.length > 0)
      await send(foldedNotices({ agent, failed, others, waiting: reminders.length }))
    await storage.transaction(async (tx) => {
      for (const { id } of queued) await outbox.settle(tx, id)
    })
  }

  return async (message) => {
    if (isNoticeLane(message.lane)) {
      const queued = await outbox.queued(message.lane)
      if (queued.length > NOTICES_IN_FULL) return foldNotices(message.lane, queued)
    }
    const payload = (message.payload ?? {}) as Payload
    const id = payload.requestId ?? payload.askId ?? ''
    switch (message.kind) {
      case 'card':
      case 'provider_ask':
        return card(message.id, id, payload.again === true)
      case 'card_update':
      case 'provider_ask_update':
        return cardUpdate(message.id, id, payload.messageId ?? null)
      case 'reminder':
        return remind(message.id, id)
      case 'secret_prompt':
        return secretPrompts(message.id, id as RequestId)
      case 'notice':
        await (payload.forceReply === true
          ? ask(payload.html ?? '')
          : send(
              payload.html ?? '',
              payload.keyboard === undefined ? {} : { reply_markup: { inline_keyboard: payload.keyboard } },
            ))
        return settle(message.id)
      case 'delete':
        await call('deleteMessage', { message_id: payload.messageId })
        return settle(message.id)
      default:
        log.error({ kind: message.kind }, 'an unknown kind of message in the outbox; dropped')
        return settle(message.id)
    }
  }
}
