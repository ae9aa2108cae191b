export { renderCommandsPage } from './commands.ts'
export type { TelegramDeps } from './deps.ts'
export { createTelegramObserver } from './observer.ts'
export { createTelegram, type Telegram } from './telegram.ts'
