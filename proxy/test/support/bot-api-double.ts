import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { readPayload } from './bot-api-payload.ts'
import { bad, createFlood, HOURS_48_MS, markupOf, type Payload, Refusal, textOf } from './bot-api-rules.ts'
import type {
  BotApiDouble,
  CallRecord,
  DoubleChat,
  DoubleMessage,
  DoubleOptions,
  DoubleUser,
  FailRule,
  PressHandle,
} from './bot-api-shapes.ts'
import { createUpdates } from './bot-api-updates.ts'
import { createWatchers } from './bot-api-watchers.ts'
import { patience } from './pace.ts'

export type { BotApiDouble, DoubleMessage, DoubleOptions, DoubleUser } from './bot-api-shapes.ts'

/**
 * A Bot API server for tests that keeps Telegram's rules and refuses what Telegram refuses: entity parsing, limits of
 * texts and buttons, unmodified edits, deletion rights, one poller, offsets, webhook secrets, flood control. People
 * are played by `say` and `press`; what went wrong on the way by `down`, `failNext` and the like.
 */
export async function startBotApiDouble(options: DoubleOptions = {}): Promise<BotApiDouble> {
  const token = options.token ?? '4242424242:demo-bot-token-for-tests'
  const queryLifetimeMs = options.queryLifetimeMs ?? 60_000
  const flood = options.flood ?? { perSecond: 1, burst: 4, groupPerMinute: 20 }
  const bot = { id: 4_242_424_242, is_bot: true, first_name: 'OAuth3', username: 'oauth3_test_bot' }
  const chats = new Map<number, DoubleChat>()
  const messages: DoubleMessage[] = []
  const calls: CallRecord[] = []
  const failures: { rule: FailRule; left: number }[] = []
  const held = new Map<string, Promise<void>>()
  const queries = new Map<
    string,
    { answered: boolean; atMs: number; resolve: (answer: { text: string; alert: boolean }) => void }
  >()
  const sockets = new Set<Socket>()
  let commands: { command: string; description: string }[] = []
  let nextMessage = 10
  let nextQuery = 1
  let isDown = false

  const { changed, waitFor } = createWatchers(
    () => `messages: ${JSON.stringify(messages.map((m) => m.text.slice(0, 120)))}`,
  )
  const spend = createFlood(flood)
  const updates = createUpdates({ isDown: () => isDown, changed })

  const chatOf = (payload: Payload): DoubleChat => {
    const chat = chats.get(Number(payload.chat_id))
    if (!chat) throw bad('chat not found')
    if (chat.migratedTo !== undefined) {
      throw new Refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
        migrate_to_chat_id: chat.migratedTo,
      })
    }
    if (chat.blocked) throw new Refusal(403, 'Forbidden: bot was blocked by the user')
    return chat
  }

  const add = (
    message: Omit<DoubleMessage, 'messageId' | 'deleted' | 'edits' | 'dateMs'> & { dateMs?: number },
  ): DoubleMessage => {
    const stored = { dateMs: Date.now(), ...message, messageId: nextMessage++, deleted: false, edits: 0 }
    messages.push(stored)
    changed()
    return stored
  }

  const find = (chatId: number, messageId: unknown): DoubleMessage | undefined =>
    messages.find(
      (message) => message.chatId === chatId && message.messageId === Number(messageId) && !message.deleted,
    )

  const wireChat = (chatId: number) => ({
    id: chatId,
    type: chats.get(chatId)?.type ?? 'private',
    title: 'A chat',
  })
  const wire = (message: DoubleMessage): Payload => ({
    message_id: message.messageId,
    date: Math.floor(message.dateMs / 1_000),
    chat: wireChat(message.chatId),
    from: message.fromBot ? bot : { is_bot: false, ...message.from },
    ...(message.document
      ? { document: { file_name: message.document.fileName, file_id: 'f' }, caption: message.text }
      : { text: message.text }),
    ...(message.buttons.length > 0 ? { reply_markup: JSON.parse(message.markupJson) } : {}),
    ...(message.replyTo ? { reply_to_message: wire(message.replyTo) } : {}),
  })

  const methods: Record<string, (payload: Payload, response: ServerResponse) => unknown> = {
    getMe: () => ({ ...bot, can_join_groups: true, can_read_all_group_messages: false }),
    getChat: (payload) => wireChat(chatOf(payload).id),
    getChatMember(payload) {
      const chat = chatOf(payload)
      return chat.botIsAdmin
        ? { status: 'administrator', user: bot, can_delete_messages: true }
        : { status: 'member', user: bot }
    },
    setMyCommands(payload) {
      const list = payload.commands as { command: string; description: string }[]
      for (const { command, description } of list) {
        if (!/^[a-z0-9_]{1,32}$/.test(command)) throw bad('BOT_COMMAND_INVALID')
        if (description.length < 1 || description.length > 256) throw bad('BOT_COMMAND_DESCRIPTION_INVALID')
      }
      commands = list
      return true
    },
    setWebhook: (payload) => updates.setWebhook(payload),
    deleteWebhook: () => updates.deleteWebhook(),
    getWebhookInfo: () => updates.webhookInfo(),
    sendMessage(payload) {
      const chat = chatOf(payload)
      const text = textOf(payload, 'text', 4_096)
      const markup = markupOf(payload)
      spend(chat)
      return wire(
        add({
          chatId: chat.id,
          fromBot: true,
          from: bot,
          ...text,
          ...markup,
          document: undefined,
          replyTo: undefined,
        }),
      )
    },
    sendDocument(payload) {
      const chat = chatOf(payload)
      const file = payload.document as { fileName: string | undefined; bytes: Buffer } | string | undefined
      if (typeof file !== 'object' || !file.fileName) throw bad('there is no document in the request')
      if (file.bytes.length === 0) throw bad('file must be non-empty')
      if (file.bytes.length > 50 * 1_048_576) throw new Refusal(413, 'Request Entity Too Large')
      const caption = textOf(payload, 'caption', 1_024)
      const markup = markupOf(payload)
      spend(chat)
      const document = { fileName: file.fileName, bytes: file.bytes }
      return wire(
        add({
          chatId: chat.id,
          fromBot: true,
          from: bot,
          ...caption,
          ...markup,
          document,
          replyTo: undefined,
        }),
      )
    },
    editMessageText(payload) {
      const chat = chatOf(payload)
      const message = find(chat.id, payload.message_id)
      if (!message) throw bad('message to edit not found')
      if (!message.fromBot || message.document) throw bad("message can't be edited")
      const text = textOf(payload, 'text', 4_096)
      const markup = markupOf(payload)
      const same =
        message.text === text.text && JSON.stringify(message.entities) === JSON.stringify(text.entities)
      if (same && message.markupJson === markup.markupJson) {
        throw bad(
          'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
        )
      }
      spend(chat)
      Object.assign(message, text, {
        callbacks: markup.callbacks,
        buttons: markup.buttons,
        markupJson: markup.markupJson,
        edits: message.edits + 1,
      })
      changed()
      return wire(message)
    },
    deleteMessage(payload) {
      const chat = chatOf(payload)
      const message = find(chat.id, payload.message_id)
      if (!message) throw bad('message to delete not found')
      const mayDelete = message.fromBot || chat.type === 'private' || chat.botIsAdmin
      if (!mayDelete || Date.now() - message.dateMs > HOURS_48_MS) throw bad("message can't be deleted")
      message.deleted = true
      changed()
      return true
    },
    answerCallbackQuery(payload) {
      const query = queries.get(String(payload.callback_query_id))
      if (!query || query.answered || performance.now() - query.atMs > queryLifetimeMs)
        throw bad('query is too old and response timeout expired or query ID is invalid')
      const text = String(payload.text ?? '')
      if (text.length > 200) throw bad('MESSAGE_TOO_LONG')
      query.answered = true
      query.resolve({ text, alert: payload.show_alert === true })
      changed()
      return true
    },
    sendChatAction(payload) {
      chatOf(payload)
      if (payload.action !== 'typing') throw bad('wrong parameter action in request')
      return true
    },
    getUpdates: (payload, response) => updates.poll(payload, response),
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, presented = '', method = ''] = /^\/bot([^/]+)\/([A-Za-z]+)$/.exec(request.url ?? '') ?? []
    const payload = await readPayload(request)
    const record: CallRecord = { method, payload, status: 200, atMs: performance.now() }
    calls.push(record)
    let body: unknown
    try {
      if (presented !== token) throw new Refusal(401, 'Unauthorized')
      await held.get(method)
      throwPlanned(method)
      const run = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (!run) throw new Refusal(404, 'Not Found: method not found')
      body = { ok: true, result: await run(payload, response) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      record.status = error.status
      body = {
        ok: false,
        error_code: error.status,
        description: error.message,
        ...(error.parameters ? { parameters: error.parameters } : {}),
      }
    }
    changed()
    if (response.destroyed) return
    response.writeHead(record.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }

  const throwPlanned = (method: string): void => {
    const index = failures.findIndex(({ rule }) => rule.method === undefined || rule.method === method)
    const planned = failures[index]
    if (!planned) return
    planned.left -= 1
    if (planned.left <= 0) failures.splice(index, 1)
    const { status, description, retryAfter } = planned.rule
    throw new Refusal(
      status,
      description ?? `Planned failure ${status}`,
      retryAfter === undefined ? undefined : { retry_after: retryAfter },
    )
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => {
      response.writeHead(500).end(JSON.stringify({ ok: false, error_code: 500, description: error.message }))
    })
  })
  server.on('connection', (socket) => {
    if (isDown) return void socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const pressRaw = (chatId: number, messageId: number, data: string, from: DoubleUser): PressHandle => {
    const id = String(1_000_000_000_000 + nextQuery++)
    const answered = new Promise<{ text: string; alert: boolean }>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the press was not answered')), patience(8_000))
      queries.set(id, {
        answered: false,
        atMs: performance.now(),
        resolve: (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
      })
    })
    answered.catch(() => {})
    const message = find(chatId, messageId)
    const shown = message ? wire(message) : { message_id: messageId, date: 0, chat: wireChat(chatId) }
    updates.push({
      callback_query: {
        id,
        from: { is_bot: false, ...from },
        message: shown,
        chat_instance: String(chatId),
        data,
      },
    })
    return { id, answered }
  }

  return {
    root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    bot,
    messages,
    calls,
    get commands() {
      return commands
    },
    get unconfirmed() {
      return updates.waiting
    },
    addChat({ id, type, botIsAdmin = false }) {
      const chat: DoubleChat = { id, type, botIsAdmin, blocked: false }
      chats.set(id, chat)
      return chat
    },
    say(chatId, text, from, { replyTo, forwarded, migrateTo, ageMs = 0 } = {}) {
      const chat = chats.get(chatId)
      if (!chat) throw new Error(`no chat ${chatId}; add it first`)
      const message = add({
        chatId,
        fromBot: false,
        from,
        text: text.trim(),
        source: text,
        entities: [],
        buttons: [],
        callbacks: new Map(),
        forceReply: false,
        document: undefined,
        replyTo,
        markupJson: 'null',
        dateMs: Date.now() - ageMs,
      })
      const seen =
        chat.type === 'private' || chat.botIsAdmin || text.startsWith('/') || replyTo?.fromBot === true
      const origin = forwarded ? { forward_origin: { type: 'user', sender_user: from, date: 1 } } : {}
      const service = migrateTo === undefined ? {} : { migrate_to_chat_id: migrateTo }
      if (seen || migrateTo !== undefined)
        updates.push({ message: { ...wire(message), ...origin, ...service } })
      return message
    },
    press(chatId, messageId, buttonText, from) {
      const message = find(chatId, messageId)
      const data = message?.callbacks.get(buttonText)
      if (data === undefined) {
        throw new Error(
          `message ${messageId} shows no button "${buttonText}"; it has ${JSON.stringify(message?.buttons)}`,
        )
      }
      return pressRaw(chatId, messageId, data, from)
    },
    pressRaw,
    push: (update) => updates.push(update),
    deleteAsPerson(chatId, messageId) {
      const message = find(chatId, messageId)
      if (message) message.deleted = true
    },
    down() {
      isDown = true
      for (const socket of sockets) socket.destroy()
    },
    up() {
      isDown = false
      updates.wake()
    },
    upgrade(chatId, to) {
      const group = chats.get(chatId)
      if (!group) throw new Error(`no chat ${chatId}`)
      group.migratedTo = to
      chats.set(to, { ...group, id: to, type: 'supergroup', migratedTo: undefined })
    },
    failNext: (rule) => void failures.push({ rule, left: rule.times ?? 1 }),
    hold(method) {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(method, promise)
      return resolve
    },
    conflict: (on) => updates.conflict(on),
    stealWebhook: (url) => updates.stealWebhook(url),
    deliverWebhooksTo: (address) => updates.deliverTo(address),
    waitForMessage: (fits, timeoutMs) => waitFor(() => messages.find(fits), 'a message', timeoutMs),
    waitFor,
    async [Symbol.asyncDispose]() {
      updates.deleteWebhook()
      updates.wake()
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
