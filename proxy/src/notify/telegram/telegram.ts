import type { DoctorCheck } from '../../kernel/index.ts'
import { type BotUpdate, createBotApi, createPolling } from '../bot-api/index.ts'
import { chatNote } from './chat-note.ts'
import { createTelegramCheck } from './check.ts'
import type { TelegramDeps } from './deps.ts'
import { createChatFollower } from './follow-chat.ts'
import { TELEGRAM_LANES } from './lanes.ts'
import { createMessages } from './messages.ts'
import { createPanicButton } from './panic-button.ts'
import { createPersonOf } from './people.ts'
import { createPresses } from './presses.ts'
import { createRefusals } from './refusals.ts'
import { createSender } from './sender.ts'
import { prepare } from './setup.ts'
import { createWebhook, type WebhookHandler } from './webhook.ts'

/** The Telegram surface: cards out, answers and commands in. */
export interface Telegram extends AsyncDisposable {
  /** Returns at once; what fails is tried again. */
  start(): void
  /** Something was queued: looks at once instead of at the next turn. */
  nudge(): void
  state(): 'connected' | 'disconnected'
  /** What a person has to do so that the chat takes messages; null while it does. */
  note(): Promise<string | null>
  /** Where Telegram delivers, when it delivers by webhook. */
  readonly webhook?: { readonly path: string; readonly handler: WebhookHandler }
  readonly check: DoctorCheck
}

/** How long the update in work may still talk to Telegram when the daemon stops. */
const UPDATE_GRACE_MS = 1_000

export function createTelegram(deps: TelegramDeps): Telegram {
  const { config, log, chat } = deps
  const ending = new AbortController()
  const { signal } = ending
  const api = createBotApi({
    token: config.token,
    apiRoot: config.apiRoot,
    handlers: {
      onMessage: (message) => messages.handle(message),
      onPress: (press) => presses.handle(press),
    },
  })
  const follow = createChatFollower(deps)
  const sender = createSender({ ...deps, api, follow })
  const refusals = createRefusals(deps)
  const personOf = createPersonOf(deps)
  const panic = createPanicButton({ ...deps, tenant: deps.storage.tenant })
  const presses = createPresses({ ...deps, panic, personOf, api, sender, refusals, signal })
  const messages = createMessages({ ...deps, panic, personOf, api, sender, refusals, follow, signal })

  /** An update that cannot be handled is logged and left behind: it must not hold up those after it. */
  const handle = async (update: BotUpdate): Promise<void> => {
    try {
      await api.dispatch(update, signal)
    } catch (error) {
      log.error({ err: error, updateId: update.update_id }, 'an update could not be handled')
    }
  }
  const webhook = config.webhook
    ? createWebhook({ ...deps, api, handle, webhook: config.webhook, refusals })
    : undefined
  const receiver =
    webhook ??
    createPolling({
      ...{ ...deps, api, handle },
      prepare: (cut) => prepare(api, cut),
      kinds: ['message', 'callback_query'],
      tokenName: 'TELEGRAM_BOT_TOKEN',
    })

  return {
    start() {
      receiver.start()
      sender.start()
    },
    nudge: () => sender.nudge(),
    note: async () => chatNote(sender.trouble, chat, await deps.outbox.waiting(TELEGRAM_LANES)),
    state: () => (receiver.connected ? 'connected' : 'disconnected'),
    ...(webhook ? { webhook: { path: webhook.path, handler: webhook.handler } } : {}),
    check: createTelegramCheck({
      ...deps,
      api,
      connected: () => receiver.connected,
      trouble: () => sender.trouble,
    }),
    async [Symbol.asyncDispose]() {
      const grace = setTimeout(() => ending.abort(), UPDATE_GRACE_MS)
      await Promise.all([receiver[Symbol.asyncDispose](), sender[Symbol.asyncDispose]()])
      clearTimeout(grace)
      ending.abort()
    },
  }
}
