import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { equalInConstantTime, sha256Hex } from '../../kernel/index.ts'
import type { BotApi, BotUpdate, Receiver } from '../bot-api/index.ts'
import { backoffMs } from '../outbox/index.ts'
import type { TelegramDeps } from './deps.ts'
import type { Refusals } from './refusals.ts'
import { prepare } from './setup.ts'

/** An update of Telegram's is a few kilobytes. */
const MAX_BODY_BYTES = 1_048_576
const MAX_BACKOFF_MS = 60_000
/** How often it is looked at whether Telegram still knows the bot and its webhook. */
const WATCH_MS = 60_000
/** Against replay: Telegram repeats what it believes undelivered; ids of this many updates are remembered. */
const REMEMBERED = 1_000

/** Takes a request as Express or node:http hands it over; the body may have been parsed already. */
export type WebhookHandler = (
  request: IncomingMessage & { readonly body?: unknown },
  response: ServerResponse,
) => void

/**
 * Updates by webhook. Only who knows the secret token is heard; an update is answered with 200 after it was handled,
 * so Telegram sends it again when the daemon dies in between.
 */
export function createWebhook(
  deps: TelegramDeps & {
    readonly api: BotApi
    readonly handle: (update: BotUpdate) => Promise<void>
    readonly webhook: NonNullable<TelegramDeps['config']['webhook']>
    readonly refusals: Refusals
  },
): Receiver & { readonly path: string; readonly handler: WebhookHandler } {
  const { api, log, webhook } = deps
  const ending = new AbortController()
  const seen = new Set<number>()
  let connected = false
  let running: Promise<void> | undefined
  let queue: Promise<void> = Promise.resolve()

  const watch = async (): Promise<void> => {
    for (let attempts = 0; !ending.signal.aborted; ) {
      let pauseMs = WATCH_MS
      try {
        const info = connected
          ? await api.call<{ url?: string }>('getWebhookInfo', {}, { signal: ending.signal })
          : undefined
        if (info?.url !== webhook.url) await register()
        connected = true
        attempts = 0
      } catch (error) {
        if (ending.signal.aborted) break
        connected = false
        pauseMs = Math.min(backoffMs(attempts), MAX_BACKOFF_MS)
        attempts += 1
        log.warn(
          { said: error instanceof Error ? error.message : 'unknown' },
          'the webhook could not be set; trying again',
        )
      }
      await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => {})
    }
    connected = false
  }

  const register = async (): Promise<void> => {
    await prepare(api, ending.signal)
    await api.call(
      'setWebhook',
      {
        url: webhook.url,
        secret_token: webhook.secret.open(),
        allowed_updates: ['message', 'callback_query'],
        drop_pending_updates: false,
        max_connections: 1,
      },
      { signal: ending.signal },
    )
    log.info({ bot: api.me?.username, host: new URL(webhook.url).host }, 'Telegram delivers to the webhook')
  }

  const take = async (update: BotUpdate): Promise<void> => {
    if (seen.has(update.update_id)) return
    await deps.handle(update)
    seen.add(update.update_id)
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as number)
  }

  const handler: WebhookHandler = (request, response) => {
    const end = (status: number): void => {
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain' })
      response.end()
    }
    if (!knowsSecret(request.headers['x-telegram-bot-api-secret-token'], webhook.secret.open())) {
      request.resume()
      void deps.refusals.message('unknown', 'webhook', 'wrong_webhook_secret').finally(() => end(401))
      return
    }
    readUpdate(request).then(
      (update) => {
        if (!update) return end(400)
        queue = queue
          .then(() => take(update))
          .then(
            () => end(200),
            () => end(500),
          )
      },
      () => end(400),
    )
  }

  return {
    path: new URL(webhook.url).pathname,
    handler,
    start() {
      running ??= watch()
    },
    get connected() {
      return connected
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await running
      await queue
    },
  }
}

/** Webhook secret, against timing attacks: compares hashes, so neither content nor length shows in the time it takes. */
function knowsSecret(given: string | string[] | undefined, secret: string): boolean {
  if (typeof given !== 'string') return false
  return equalInConstantTime(sha256Hex(given), sha256Hex(secret))
}

async function readUpdate(
  request: IncomingMessage & { readonly body?: unknown },
): Promise<BotUpdate | undefined> {
  let parsed = request.body
  if (parsed === undefined) {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) return undefined
      chunks.push(chunk)
    }
    parsed = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  }
  const update = parsed as Partial<BotUpdate> | null
  return typeof update === 'object' && Number.isSafeInteger(update?.update_id)
    ? (update as BotUpdate)
    : undefined
}
