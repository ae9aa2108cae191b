import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Outcome } from './forward.ts'
import { BYTES_PER_TOKEN, type Ready } from './wanted-request.ts'

const NO_ANSWER = { headers: [], body: '' } as const

/** What an exchange that is over means for usage, the limits and its key. */
export function settle(ready: Ready, outcome: Outcome, keys: Pick<ProviderKeys, 'answered'>): void {
  const { status } = outcome
  if (ready.key !== null && status !== null) {
    const { headers, body } = outcome.refusal ?? NO_ANSWER
    keys.answered(ready.key.id, ready.agent.id, ready.keyUse, { status, headers, body })
  }
  ready.place.settle({
    model: outcome.model ?? ready.model,
    keyId: ready.key?.id ?? 0,
    failed: status === null || status >= 400 || !outcome.whole,
    // Under a limit figures from the middle of an answer are none.
    usage: !ready.isFree && (ready.spending === null || outcome.isFinal) ? outcome.usage : null,
    isFree: ready.isFree,
    askedModel: ready.model,
    guess: ready.isFree ? null : ready.spending === null ? guessOf(ready, outcome) : reservedFor(outcome),
  })
}

/**
 * Under a limit an answer whose figures did not come counts with all that was reserved for it: bytes say nothing of the tokens that a
 * model reasons with. What never went out, and what the provider refused, costs nothing.
 */
const reservedFor = ({ status, sent }: Outcome): 'reservation' | null =>
  (status === null ? sent : status < 300) ? 'reservation' : null

/**
 * Without a limit: what an answer without figures will have used. Whoever leaves before they come has used what came, or before anything
 * came what the request was estimated at. A refusal of the provider's costs nothing.
 */
function guessOf({ estimate }: Ready, { status, left, whole, textBytes }: Outcome): Ready['estimate'] | null {
  if (status === null) return left ? estimate : null
  if (status >= 300) return null
  const isRead = estimate.outputTokens === 0
  // A list or a file that came whole used nothing; a stream that was taken up again and left did.
  if (isRead && (whole || textBytes === null)) return null
  const outputTokens = textBytes === null ? estimate.outputTokens : Math.ceil(textBytes / BYTES_PER_TOKEN)
  return { inputTokens: estimate.inputTokens, outputTokens }
}
