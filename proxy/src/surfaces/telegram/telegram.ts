import type { DoctorCheck } from '../../domain/health/index.ts'
import { type BotUpdate, createBotApi } from './bot-api.ts'
import { createTelegramCheck } from './check.ts'
import type { TelegramDeps } from './deps.ts'
import { createMessages } from './messages.ts'
import { createPolling } from './polling.ts'
import { createPresses } from './presses.ts'
import { createRefusals } from './refusals.ts'
import { createSender } from './sender.ts'
import { createWebhook, type WebhookHandler } from './webhook.ts'

/** The Telegram surface: cards out, answers and commands in. */
export interface Telegram extends AsyncDisposable {
  /** Returns at once; what fails is tried again. */
  start(): void
  state(): 'connected' | 'disconnected'
  /** Where Telegram delivers, when it delivers by webhook. */
  readonly webhook?: { readonly path: string; readonly handler: WebhookHandler }
  readonly check: DoctorCheck
}

export function createTelegram(deps: TelegramDeps): Telegram {
  const { config, log } = deps
  const api = createBotApi({
    token: config.token,
    apiRoot: config.apiRoot,
    handlers: {
      onMessage: (message) => messages.handle(message),
      onPress: (press) => presses.handle(press),
    },
  })
  const sender = createSender({ ...deps, api })
  const refusals = createRefusals(deps)
  const presses = createPresses({ ...deps, api, sender, refusals })
  const messages = createMessages({ ...deps, api, sender, refusals })

  /** An update that cannot be handled is logged and left behind: it must not hold up those after it. */
  const handle = async (update: BotUpdate): Promise<void> => {
    try {
      await api.dispatch(update)
    } catch (error) {
      log.error({ err: error, updateId: update.update_id }, 'an update could not be handled')
    }
  }
  const webhook = config.webhook
    ? createWebhook({ ...deps, api, handle, webhook: config.webhook, refusals })
    : undefined
  const receiver = webhook ?? createPolling({ ...deps, api, handle })

  return {
    start() {
      receiver.start()
      sender.start()
    },
    state: () => (receiver.connected ? 'connected' : 'disconnected'),
    ...(webhook ? { webhook: { path: webhook.path, handler: webhook.handler } } : {}),
    check: createTelegramCheck({ config, api, connected: () => receiver.connected }),
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]()
      await sender[Symbol.asyncDispose]()
    },
  }
}
