import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { parseMultipart } from './multipart.ts'
import { EntityError, parseTelegramHtml } from './telegram-html.ts'

/**
 * A Bot API server for tests that keeps Telegram's rules and refuses what Telegram refuses: entity parsing, limits of
 * texts and buttons, unmodified edits, deletion rights, one poller, offsets, webhook secrets, flood control. People
 * are played by `say` and `press`; what went wrong on the way by `down`, `failNext` and the like.
 */
export interface DoubleUser {
  readonly id: number
  readonly first_name: string
  readonly username?: string
}

export interface DoubleChat {
  readonly id: number
  readonly type: 'private' | 'group' | 'supergroup'
  /** In a group: whether the bot may delete messages and sees all of them. */
  botIsAdmin: boolean
  /** Blocked by the person, or thrown out of the group. */
  blocked: boolean
}

export interface DoubleMessage {
  readonly chatId: number
  readonly messageId: number
  readonly fromBot: boolean
  readonly from: DoubleUser
  /** What is seen now: tags and entities read. For a document, its caption. */
  text: string
  /** As the bot sent it. */
  source: string
  entities: readonly { readonly type: string; readonly text: string }[]
  /** Texts of the inline buttons, row by row. */
  buttons: readonly (readonly string[])[]
  callbacks: ReadonlyMap<string, string>
  readonly forceReply: boolean
  readonly document: { readonly fileName: string; readonly bytes: Buffer } | undefined
  readonly replyTo: DoubleMessage | undefined
  deleted: boolean
  edits: number
  dateMs: number
  markupJson: string
}

export interface CallRecord {
  readonly method: string
  readonly payload: Record<string, unknown>
  status: number
  readonly atMs: number
}

export interface PressHandle {
  readonly id: string
  /** What the bot answered; rejects when it does not within five seconds. */
  readonly answered: Promise<{ readonly text: string; readonly alert: boolean }>
}

export interface FailRule {
  /** Any method when left out. */
  readonly method?: string
  readonly status: number
  readonly description?: string
  readonly retryAfter?: number
  /** 1 when left out. */
  readonly times?: number
}

export interface BotApiDouble extends AsyncDisposable {
  /** For TELEGRAM_API_ROOT. */
  readonly root: string
  readonly token: string
  readonly bot: DoubleUser & { readonly username: string }
  readonly messages: readonly DoubleMessage[]
  readonly calls: readonly CallRecord[]
  readonly commands: readonly { readonly command: string; readonly description: string }[]
  /** Updates that nobody has confirmed. */
  readonly unconfirmed: number
  addChat(chat: { id: number; type: DoubleChat['type']; botIsAdmin?: boolean }): DoubleChat
  say(chatId: number, text: string, from: DoubleUser, options?: SayOptions): DoubleMessage
  press(chatId: number, messageId: number, buttonText: string, from: DoubleUser): PressHandle
  /** A press with any data, as a changed client could send it. */
  pressRaw(chatId: number, messageId: number, data: string, from: DoubleUser): PressHandle
  /** An update of another kind, as it is. */
  push(update: Record<string, unknown>): void
  deleteAsPerson(chatId: number, messageId: number): void
  /** Cuts every connection and refuses new ones until `up`. */
  down(): void
  up(): void
  failNext(rule: FailRule): void
  /** Whether getUpdates answers 409, as when another program polls. */
  conflict(on: boolean): void
  /** Another program's webhook. */
  stealWebhook(url: string): void
  /** Where webhook calls really go; Telegram itself insists on https. */
  deliverWebhooksTo(address: string): void
  /** The first message that fits, now or later. */
  waitForMessage(fits: (message: DoubleMessage) => boolean, timeoutMs?: number): Promise<DoubleMessage>
  /** Resolves when the check holds; looked at after every change. */
  waitFor<T>(check: () => T | undefined | false, what: string, timeoutMs?: number): Promise<T>
}

export interface SayOptions {
  readonly replyTo?: DoubleMessage
  readonly forwarded?: boolean
  /** How old the message is when the bot sees it. */
  readonly ageMs?: number
}

export interface DoubleOptions {
  readonly token?: string
  /** Flood control for one chat; Telegram's own when left out. */
  readonly flood?: { readonly perSecond: number; readonly burst: number; readonly groupPerMinute: number }
}

class Refusal extends Error {
  readonly status: number
  readonly parameters: Record<string, unknown> | undefined
  constructor(status: number, description: string, parameters?: Record<string, unknown>) {
    super(description)
    this.status = status
    this.parameters = parameters
  }
}

const bad = (description: string): Refusal => new Refusal(400, `Bad Request: ${description}`)
const HOURS_48_MS = 48 * 3_600_000
type Payload = Record<string, unknown>

export async function startBotApiDouble(options: DoubleOptions = {}): Promise<BotApiDouble> {
  const token = options.token ?? '4242424242:demo-bot-token-for-tests'
  const flood = options.flood ?? { perSecond: 1, burst: 4, groupPerMinute: 20 }
  const bot = { id: 4_242_424_242, is_bot: true, first_name: 'OAuth3', username: 'oauth3_test_bot' }
  const chats = new Map<number, DoubleChat>()
  const messages: DoubleMessage[] = []
  const calls: CallRecord[] = []
  const failures: { rule: FailRule; left: number }[] = []
  const queries = new Map<
    string,
    { answered: boolean; resolve: (answer: { text: string; alert: boolean }) => void }
  >()
  const sockets = new Set<Socket>()
  const watchers = new Set<() => void>()
  let commands: { command: string; description: string }[] = []
  let updates: { update_id: number; [kind: string]: unknown }[] = []
  let allowed: readonly string[] | undefined
  let nextUpdate = 100
  let nextMessage = 10
  let nextQuery = 1
  let isDown = false
  let isConflict = false
  let poller: { end: () => void } | undefined
  let webhook: { url: string; secret: string | undefined } | undefined
  let webhookTarget: string | undefined
  const buckets = new Map<number, { tokens: number; at: number; recent: number[] }>()

  const changed = (): void => {
    for (const watcher of [...watchers]) watcher()
  }

  const chatOf = (payload: Payload): DoubleChat => {
    const chat = chats.get(Number(payload.chat_id))
    if (!chat) throw bad('chat not found')
    if (chat.blocked) throw new Refusal(403, 'Forbidden: bot was blocked by the user')
    return chat
  }

  const spend = (chat: DoubleChat): void => {
    const now = performance.now()
    const bucket = buckets.get(chat.id) ?? { tokens: flood.burst, at: now, recent: [] }
    buckets.set(chat.id, bucket)
    bucket.tokens = Math.min(flood.burst, bucket.tokens + ((now - bucket.at) / 1_000) * flood.perSecond)
    bucket.at = now
    bucket.recent = bucket.recent.filter((at) => now - at < 60_000)
    const groupFull = chat.type !== 'private' && bucket.recent.length >= flood.groupPerMinute
    if (bucket.tokens < 1 || groupFull) {
      const seconds = groupFull
        ? Math.ceil((60_000 - (now - (bucket.recent[0] ?? now))) / 1_000)
        : Math.ceil((1 - bucket.tokens) / flood.perSecond)
      throw new Refusal(429, `Too Many Requests: retry after ${seconds}`, {
        retry_after: Math.max(1, seconds),
      })
    }
    bucket.tokens -= 1
    bucket.recent.push(now)
  }

  const textOf = (payload: Payload, field: 'text' | 'caption', limit: number) => {
    const source = payload[field] === undefined ? '' : String(payload[field])
    let parsed: { text: string; entities: DoubleMessage['entities'] } = { text: source, entities: [] }
    if (payload.parse_mode !== undefined && payload.parse_mode !== 'HTML') throw bad('unsupported parse_mode')
    if (payload.parse_mode === 'HTML') {
      try {
        parsed = parseTelegramHtml(source)
      } catch (error) {
        if (error instanceof EntityError) throw bad(`can't parse entities: ${error.message}`)
        throw error
      }
    }
    const text = parsed.text.trim()
    if (field === 'text' && text === '') throw bad('message text is empty')
    if (text.length > limit)
      throw bad(field === 'text' ? 'message is too long' : 'message caption is too long')
    return { source, text, entities: parsed.entities }
  }

  const markupOf = (payload: Payload) => {
    const markup = (
      typeof payload.reply_markup === 'string' ? JSON.parse(payload.reply_markup) : payload.reply_markup
    ) as
      | {
          inline_keyboard?: { text?: unknown; callback_data?: unknown }[][]
          force_reply?: boolean
          input_field_placeholder?: string
        }
      | undefined
    const callbacks = new Map<string, string>()
    const buttons = (markup?.inline_keyboard ?? []).map((row) =>
      row.map(({ text, callback_data: data }) => {
        if (typeof text !== 'string' || text.trim() === '')
          throw bad('can\'t parse inline keyboard button: Field "text" must be non-empty')
        const bytes = typeof data === 'string' ? Buffer.byteLength(data) : 0
        if (bytes < 1 || bytes > 64) throw bad('BUTTON_DATA_INVALID')
        callbacks.set(text, data as string)
        return text
      }),
    )
    const placeholder = markup?.input_field_placeholder
    if (placeholder !== undefined && (placeholder.length < 1 || placeholder.length > 64))
      throw bad('input_field_placeholder is invalid')
    return {
      callbacks,
      buttons,
      forceReply: markup?.force_reply === true,
      markupJson: JSON.stringify(markup ?? null),
    }
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
    setWebhook(payload) {
      const url = String(payload.url ?? '')
      const secret = payload.secret_token === undefined ? undefined : String(payload.secret_token)
      if (url !== '' && !url.startsWith('https://'))
        throw bad('bad webhook: An HTTPS URL must be provided for webhook')
      if (secret !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret))
        throw bad('secret token contains unallowed characters')
      webhook = url === '' ? undefined : { url, secret }
      allowed = (payload.allowed_updates as string[] | undefined) ?? allowed
      queueMicrotask(() => void deliver())
      return true
    },
    deleteWebhook() {
      webhook = undefined
      return true
    },
    getWebhookInfo: () => ({ url: webhook?.url ?? '', pending_update_count: updates.length }),
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
      if (!query || query.answered)
        throw bad('query is too old and response timeout expired or query ID is invalid')
      const text = String(payload.text ?? '')
      if (text.length > 200) throw bad('MESSAGE_TOO_LONG')
      query.answered = true
      query.resolve({ text, alert: payload.show_alert === true })
      changed()
      return true
    },
    getUpdates: (payload, response) => poll(payload, response),
  }

  const poll = async (payload: Payload, response: ServerResponse): Promise<unknown> => {
    if (webhook)
      throw new Refusal(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      )
    if (poller || isConflict) {
      throw new Refusal(
        409,
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
      )
    }
    allowed = (payload.allowed_updates as string[] | undefined) ?? allowed
    const offset = Number(payload.offset ?? 0)
    if (offset > 0) updates = updates.filter((update) => update.update_id >= offset)
    const timeoutMs = Math.min(50, Number(payload.timeout ?? 0)) * 1_000
    if (updates.length === 0 && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          clearTimeout(timer)
          poller = undefined
          resolve()
        }
        const timer = setTimeout(end, timeoutMs)
        poller = { end }
        response.once('close', end)
      })
    }
    if (webhook) throw new Refusal(409, 'Conflict: terminated by setWebhook request')
    return updates.slice(0, Number(payload.limit ?? 100))
  }

  const push = (update: Record<string, unknown>): void => {
    const kind = Object.keys(update)[0] ?? ''
    if (allowed && allowed.length > 0 && !allowed.includes(kind)) return
    updates.push({ update_id: nextUpdate++, ...update })
    poller?.end()
    void deliver()
  }

  let delivering = false
  const deliver = async (): Promise<void> => {
    if (delivering || !webhook) return
    delivering = true
    while (webhook && updates[0] && !isDown) {
      const target = webhookTarget ?? webhook.url
      const answer = await fetch(target, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(webhook.secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': webhook.secret }),
        },
        body: JSON.stringify(updates[0]),
      }).catch(() => undefined)
      if (answer?.ok) updates.shift()
      else await new Promise((resolve) => setTimeout(resolve, 100))
      changed()
    }
    delivering = false
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, presented = '', method = ''] = /^\/bot([^/]+)\/([A-Za-z]+)$/.exec(request.url ?? '') ?? []
    const payload = await readPayload(request)
    const record: CallRecord = { method, payload, status: 200, atMs: performance.now() }
    calls.push(record)
    let body: unknown
    try {
      if (presented !== token) throw new Refusal(401, 'Unauthorized')
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

  const waitFor = <T>(check: () => T | undefined | false, what: string, timeoutMs = 8_000): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = check()
        if (!found) return
        stop()
        resolve(found)
      }
      const stop = (): void => {
        clearTimeout(timer)
        clearInterval(again)
        watchers.delete(look)
      }
      const timer = setTimeout(() => {
        stop()
        reject(
          new Error(
            `waited ${timeoutMs} ms for ${what}; messages: ${JSON.stringify(messages.map((m) => m.text.slice(0, 120)))}`,
          ),
        )
      }, timeoutMs)
      // Some checks look at more than this server.
      const again = setInterval(look, 25)
      watchers.add(look)
      look()
    })

  const pressRaw = (chatId: number, messageId: number, data: string, from: DoubleUser): PressHandle => {
    const id = String(1_000_000_000_000 + nextQuery++)
    const answered = new Promise<{ text: string; alert: boolean }>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the press was not answered')), 8_000)
      queries.set(id, {
        answered: false,
        resolve: (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
      })
    })
    answered.catch(() => {})
    const message = find(chatId, messageId)
    const shown = message ? wire(message) : { message_id: messageId, date: 0, chat: wireChat(chatId) }
    push({
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
      return updates.length
    },
    addChat({ id, type, botIsAdmin = false }) {
      const chat: DoubleChat = { id, type, botIsAdmin, blocked: false }
      chats.set(id, chat)
      return chat
    },
    say(chatId, text, from, { replyTo, forwarded, ageMs = 0 } = {}) {
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
      if (seen) push({ message: { ...wire(message), ...origin } })
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
    push,
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
      void deliver()
    },
    failNext: (rule) => void failures.push({ rule, left: rule.times ?? 1 }),
    conflict(on) {
      isConflict = on
      if (on) poller?.end()
    },
    stealWebhook(url) {
      webhook = { url, secret: undefined }
      poller?.end()
    },
    deliverWebhooksTo(address) {
      webhookTarget = address
      void deliver()
    },
    waitForMessage: (fits, timeoutMs) => waitFor(() => messages.find(fits), 'a message', timeoutMs),
    waitFor,
    async [Symbol.asyncDispose]() {
      webhook = undefined
      poller?.end()
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function readPayload(request: IncomingMessage): Promise<Payload> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('multipart/form-data')) {
    return Object.fromEntries(
      parseMultipart(body, type).map(({ name, fileName, bytes }) => [
        name,
        fileName === undefined ? bytes.toString('utf8') : { fileName, bytes },
      ]),
    )
  }
  return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Payload)
}
