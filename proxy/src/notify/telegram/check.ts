import type { CheckResult, DoctorCheck } from '../../kernel/index.ts'
import type { BotApi, BotChat } from '../bot-api/index.ts'
import type { TelegramDeps } from './deps.ts'

/** Asks Telegram who the bot is, whether it reaches the chat, and whether it can delete messages there. */
export function createTelegramCheck(
  deps: Pick<TelegramDeps, 'chat' | 'memberships' | 'storage'> & {
    readonly api: BotApi
    readonly connected: () => boolean
    readonly trouble: () => { readonly message: string } | null
  },
): DoctorCheck {
  const { api, chat, memberships, storage } = deps
  const run = async (signal: AbortSignal): Promise<CheckResult> => {
    const me = await api.identify(signal)
    const there = await api.call<BotChat>('getChat', { chat_id: chat.id }, { signal })
    const approvers = memberships.approversOf(storage.tenant).size
    const updates = deps.connected() ? 'updates arrive' : 'updates do NOT arrive'
    const trouble = deps.trouble()
    const blocked = trouble === null ? '' : `, and the last message was NOT taken: ${trouble.message}`
    const said = `@${me.username} reaches ${there.type} chat ${chat.id}, ${approvers} approver(s), ${updates}${blocked}`
    if (there.type === 'private') return { ok: deps.connected() && trouble === null, said }
    const member = await api.call<{ status: string; can_delete_messages?: boolean }>(
      'getChatMember',
      { chat_id: chat.id, user_id: me.id },
      { signal },
    )
    const deletes = member.status === 'administrator' && member.can_delete_messages === true
    return {
      ok: deps.connected() && deletes && trouble === null,
      said: deletes ? said : `${said}; it cannot delete messages with secrets: make it an administrator`,
    }
  }
  return {
    name: 'telegram',
    run: (signal) =>
      run(signal).catch((error: unknown) => ({
        ok: false,
        said: error instanceof Error ? error.message : 'failed',
      })),
  }
}
