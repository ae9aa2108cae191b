/** What the Bot API, or the way to it, said instead of doing what was asked. Its message never holds the token. */
export class BotApiError extends Error {
  readonly method: string
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  readonly retryAfterMs: number | undefined
  /** The supergroup that the chat became, when it did. */
  readonly migratedTo: string | undefined

  constructor(
    method: string,
    status: number,
    description: string,
    options: { retryAfterMs?: number | undefined; migratedTo?: string | undefined } = {},
  ) {
    super(`${method}: ${status === 0 ? 'no answer' : status} ${description}`)
    this.name = 'BotApiError'
    this.method = method
    this.status = status
    this.retryAfterMs = options.retryAfterMs
    this.migratedTo = options.migratedTo
  }
}

export type Trouble =
  /** The message already is as asked: a success. */
  | 'not_modified'
  /** The message to edit or delete is no longer there, or too old: nothing can be done. */
  | 'gone'
  /** The press is too old to be answered. */
  | 'stale_query'
  | 'flood'
  /** Telegram or the way to it is down. */
  | 'unreachable'
  /** Another program polls, or a webhook is set. */
  | 'conflict'
  | 'wrong_token'
  /** The bot cannot write in the chat: blocked, removed, topic closed, rights missing. A person must act. */
  | 'no_chat'
  /** This very content is refused and would be again. */
  | 'rejected'
  /** No words that are known; whether the chat takes anything at all tells the content from the chat. */
  | 'unclear'

export function troubleOf(error: BotApiError): Trouble {
  const message = error.message.toLowerCase()
  if (error.status === 429) return 'flood'
  if (error.status === 0 || error.status >= 500) return 'unreachable'
  if (error.status === 409) return 'conflict'
  if (error.status === 401 || error.status === 404) return 'wrong_token'
  if (error.status === 403) return 'no_chat'
  if (message.includes('message is not modified')) return 'not_modified'
  if (/query is too old|query_id_invalid|query id is invalid/.test(message)) return 'stale_query'
  if (/message to (edit|delete) not found|message can't be (edited|deleted)|message_id_invalid/.test(message))
    return 'gone'
  if (error.migratedTo !== undefined || CHAT_STATE.test(message)) return 'no_chat'
  return error.status === 413 || CONTENT.test(message) ? 'rejected' : 'unclear'
}

/** Of the chat's state: another content would be refused as well. Words of Telegram's own and of its MTProto errors. */
const CHAT_STATE = new RegExp(
  [
    'chat not found|chat_id_invalid|peer_id_invalid|channel_private|channel_invalid|user not found|user_is_blocked',
    'not enough rights|have no rights|need administrator|chat_admin_required|chat_write_forbidden|chat_restricted',
    'chat_send_\\w+_forbidden|user_banned_in_channel|was upgraded|group chat was (?:upgraded|deactivated)|is deactivated',
    'topic[_ ](?:closed|deleted|id_invalid|not_modified)|topic is closed|message thread not found|not a member',
    'was kicked|chat is inaccessible|allow_payment_required|paid message|slowmode',
  ].join('|'),
)
/** Of the content: it would be refused wherever it is sent. */
const CONTENT = new RegExp(
  [
    "can't parse|is too long|text is empty|must be (?:non-empty|encoded)|message_(?:too_long|empty)|entit(?:y|ies)",
    'button_|reply_markup|reply markup|inline keyboard|no document|file (?:is|of|must)|too big|wrong file|invalid',
  ].join('|'),
)

/** Whether another form of the same content may be taken. */
export const isOfContent = (error: BotApiError): boolean =>
  troubleOf(error) === 'rejected' || troubleOf(error) === 'unclear'

/** Whether the same call may succeed later without anybody changing its content. */
export const isTransient = (trouble: Trouble): boolean =>
  trouble === 'flood' || trouble === 'unreachable' || trouble === 'conflict'
