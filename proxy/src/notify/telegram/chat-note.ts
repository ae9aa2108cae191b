import type { Chat } from './chat.ts'
import type { Sender } from './sender.ts'

/** For `/health`, `oauth3 status` and the doctor: why the chat hears nothing, or that it has another id by now. */
export function chatNote(trouble: Sender['trouble'], chat: Chat, waiting: number): string | null {
  if (trouble !== null) {
    const since = new Date(trouble.since).toISOString().slice(0, 16).replace('T', ' ')
    return `Telegram takes no messages for the chat since ${since} UTC (${trouble.message}); ${waiting} waiting, and kept`
  }
  return chat.configured === null
    ? null
    : `the chat ${chat.configured} became a supergroup: set TELEGRAM_CHAT_ID to ${chat.id}`
}
