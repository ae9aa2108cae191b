import type { CheckResult, DoctorCheck } from '../../domain/health/index.ts'
import type { BotApi, BotChat } from './bot-api.ts'
import type { TelegramDeps } from './deps.ts'

/** Asks Telegram who the bot is, whether it reaches the chat, and whether it can delete messages there. */
export function createTelegramCheck(
  deps: Pick<TelegramDeps, 'config'> & { readonly api: BotApi; readonly connected: () => boolean },
): DoctorCheck {
  const { api, config } = deps
  const run = async (signal: AbortSignal): Promise<CheckResult> => {
    const me = await api.identify(signal)
    const chat = await api.call<BotChat>('getChat', { chat_id: config.chatId }, { signal })
    const updates = deps.connected() ? 'updates arrive' : 'updates do NOT arrive'
    const said = `@${me.username} reaches ${chat.type} chat ${config.chatId}, ${config.approverIds.size} approver(s), ${updates}`
    if (chat.type === 'private') return { ok: deps.connected(), said }
    const member = await api.call<{ status: string; can_delete_messages?: boolean }>(
      'getChatMember',
      { chat_id: config.chatId, user_id: me.id },
      { signal },
    )
    const deletes = member.status === 'administrator' && member.can_delete_messages === true
    return {
      ok: deps.connected() && deletes,
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
