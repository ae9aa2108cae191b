import type { BotApi } from '../bot-api/index.ts'
import { COMMANDS } from './commands.ts'

/** Proves that Telegram answers and knows the token, and tells it the commands for its menu. */
export async function prepare(api: BotApi, signal: AbortSignal): Promise<void> {
  await api.identify(signal)
  await api.call(
    'setMyCommands',
    { commands: Object.entries(COMMANDS).map(([command, { help }]) => ({ command, description: help })) },
    { signal },
  )
}
