export { createOpenclawCliChannel } from './openclaw-cli.ts'
export { createOpenclawHookChannel } from './openclaw-hook.ts'
export { createWebhookChannel } from './webhook.ts'
