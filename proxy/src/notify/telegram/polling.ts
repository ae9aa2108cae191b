import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../outbox/index.ts'
import type { BotApi, BotUpdate } from './bot-api.ts'
import { BotApiError, troubleOf } from './bot-errors.ts'
import type { TelegramDeps } from './deps.ts'
import type { Receiver } from './receiver.ts'
import { prepare } from './setup.ts'

const POLL_SECONDS = 30
/** Beyond Telegram's own wait, before a poll counts as lost. */
const POLL_GRACE_MS = 10_000
const MAX_BACKOFF_MS = 30_000
/** A wrong token is mended by a person. */
const WRONG_TOKEN_MS = 60_000

/**
 * Long polling. Updates are handled one after another, and each is confirmed only after it was handled: what a crash
 * interrupts comes again, and handling it twice does nothing twice.
 */
export function createPolling(
  deps: TelegramDeps & { readonly api: BotApi; readonly handle: (update: BotUpdate) => Promise<void> },
): Receiver {
  const { api, log } = deps
  const ending = new AbortController()
  const seconds = deps.pollSeconds ?? POLL_SECONDS
  let connected = false
  let ready = false
  let offset = 0
  let running: Promise<void> | undefined

  const poll = async (): Promise<void> => {
    if (!ready) {
      await prepare(api, ending.signal)
      await api.call('deleteWebhook', { drop_pending_updates: false }, { signal: ending.signal })
      ready = true
    }
    // The first poll does not wait: it proves the connection.
    const waitSeconds = connected ? seconds : 0
    const updates = await api.call<readonly BotUpdate[]>(
      'getUpdates',
      { offset, timeout: waitSeconds, allowed_updates: ['message', 'callback_query'] },
      { signal: ending.signal, timeoutMs: waitSeconds * 1_000 + POLL_GRACE_MS },
    )
    if (!connected) log.info({ bot: api.me?.username }, 'connected to Telegram')
    connected = true
    for (const update of updates) {
      await deps.handle(update)
      offset = Math.max(offset, update.update_id + 1)
      if (ending.signal.aborted) return
    }
  }

  const pauseAfter = async (error: unknown, attempts: number): Promise<number> => {
    connected = false
    const usual = Math.min(backoffMs(attempts), MAX_BACKOFF_MS)
    if (!(error instanceof BotApiError)) {
      log.error({ err: error }, 'polling Telegram failed; trying again')
      return usual
    }
    const trouble = troubleOf(error)
    if (trouble === 'wrong_token') {
      ready = false
      log.error(
        { said: error.message },
        'Telegram does not know TELEGRAM_BOT_TOKEN: check it with @BotFather',
      )
      return Math.max(WRONG_TOKEN_MS, usual)
    }
    if (trouble === 'conflict') {
      log.warn(
        { said: error.message, other: await whoElse() },
        'somebody else takes the updates of this bot; trying again',
      )
      return usual
    }
    log.warn({ said: error.message }, 'Telegram cannot be reached; trying again')
    return error.retryAfterMs ?? usual
  }

  const whoElse = async (): Promise<string> => {
    try {
      const info = await api.call<{ url?: string }>('getWebhookInfo', {}, { signal: ending.signal })
      if (!info.url) return 'another program polls with the same token'
      // Taken away again on the next round.
      ready = false
      return `a webhook to ${new URL(info.url).host}`
    } catch {
      return 'unknown'
    }
  }

  const loop = async (): Promise<void> => {
    for (let attempts = 0; !ending.signal.aborted; ) {
      try {
        await poll()
        attempts = 0
      } catch (error) {
        if (ending.signal.aborted) break
        const pauseMs = await pauseAfter(error, attempts)
        attempts += 1
        await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => {})
      }
    }
    // What was handled is confirmed, so that it does not come again after the restart.
    if (connected && offset > 0) {
      await api.call('getUpdates', { offset, timeout: 0, limit: 1 }, { timeoutMs: 2_000 }).catch(() => {})
    }
    connected = false
  }

  return {
    start() {
      running ??= loop()
    },
    get connected() {
      return connected
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await running
    },
  }
}
