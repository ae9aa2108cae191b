import type { ApprovalCard } from '../../domain/approvals/index.ts'
import type { Consent } from '../../domain/consent/index.ts'
import type { Execution } from '../../domain/executions/index.ts'
import type { OutboxMessage } from '../../domain/outbox/index.ts'
import { AppError, type RequestId, type UnixMs } from '../../kernel/index.ts'
import type { BotApi, BotMessage } from './bot-api.ts'
import { BotApiError, isOfContent } from './bot-errors.ts'
import {
  type CardMessage,
  expiry,
  type InlineKeyboard,
  keyboardOf,
  renderCard,
  renderPlainCard,
} from './card-message.ts'
import type { TelegramDeps } from './deps.ts'
import { plainText } from './html.ts'
import { agentOfLane, isNoticeLane } from './lanes.ts'
import { linesHtml } from './lines-message.ts'
import { foldedNotices, NOTICES_IN_FULL } from './notices.ts'
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

/** How many renderings are remembered, so that an edit that changes nothing is not sent. */
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
  const {
    api,
    approvals,
    executions,
    cards,
    audit,
    outbox,
    transactor,
    clock,
    log,
    chat,
    beforeCall,
    signal,
  } = deps
  const rendered = new Map<string, string>()
  /** Parts of a message that have arrived, so that a retry in this process does not repeat them. */
  const arrived = new Set<string>()

  /** A place for a call, and nothing that a power cut may take is told by it. */
  const mayCall = async (): Promise<void> => {
    await beforeCall()
    await transactor.flushed()
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

  const card = async (outboxId: number, id: string, isAgain: boolean): Promise<void> => {
    const asked = approvals.find(id)
    if (!asked?.isPending) return outbox.settle(outboxId)
    const issued = transactor.transact(() => cards.issue(id, chat.id, asked.contentHash), 'grouped')
    if (issued.messageId !== null && !isAgain) return outbox.settle(outboxId)
    const sent = await sendAnyCard(id, approvals.card(id), asked.expiresAt, issued.token)
    transactor.transact(() => {
      cards.delivered(issued, sent.message_id)
      audit.append('approval.asked', 'daemon', asked.audit.requestId, {
        ...asked.audit.data,
        chat_id: chat.id,
        message_id: sent.message_id,
        consent_hash: issued.consentHash,
      })
      outbox.settle(outboxId)
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
    const formatted =
      shown.form === 'program'
        ? renderCard({ ...shown, token, now })
        : {
            documents: [],
            html: `${linesHtml(shown.lines)}\n⏳ ${expiry(expiresAt, now)}`,
            keyboard: keyboardOf(shown.choices, token),
          }
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

  const cardUpdate = async (outboxId: number, id: string, pressed: number | null): Promise<void> => {
    const asked = approvals.find(id)
    const execution = executions.find(id as RequestId)
    if (!asked || (execution?.status ?? (asked.isPending ? 'pending' : 'settled')) === 'pending')
      return outbox.settle(outboxId)
    const messageId = pressed ?? cards.byRequest(id, chat.id)?.messageId ?? null
    const isNotice = messageId === null && execution?.trusted === true && execution.status === 'failed'
    if (messageId === null && !isNotice) return outbox.settle(outboxId)
    const key = `${id}/${messageId}`
    // An execution lives on after its approval: its card tells what came of the run.
    const html =
      execution === undefined
        ? linesHtml(approvals.outcomeLines(id))
        : renderOutcome(execution, readable(execution))
    if (rendered.get(key) !== html) {
      const target = messageId === null ? {} : { message_id: messageId }
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
      rendered.set(key, html)
      if (rendered.size > REMEMBERED) rendered.delete(rendered.keys().next().value as string)
    }
    outbox.settle(outboxId)
  }

  const secretPrompts = async (outboxId: number, execution: Execution | undefined): Promise<void> => {
    if (execution?.status === 'awaiting_secrets') {
      for (const name of executions.missingSecrets(executions.consentOf(execution))) {
        const hosts = deps.vault.bindingOfNew(name) ?? []
        const { requestId, skillId } = execution
        await once(`${requestId}/prompt/${name}`, () =>
          ask(secretPrompt(name, { requestId }, missingFor(skillId, shortList(hosts)))),
        )
      }
      forget(`${execution.requestId}/prompt/`)
    }
    outbox.settle(outboxId)
  }

  const ask = (html: string): Promise<BotMessage> =>
    send(html, { reply_markup: { force_reply: true, input_field_placeholder: 'The value' } })

  /** What one agent causes faster than the chat takes it becomes one message; nothing else waits for it. */
  const foldNotices = async (lane: string, queued: readonly OutboxMessage[]): Promise<void> => {
    const failed = queued.flatMap(({ payload }) => {
      const { requestId } = (payload ?? {}) as Payload
      const execution = requestId === undefined ? undefined : executions.find(requestId as RequestId)
      return execution === undefined ? [] : [execution]
    })
    const agentId = agentOfLane(lane)
    const agent = deps.agents.byId(agentId)?.name ?? agentId
    await send(foldedNotices({ agent, failed, others: queued.length - failed.length }))
    transactor.transact(() => {
      for (const { id } of queued) outbox.settle(id)
    })
  }

  return async (message) => {
    if (isNoticeLane(message.lane)) {
      const queued = outbox.queued(message.lane)
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
      case 'secret_prompt':
        return secretPrompts(message.id, executions.find(id as RequestId))
      case 'notice':
        await (payload.forceReply === true
          ? ask(payload.html ?? '')
          : send(
              payload.html ?? '',
              payload.keyboard === undefined ? {} : { reply_markup: { inline_keyboard: payload.keyboard } },
            ))
        return outbox.settle(message.id)
      case 'delete':
        await call('deleteMessage', { message_id: payload.messageId })
        return outbox.settle(message.id)
      default:
        log.error({ kind: message.kind }, 'an unknown kind of message in the outbox; dropped')
        return outbox.settle(message.id)
    }
  }
}
