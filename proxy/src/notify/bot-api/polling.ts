import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../outbox/index.ts'
import type { BotApi, BotUpdate } from './bot-api.ts'
import { BotApiError, troubleOf } from './bot-errors.ts'
import type { Receiver } from './receiver.ts'

const POLL_SECONDS = 30
/** Beyond Telegram's own wait, before a poll counts as lost. */
const POLL_GRACE_MS = 10_000
const MAX_BACKOFF_MS = 30_000
/** A wrong token is mended by a person. */
const WRONG_TOKEN_MS = 60_000

/** `said`: in the words of the Bot API; `err`: what was no answer of it. */
interface PollDetails {
  readonly said?: string
  readonly err?: unknown
  readonly bot?: string | undefined
  readonly other?: string
}

/**
 * Long polling. Updates are handled one after another, and each is confirmed only after it was handled: what a crash
 * interrupts comes again, and handling it twice does nothing twice.
 */
export function createPolling(deps: {
  readonly api: BotApi
  /** Where it throws, the update and those behind it come again. */
  readonly handle: (update: BotUpdate) => Promise<void>
  /** Asked once it answers, and again when the token was wrong meanwhile. */
  readonly prepare: (signal: AbortSignal) => Promise<unknown>
  readonly kinds: readonly ('message' | 'callback_query')[]
  /** What its token is called where a person can mend it. */
  readonly tokenName: string
  readonly log: Readonly<Record<'info' | 'warn' | 'error', (details: PollDetails, message: string) => void>>
  /** How long one long poll waits on Telegram's side, in seconds. */
  readonly pollSeconds?: number | undefined
}): Receiver & { readonly trouble: string | null } {
  const { api, log } = deps
  const ending = new AbortController()
  const seconds = deps.pollSeconds ?? POLL_SECONDS
  let connected = false
  let trouble: string | null = null
  let ready = false
  let offset = 0
  let running: Promise<void> | undefined

  const poll = async (): Promise<void> => {
    if (!ready) {
      await deps.prepare(ending.signal)
      await api.call('deleteWebhook', { drop_pending_updates: false }, { signal: ending.signal })
      ready = true
    }
    // The first poll does not wait: it proves the connection.
    const waitSeconds = connected ? seconds : 0
    const updates = await api.call<readonly BotUpdate[]>(
      'getUpdates',
      { offset, timeout: waitSeconds, allowed_updates: deps.kinds },
      { signal: ending.signal, timeoutMs: waitSeconds * 1_000 + POLL_GRACE_MS },
    )
    if (!connected) log.info({ bot: api.me?.username }, 'connected to Telegram')
    connected = true
    trouble = null
    for (const update of updates) {
      await deps.handle(update)
      // Not the highest: after a quiet week Telegram counts from a number of its own choice.
      offset = update.update_id + 1
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
    const kind = troubleOf(error)
    if (kind === 'wrong_token') {
      ready = false
      trouble = `Telegram does not know ${deps.tokenName}: check it with @BotFather`
      log.error({ said: error.message }, trouble)
      return Math.max(WRONG_TOKEN_MS, usual)
    }
    if (kind === 'conflict') {
      trouble = 'somebody else takes the updates of this bot; trying again'
      log.warn({ said: error.message, other: await whoElse() }, trouble)
      return usual
    }
    trouble = 'Telegram cannot be reached; trying again'
    log.warn({ said: error.message }, trouble)
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
    /** Why no updates come, for a person; null while they do. */
    get trouble() {
      return trouble
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await running
    },
  }
}
