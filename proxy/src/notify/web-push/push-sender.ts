import { createDialler, type DiallerOptions } from '../../egress/dial/index.ts'
import type { PushSubscription } from './subscriptions.ts'

/** `gone`: the service knows the subscription no more. */
type PushResult =
  | { readonly state: 'sent' }
  | { readonly state: 'gone' }
  | {
      readonly state: 'failed'
      readonly message: string
      readonly permanent: boolean
      readonly retryAfterMs: number | null
    }

export interface PushSender {
  send(
    to: PushSubscription,
    vapid: { readonly publicKey: string; readonly privateKey: string },
    payload: string,
    ttlSeconds: number,
    signal: AbortSignal,
  ): Promise<PushResult>
}

export interface PushSenderOptions extends DiallerOptions {
  /** The port that is dialled in place of 443. */
  readonly port?: number
}

/** RFC 8292 wants to know whom to tell of trouble; who runs the daemon is not told to push services. */
const SUBJECT = 'mailto:owner@oauth3.invalid'
const TIMEOUT_MS = 10_000

/** Sends by the daemon's own dialler: the address that was checked is the one connected to, and no redirect is followed (SSRF, DNS rebinding). */
export function createPushSender(options: PushSenderOptions = {}): PushSender {
  const dialler = createDialler(options)
  return {
    async send(to, vapid, payload, TTL, stop) {
      // Loaded where the first message is sent: most daemons send none.
      const [{ default: webPush }, { Client }] = await Promise.all([import('web-push'), import('undici')])
      const subscription = { endpoint: to.endpoint, keys: { p256dh: to.p256dh, auth: to.auth } }
      const { headers, body } = webPush.generateRequestDetails(subscription, payload, {
        ...{ vapidDetails: { subject: SUBJECT, ...vapid }, TTL },
        ...{ urgency: 'high', contentEncoding: 'aes128gcm' },
      })
      const url = new URL(to.endpoint)
      const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)])
      const client = new Client(url.origin, {
        connect: (_options, callback) => {
          dialler.dialTls({ host: url.hostname, port: options.port ?? 443 }, signal).then(
            (socket) => callback(null, socket),
            (error: unknown) => callback(error instanceof Error ? error : new Error('dial failed'), null),
          )
        },
        maxHeaderSize: 16_384,
      })
      try {
        const named = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, String(value)]),
        )
        const answer = await client.request({
          method: 'POST',
          path: url.pathname + url.search,
          headers: named,
          body,
          signal,
        })
        answer.body.on('error', () => {})
        return resultOf(answer.statusCode, Number(answer.headers['retry-after']))
      } catch (error) {
        const message = error instanceof Error ? error.message : 'it cannot be reached'
        return { state: 'failed', message: message, permanent: false, retryAfterMs: null }
      } finally {
        await client.destroy()
      }
    },
  }
}

function resultOf(status: number, retryAfter: number): PushResult {
  if (status >= 200 && status < 300) return { state: 'sent' }
  if (status === 404 || status === 410) return { state: 'gone' }
  const permanent = status !== 429 && status < 500
  return {
    state: 'failed',
    message: `status ${status}`,
    permanent,
    retryAfterMs: retryAfter > 0 ? Math.min(retryAfter, 3_600) * 1_000 : null,
  }
}
