import type { DoubleChat, DoubleMessage, DoubleOptions } from './bot-api-shapes.ts'
import { EntityError, parseTelegramHtml } from './telegram-html.ts'

/** What Telegram refuses, as errors with its words. */
export class Refusal extends Error {
  readonly status: number
  readonly parameters: Record<string, unknown> | undefined
  constructor(status: number, description: string, parameters?: Record<string, unknown>) {
    super(description)
    this.status = status
    this.parameters = parameters
  }
}

export const bad = (description: string): Refusal => new Refusal(400, `Bad Request: ${description}`)
export const HOURS_48_MS = 48 * 3_600_000
export type Payload = Record<string, unknown>

/** The text or caption as a reader sees it. */
export const textOf = (payload: Payload, field: 'text' | 'caption', limit: number) => {
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
  if (text.length > limit) throw bad(field === 'text' ? 'message is too long' : 'message caption is too long')
  return { source, text, entities: parsed.entities }
}

/** Buttons and forced replies. */
export const markupOf = (payload: Payload) => {
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

/** About one message a second to a chat, and 20 a minute to a group. */
export function createFlood(flood: NonNullable<DoubleOptions['flood']>): (chat: DoubleChat) => void {
  const buckets = new Map<number, { tokens: number; at: number; recent: number[] }>()
  return (chat: DoubleChat): void => {
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
}
