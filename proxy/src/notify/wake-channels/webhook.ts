import { createHmac, randomUUID } from 'node:crypto'
import type { WakeChannel } from '../wake/index.ts'
import { httpUrl, NOT_AN_ADDRESS, postJson, refusal } from './post-json.ts'

/**
 * A signed POST for receivers other than OpenClaw:
 *
 *     x-oauth3-timestamp: 1767225600                unix seconds
 *     x-oauth3-delivery:  0b6f…                     also in the body, where the signature covers it
 *     x-oauth3-signature: v1=<64 hex digits>
 *
 *     {"type":"execution.updated","delivery_id":"0b6f…","text":"…","requests":[{"request_id":"req_…","status":"success"}]}
 *
 * To verify it, over the bytes of the body as received and before parsing them:
 *
 *  1. Refuse when the timestamp is more than 300 seconds away from now.
 *  2. expected = HMAC-SHA256(key = the shared secret, data = timestamp + "." + body), as hex.
 *  3. Compare `v1=` + expected with the signature in constant time.
 *  4. Remember `delivery_id` for 10 minutes, and refuse one that was seen (replay).
 *
 * In a shell: printf '%s.%s' "$TIMESTAMP" "$BODY" | openssl dgst -sha256 -hmac "$SECRET"
 *
 * Any 2xx accepts it. An outcome may be told more than once, each time with an id of its own; `type` is `test` when
 * the owner tries the target.
 */
export function createWebhookChannel(): WakeChannel {
  return {
    async deliver(target, token, message, signal) {
      const url = httpUrl(target.target)
      if (!url) return NOT_AN_ADDRESS
      if (token === null)
        return { delivered: false, message: 'the webhook has no secret to sign with', permanent: true }
      const deliveryId = randomUUID()
      const body = JSON.stringify({
        type: message.requests.length === 0 ? 'test' : 'execution.updated',
        delivery_id: deliveryId,
        text: message.text,
        requests: message.requests.map(({ requestId, status }) => ({ request_id: requestId, status })),
      })
      const timestamp = String(Math.floor(Date.now() / 1_000))
      const headers = {
        'x-oauth3-timestamp': timestamp,
        'x-oauth3-delivery': deliveryId,
        'x-oauth3-signature': `v1=${createHmac('sha256', token).update(`${timestamp}.${body}`).digest('hex')}`,
      }
      const answer = await postJson(url, headers, body, signal)
      if ('problem' in answer) return { delivered: false, message: answer.problem }
      if (answer.status >= 200 && answer.status < 300) return { delivered: true, message: `${answer.status}` }
      if (answer.status >= 300 && answer.status < 400) {
        return refusal(answer, `${answer.status}: redirects are not followed`)
      }
      return refusal(answer, `${answer.status} ${answer.text}`.trim())
    },
  }
}
