import { AppError } from '../../kernel/index.ts'
import { isAskable } from '../provider-access/index.ts'
import { byNameOnly, pending } from './access-refusals.ts'
import type { Permission } from './caller.ts'
import { grantFor } from './grant-check.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import type { AdmissionDeps, Wanted } from './wanted.ts'

/** What is needed of it to ask. */
type Asking = Omit<
  Wanted,
  'estimate' | 'spending' | 'isSameUpstream' | 'refersToStored' | 'keyUse' | 'onlyKey'
>

/** How often one request may wait for an answer, once for each model that it names, and once more; and be evaluated anew. */
export const MAX_ROUNDS = 4

/** The grant of all that is wanted: what is not granted yet is asked for, and waited for so long. */
export async function askOwner(
  wanted: Asking,
  { access, closing, asksInChat }: AdmissionDeps,
): Promise<Permission | LlmRefusal> {
  const { waitMs, hold } = wanted.patience()
  using holding = new DisposableStack()
  let deadline = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const granted = grantFor(wanted, access)
    if (!('use' in granted)) return granted
    if (!isAskable(granted.use.group)) return byNameOnly(wanted)
    let status: string
    let askId: string
    try {
      const ask = await access.ask(granted.use)
      askId = ask.id
      if (round === 0 && waitMs > 0 && holding.use(hold()) !== null) deadline = performance.now() + waitMs
      const leftMs = Math.max(0, deadline - performance.now())
      status =
        leftMs === 0
          ? ask.status
          : (await access.wait(ask.id, leftMs, AbortSignal.any([wanted.gone(), closing]))).status
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'rate_limited')
        return refused('rate_limited', error.message, error.retryAfterSeconds)
      if (error.code === 'unauthenticated') return refused('unauthenticated', error.message)
      if (error.code === 'storage_unavailable')
        return refused('storage_unavailable', error.message, error.retryAfterSeconds)
      if (error.code === 'invalid_request') return refused('bad_request', error.message)
      throw error
    }
    if (closing.aborted && status === 'pending') {
      return refused('shutting_down', 'The daemon is stopping; ask again in a moment.', 5)
    }
    if (wanted.revalidateToken() === null)
      return refused('unauthenticated', 'The agent was revoked meanwhile.')
    if (status !== 'approved' && status !== 'denied') return pending(wanted, askId, asksInChat)
  }
  return pending(wanted, '', asksInChat)
}
