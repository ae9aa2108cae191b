import { AppError, type ReadTx, SecretValue, type Tx } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'

/** The Telegram chat that a tenant is asked in, with a bot of its own. */
export interface TenantChat {
  readonly token: SecretValue
  readonly chatId: string
  /** User ids of those who may answer; never empty. */
  readonly approverIds: readonly string[]
}

/** The settings TELEGRAM_BOT_TOKEN, TELEGRAM_CHAT_ID and TELEGRAM_APPROVER_IDS of one tenant, sealed with its own data key. */
export interface TenantChats {
  read(tx: ReadTx): Promise<TenantChat | null>
  /** Null: the tenant is asked on the daemon's machine alone. */
  write(tx: Tx, chat: TenantChat | null): Promise<void>
  /** On a rotation of the data key, inside the vault's unit. */
  reseal(tx: Tx, reseal: (purpose: string, sealed: string) => string): Promise<void>
}

const KEY = 'tenant_chat'
const PURPOSE = 'tenant-chat'

export function createTenantChats({
  vault,
}: {
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
}): TenantChats {
  const stored = async (tx: ReadTx): Promise<string> => (await tx.meta.get(KEY)) ?? ''
  return {
    async read(tx) {
      const sealed = await stored(tx)
      if (sealed === '') return null
      const { token, chatId, approverIds } = JSON.parse(vault.openFor(PURPOSE, sealed).open())
      return { token: new SecretValue(token), chatId, approverIds }
    },
    async write(tx, chat) {
      const text = chat && JSON.stringify({ ...chat, token: chat.token.open() })
      await tx.meta.set(KEY, text === null ? '' : vault.sealFor(PURPOSE, new SecretValue(text)))
    },
    async reseal(tx, reseal) {
      const sealed = await stored(tx)
      if (sealed !== '') await tx.meta.set(KEY, reseal(PURPOSE, sealed))
    },
  }
}

const BOT_TOKEN = /^[0-9]{3,20}:[A-Za-z0-9_-]{10,100}$/
const CHAT_ID = /^-?[0-9]{1,20}$/
const USER_ID = /^[0-9]{1,20}$/

/** Throws invalid_request, without what was given. */
export function assertBotToken(token: string): void {
  if (!BOT_TOKEN.test(token))
    throw new AppError(
      'invalid_request',
      'That is no token of a bot: @BotFather gives one, such as 123456789:AA….',
    )
}

/** The forms that the settings have. Throws invalid_request, without what was given. */
export function checkTenantChat(given: {
  readonly token: string
  readonly chatId: string
  readonly approverIds: readonly string[]
}): TenantChat {
  const { token, chatId, approverIds } = given
  const refuse = (message: string): never => {
    throw new AppError('invalid_request', message)
  }
  assertBotToken(token)
  if (!CHAT_ID.test(chatId)) refuse('That is no id of a chat: write /id to the bot, which answers with it.')
  if (approverIds.length > 50 || !approverIds.every((id) => USER_ID.test(id)))
    refuse('Approvers are user ids, at most 50.')
  if (approverIds.length === 0 && chatId.startsWith('-'))
    refuse('A group takes approvers: the user ids of those who may answer.')
  return {
    token: new SecretValue(token),
    chatId,
    approverIds: approverIds.length === 0 ? [chatId] : [...new Set(approverIds)],
  }
}
