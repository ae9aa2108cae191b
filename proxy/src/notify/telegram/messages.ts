import { type Action, authorize, resourceOf } from '../../identity/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { BotApi, BotMessage } from '../bot-api/index.ts'
import { BotApiError, createPace, isTransient, troubleOf } from '../bot-api/index.ts'
import { createCommandHandlers, type HandledCommand, refusalText } from './command-handlers.ts'
import { COMMANDS, type CommandReply, isCommandName, type ParsedCommand, parseCommand } from './commands.ts'
import type { TelegramDeps } from './deps.ts'
import { bold, code, escapeHtml } from './html.ts'
import { personLane, replyLane } from './lanes.ts'
import type { PanicButton } from './panic-button.ts'
import { actorOfUser, type PersonOf } from './people.ts'
import { type Asked, type KeySlot, promptedKey, promptedSecret } from './prompts.ts'
import type { Refusals } from './refusals.ts'
import type { Sender } from './sender.ts'

/** Commands whose message is deleted before it is read. */
const HOLD_SECRETS: ReadonlySet<string> = new Set<HandledCommand>(['add_secret', 'add_key'])

type Prompted =
  | { readonly name: string; readonly asked: Asked | undefined }
  | { readonly key: KeySlot; readonly number: number }

/**
 * What people write. One chat is served; in it, approvers command. Everybody else learns their own id and nothing
 * more. Whatever may hold a secret is deleted before anything else is done with it.
 */
export function createMessages(
  deps: TelegramDeps & {
    readonly panic: PanicButton
    readonly personOf: PersonOf
    readonly api: BotApi
    readonly sender: Sender
    readonly refusals: Refusals
    /** The chat has this id now. */
    readonly follow: (to: string) => Promise<boolean>
    /** Aborts when the daemon does not wait any longer. */
    readonly signal: AbortSignal
  },
): { handle(message: BotMessage): Promise<void> } {
  const { api, personOf, chat, outbox, storage, log, sender, refusals, signal } = deps
  const handlers = createCommandHandlers(deps)
  /** Whoever is no approver shares this; what exceeds it is not answered. */
  const strangers = createPace({ burst: 5, perSecond: 0.5 })
  const ended = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new AppError('shutting_down', 'The daemon is stopping; ask again.'))
    signal.addEventListener('abort', stop, { once: true })
  })
  ended.catch(() => {})

  const isApprover = (message: BotMessage): boolean => personOf(message.from) !== undefined
  const mayDo = (message: BotMessage, action: Action): boolean => {
    const person = personOf(message.from)
    return person !== undefined && authorize(person, action, resourceOf(storage.tenant, action)).allowed
  }

  /** Replies to approvers are queued; whoever else writes can fill neither the queue nor the chat. */
  const reply = async (message: BotMessage, answer: CommandReply): Promise<void> => {
    if (!isApprover(message)) {
      if (strangers.tryTake()) sender.sayIfIdle(answer.html)
      return
    }
    try {
      await storage.transaction((tx) =>
        outbox.enqueue(tx, replyLane(chat.id), 'notice', {
          html: answer.html,
          forceReply: answer.forceReply === true,
          ...(answer.keyboard === undefined ? {} : { keyboard: answer.keyboard.map((row) => [...row]) }),
        }),
      )
      sender.nudge()
    } catch (error) {
      log.error({ err: error }, 'a reply could not be queued; sending it at once')
      const payload = { chat_id: chat.id, text: answer.html, parse_mode: 'HTML' }
      api
        .call('sendMessage', payload, { signal })
        .catch((second: Error) => log.error({ said: second.message }, 'a reply is lost'))
    }
  }

  const answerId = async (message: BotMessage): Promise<void> => {
    const chatId = String(message.chat.id)
    const userId = String(message.from?.id ?? '')
    const user = userId !== '' && userId !== chatId ? `\nYour user id is ${code(userId)}.` : ''
    const html = `This chat's id is ${code(chatId)}.${user}`
    if (chatId === chat.id) return await reply(message, { html })
    if (!strangers.tryTake()) return
    try {
      await api.call(
        'sendMessage',
        { chat_id: message.chat.id, text: html, parse_mode: 'HTML' },
        { timeoutMs: 10_000, signal },
      )
    } catch (error) {
      log.warn({ said: (error as Error).message }, 'an id could not be told')
    }
  }

  /** Deletes a message that may hold a secret; says loudly when it stays. */
  const erase = async (message: BotMessage): Promise<void> => {
    try {
      await api.call(
        'deleteMessage',
        { chat_id: message.chat.id, message_id: message.message_id },
        { timeoutMs: 10_000, signal },
      )
    } catch (error) {
      if (!(error instanceof BotApiError)) throw error
      if (/message to delete not found/i.test(error.message)) return
      log.warn({ said: error.message }, 'a message with a secret could not be deleted')
      const later = isTransient(troubleOf(error)) && isApprover(message)
      // Not in the lane of replies: its retries must not hold back what replies say. Not for others, who could fill it.
      if (later)
        await storage.transaction((tx) =>
          outbox.enqueue(tx, personLane(chat.id), 'delete', { messageId: message.message_id }),
        )
      const advice = later
        ? 'I keep trying, but do not wait for me: delete it yourself.'
        : 'Delete it yourself now. In a group I can delete only as an administrator, anywhere only within 48 hours.'
      await reply(message, {
        html: `🚨 ${bold('I could NOT delete your message with the secret.')} ${escapeHtml(advice)}`,
      })
    }
  }

  const refuse = (message: BotMessage, reason: string): Promise<void> =>
    refusals.message(String(message.from?.id ?? 'unknown'), String(message.chat.id), reason)

  const answerWith = async (
    message: BotMessage,
    work: () => CommandReply | Promise<CommandReply>,
  ): Promise<boolean> => {
    try {
      await reply(message, await Promise.race([work(), ended]))
      return true
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal')
        log.error({ err: error }, 'a command failed')
      await reply(message, { html: refusalText(error) })
      return false
    }
  }

  /** A question that was answered is gone, so that nobody answers it again. */
  const takeAwayQuestion = ({ chat, reply_to_message: question }: BotMessage): void => {
    if (question === undefined) return
    api
      .call(
        'deleteMessage',
        { chat_id: chat.id, message_id: question.message_id },
        { timeoutMs: 10_000, signal },
      )
      .catch((error: Error) =>
        log.warn({ said: error.message }, 'an answered question stays; it is good for nothing'),
      )
  }

  const onCommand = async (message: BotMessage, command: ParsedCommand): Promise<void> => {
    if (!isCommandName(command.name)) {
      if (message.chat.type === 'private' && isApprover(message))
        await reply(message, { html: 'I do not know that; see /help.' })
      return
    }
    if (command.name === 'start' || command.name === 'id') return answerId(message)
    const { who } = COMMANDS[command.name]
    if (who !== 'chat' && !mayDo(message, who)) {
      await refuse(message, 'not_approver')
      return await reply(message, { html: 'Only approvers can use this command.' })
    }
    const name: HandledCommand = command.name
    const actor = actorOfUser(message.from)
    await answerWith(message, () => handlers[name]({ rest: command.rest, actor }))
  }

  /** What the message is the value of, when it replies to a question of this bot for one. */
  const answeredPrompt = (message: BotMessage): Prompted | undefined => {
    const question = message.reply_to_message
    if (question?.from?.id !== api.me?.id || question?.chat.id !== message.chat.id) return undefined
    const key = promptedKey(question?.text)
    return promptedSecret(question?.text) ?? (key && { key: key.slot, number: key.number })
  }

  return {
    async handle(message) {
      if (message.forward_origin !== undefined || message.forward_date !== undefined) return
      const command = parseCommand(message.text)
      const mine =
        command && (command.bot === null || command.bot.toLowerCase() === api.me?.username?.toLowerCase())
      if (String(message.chat.id) !== chat.id) {
        if (mine && (command.name === 'start' || command.name === 'id')) await answerId(message)
        else await refuse(message, 'other_chat')
        return
      }
      if (message.migrate_to_chat_id !== undefined) {
        await deps.follow(String(message.migrate_to_chat_id))
        sender.nudge()
        return
      }
      const prompted = answeredPrompt(message)
      if ((mine && HOLD_SECRETS.has(command.name)) || prompted !== undefined) await erase(message)
      if (command) {
        if (mine) await onCommand(message, command)
        return
      }
      if (prompted === undefined) return
      if (!mayDo(message, 'key' in prompted ? 'provider_key.write' : 'secret.write'))
        return await refuse(message, 'not_approver')
      const { text } = message
      if (text === undefined) return await reply(message, { html: 'Send the value as text.' })
      const actor = actorOfUser(message.from)
      const isAnswered = await answerWith(message, () =>
        'key' in prompted
          ? handlers.answerKey(prompted.key, prompted.number, text, actor)
          : handlers.answerSecret(prompted.name, prompted.asked, text, actor),
      )
      if (isAnswered) takeAwayQuestion(message)
    },
  }
}
