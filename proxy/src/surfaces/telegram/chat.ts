/** Where it is kept that the chat has another id by now. */
interface ChatStore {
  get(key: string): string | undefined
  set(key: string, value: string): void
}

/** The one chat that is served. A group that is upgraded to a supergroup gets a new id (Bot API, `migrate_to_chat_id`). */
export interface Chat {
  readonly id: string
  /** As it is configured, where that is not its id any more. */
  readonly configured: string | null
  /** Inside a transaction. False when it is there already. */
  moveTo(id: string): boolean
}

const KEY = 'telegram_chat_moved'

/** Another TELEGRAM_CHAT_ID than the one that moved is another chat, and counts as it is. */
export function createChat(configured: string, store: ChatStore): Chat {
  const [from, to] = (store.get(KEY) ?? '').split(' ')
  let id = from === configured && to ? to : configured
  return {
    get id() {
      return id
    },
    get configured() {
      return id === configured ? null : configured
    },
    moveTo(next) {
      if (next === id || !/^-[0-9]{1,20}$/.test(next)) return false
      store.set(KEY, `${configured} ${next}`)
      id = next
      return true
    },
  }
}
