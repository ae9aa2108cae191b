import { lazily, oneLine, type SecretValue } from '../../kernel/index.ts'
import { BotApiError } from './bot-errors.ts'
import { loadTelegraf } from './load-telegraf.ts'

/**
 * The Bot API as the daemon uses it. Telegraf's types stay in this file: it trails the Bot API, so what comes in is
 * described by the few fields that are read here, all of them optional in truth.
 */
export interface BotUser {
  readonly id: number
  readonly is_bot: boolean
  readonly first_name?: string
  readonly last_name?: string
  readonly username?: string
}

export interface BotChat {
  readonly id: number
  readonly type: string
  readonly title?: string
}

export interface BotMessage {
  readonly message_id: number
  readonly chat: BotChat
  readonly from?: BotUser
  readonly text?: string
  readonly forward_origin?: unknown
  readonly forward_date?: number
  readonly reply_to_message?: BotMessage
  /** Of the service message in a group that became a supergroup. */
  readonly migrate_to_chat_id?: number
}

export interface BotPress {
  readonly id: string
  readonly from: BotUser
  readonly data?: string
  /** Absent for a press on a message that was sent through inline mode. */
  readonly message?: Pick<BotMessage, 'message_id' | 'chat'>
}

export interface BotUpdate {
  readonly update_id: number
  readonly message?: BotMessage
  readonly callback_query?: BotPress
}

export interface OutgoingDocument {
  readonly fileName: string
  readonly bytes: Uint8Array
}

export interface BotHandlers {
  onMessage(message: BotMessage): Promise<void>
  onPress(press: BotPress): Promise<void>
}

export interface BotApi {
  /** Throws BotApiError only. */
  call<T>(
    method: string,
    payload?: Record<string, unknown>,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<T>
  sendDocument(
    chatId: string,
    document: OutgoingDocument,
    caption: string,
    signal?: AbortSignal,
  ): Promise<BotMessage>
  /** Hands one update to the handlers; what they throw comes back. */
  dispatch(update: BotUpdate, signal?: AbortSignal): Promise<void>
  /** Who the bot is, once known. */
  readonly me: BotUser | undefined
  /** Asks Telegram who the bot is. */
  identify(signal?: AbortSignal): Promise<BotUser>
}

/** Telegram's limit for a message, in UTF-16 code units after entity parsing. */
export const MESSAGE_LIMIT = 4_096

/** Chosen by its owner, so only the id identifies. */
export function nameOfUser(user: BotUser): string {
  const name = [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username || String(user.id)
  return oneLine(name, 64) || String(user.id)
}

/** A call that is not a long poll and takes longer than this has failed. */
const CALL_TIMEOUT_MS = 30_000
const UPLOAD_TIMEOUT_MS = 120_000

export function createBotApi(deps: {
  readonly token: SecretValue
  readonly apiRoot: string
  /** Left out by whoever dispatches nothing. */
  readonly handlers?: BotHandlers
}): BotApi {
  const { handlers } = deps
  // Where there is a bot, when it is first asked something: it takes memory, and time at the start.
  const bot = lazily(() => {
    const { Telegraf } = loadTelegraf()
    const made = new Telegraf(deps.token.open(), {
      telegram: { apiRoot: `${deps.apiRoot.replace(/\/+$/, '')}/`, webhookReply: false },
      handlerTimeout: 600_000,
    })
    made.on('message', async (context) => handlers?.onMessage(context.message as unknown as BotMessage))
    made.on('callback_query', async (context) =>
      handlers?.onPress(context.callbackQuery as unknown as BotPress),
    )
    made.catch((error) => {
      throw error
    })
    return made
  })
  let me: BotUser | undefined

  const call = async <T>(
    method: string,
    payload: Record<string, unknown> = {},
    options: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<T> => {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? CALL_TIMEOUT_MS)
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
    try {
      return (await bot().telegram.callApi(method as 'getMe', payload as never, { signal } as never)) as T
    } catch (error) {
      throw asBotApiError(error, method, deps.token)
    }
  }

  const identify = async (signal?: AbortSignal): Promise<BotUser> => {
    me = await call<BotUser>('getMe', {}, signal ? { signal } : {})
    bot().botInfo = me as ReturnType<typeof bot>['botInfo'] & BotUser
    return me
  }

  return {
    call,
    sendDocument: (chatId, document, caption, signal) =>
      call<BotMessage>(
        'sendDocument',
        {
          chat_id: chatId,
          caption,
          parse_mode: 'HTML',
          document: { source: Buffer.from(document.bytes), filename: document.fileName },
        },
        { timeoutMs: UPLOAD_TIMEOUT_MS, ...(signal ? { signal } : {}) },
      ),
    async dispatch(update, signal) {
      // Else Telegraf would ask by itself, and its errors are not ours.
      if (!me) await identify(signal)
      await bot().handleUpdate(update as never)
    },
    get me() {
      return me
    },
    identify,
  }
}

/**
 * Keeps what a person needs of any error and leaves the rest behind: a fetch error names the address, which holds
 * the token, and Telegraf's carries the payload, which may hold what somebody wrote.
 */
function asBotApiError(error: unknown, method: string, token: SecretValue): BotApiError {
  const response = (error as { response?: TelegramAnswer }).response
  if (response?.error_code !== undefined) {
    const { retry_after: retryAfter, migrate_to_chat_id: migratedTo } = response.parameters ?? {}
    return new BotApiError(method, response.error_code, scrubToken(response.description ?? '', token), {
      retryAfterMs: retryAfter === undefined ? undefined : retryAfter * 1_000,
      migratedTo: migratedTo === undefined ? undefined : String(migratedTo),
    })
  }
  const description =
    error instanceof Error
      ? `${(error as NodeJS.ErrnoException).code ?? error.name}: ${error.message}`
      : 'failed'
  return new BotApiError(method, 0, scrubToken(description, token))
}

interface TelegramAnswer {
  readonly error_code?: number
  readonly description?: string
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number }
}

/** The text without the bot's token, whole or as part of an address. */
export function scrubToken(text: string, token: SecretValue): string {
  const plain = token.open()
  const hidden = [plain, encodeURIComponent(plain), plain.slice(plain.indexOf(':') + 1)]
  return hidden
    .filter((part) => part.length >= 10)
    .reduce((rest, part) => rest.replaceAll(part, '[token]'), text)
    .replace(/bot[0-9]+:[^/\s"']+/g, 'bot[token]')
}
