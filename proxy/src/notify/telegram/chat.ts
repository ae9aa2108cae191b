import type { Storage, Tx } from '../../kernel/index.ts'

/** The one chat that is served. A group that is upgraded to a supergroup gets a new id (Bot API, `migrate_to_chat_id`). */
export interface Chat {
  readonly id: string
  /** As it is configured, where that is not its id any more. */
  readonly configured: string | null
  /** False when it is there already. `id` is the new one once the unit is committed. */
  moveTo(tx: Tx, id: string): Promise<boolean>
}

/** Where it is kept that the chat has another id by now. */
const KEY = 'telegram_chat_moved'

/** Another TELEGRAM_CHAT_ID than the one that moved is another chat, and counts as it is. */
export async function createChat(configured: string, storage: Pick<Storage, 'read'>): Promise<Chat> {
  const [from, to] = ((await storage.read((tx) => tx.meta.get(KEY))) ?? '').split(' ')
  let id = from === configured && to ? to : configured
  return {
    get id() {
      return id
    },
    get configured() {
      return id === configured ? null : configured
    },
    async moveTo(tx, next) {
      if (next === id || !/^-[0-9]{1,20}$/.test(next)) return false
      await tx.meta.set(KEY, `${configured} ${next}`)
      tx.onCommit(() => {
        id = next
      })
      return true
    },
  }
}
