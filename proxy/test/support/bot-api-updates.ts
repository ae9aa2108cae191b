import type { ServerResponse } from 'node:http'
import { bad, type Payload, Refusal } from './bot-api-rules.ts'

/** Updates as Telegram keeps them: until an offset confirms them, for one poller or for the webhook. */
export interface Updates {
  push(update: Record<string, unknown>): void
  poll(payload: Payload, response: ServerResponse): Promise<unknown>
  setWebhook(payload: Payload): true
  deleteWebhook(): true
  webhookInfo(): Payload
  conflict(on: boolean): void
  stealWebhook(url: string): void
  deliverTo(address: string): void
  /** Ends whoever waits. */
  wake(): void
  readonly waiting: number
}

export function createUpdates(deps: { isDown: () => boolean; changed: () => void }): Updates {
  const { changed } = deps
  let updates: { update_id: number; [kind: string]: unknown }[] = []
  let allowed: readonly string[] | undefined
  let nextUpdate = 100
  let isConflict = false
  let poller: { end: () => void } | undefined
  let webhook: { url: string; secret: string | undefined } | undefined
  let webhookTarget: string | undefined

  const poll = async (payload: Payload, response: ServerResponse): Promise<unknown> => {
    if (webhook)
      throw new Refusal(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      )
    if (poller || isConflict) {
      throw new Refusal(
        409,
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
      )
    }
    allowed = (payload.allowed_updates as string[] | undefined) ?? allowed
    const offset = Number(payload.offset ?? 0)
    if (offset > 0) updates = updates.filter((update) => update.update_id >= offset)
    const timeoutMs = Math.min(50, Number(payload.timeout ?? 0)) * 1_000
    if (updates.length === 0 && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const mine = {
          end: (): void => {
            clearTimeout(timer)
            if (poller === mine) poller = undefined
            resolve()
          },
        }
        const { end } = mine
        const timer = setTimeout(end, timeoutMs)
        poller = mine
        response.once('close', end)
      })
    }
    if (webhook) throw new Refusal(409, 'Conflict: terminated by setWebhook request')
    return updates.slice(0, Number(payload.limit ?? 100))
  }

  const push = (update: Record<string, unknown>): void => {
    const kind = Object.keys(update)[0] ?? ''
    if (allowed && allowed.length > 0 && !allowed.includes(kind)) return
    updates.push({ update_id: nextUpdate++, ...update })
    poller?.end()
    void deliver()
  }

  let delivering = false
  const deliver = async (): Promise<void> => {
    if (delivering || !webhook) return
    delivering = true
    while (webhook && updates[0] && !deps.isDown()) {
      const target = webhookTarget ?? webhook.url
      const answer = await fetch(target, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(webhook.secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': webhook.secret }),
        },
        body: JSON.stringify(updates[0]),
      }).catch(() => undefined)
      if (answer?.ok) updates.shift()
      else await new Promise((resolve) => setTimeout(resolve, 100))
      changed()
    }
    delivering = false
  }

  return {
    push,
    poll,
    setWebhook(payload) {
      const url = String(payload.url ?? '')
      const secret = payload.secret_token === undefined ? undefined : String(payload.secret_token)
      if (url !== '' && !url.startsWith('https://')) {
        throw bad('bad webhook: An HTTPS URL must be provided for webhook')
      }
      if (secret !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret)) {
        throw bad('secret token contains unallowed characters')
      }
      webhook = url === '' ? undefined : { url, secret }
      allowed = (payload.allowed_updates as string[] | undefined) ?? allowed
      poller?.end()
      queueMicrotask(() => void deliver())
      return true
    },
    deleteWebhook() {
      webhook = undefined
      return true
    },
    webhookInfo: () => ({ url: webhook?.url ?? '', pending_update_count: updates.length }),
    conflict(on) {
      isConflict = on
      if (on) poller?.end()
    },
    stealWebhook(url) {
      webhook = { url, secret: undefined }
      poller?.end()
    },
    deliverTo(address) {
      webhookTarget = address
      void deliver()
    },
    wake() {
      poller?.end()
      void deliver()
    },
    get waiting() {
      return updates.length
    },
  }
}
