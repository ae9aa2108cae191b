import type { ApprovalEvent, Approvals } from '../../approvals/index.ts'
import { isMember, type Memberships } from '../../identity/index.ts'
import { type Clock, oneLine, type Storage, type Tx } from '../../kernel/index.ts'
import { backoffMs, type Outbox, type OutboxMessage } from '../outbox/index.ts'
import type { PushSender } from './push-sender.ts'
import type { PushSubscriptions } from './subscriptions.ts'

/** Tells browsers that something waits: who asks and the request's id, and never what for. What is to be decided stands in the console. */
export interface WebPush extends AsyncDisposable {
  start(): void
  /** In the unit that asks. */
  approvalRequested(event: ApprovalEvent, tx: Tx): Promise<void>
}

const LANES = 'push:'
const MAX_ATTEMPTS = 8
const IDLE_MS = 5_000

export function createWebPush(deps: {
  readonly subscriptions: PushSubscriptions
  readonly sender: PushSender
  readonly outbox: Outbox
  readonly approvals: Pick<Approvals, 'find'>
  readonly memberships: Memberships
  readonly storage: Storage
  readonly clock: Clock
  readonly log: { warn(details: object, message: string): void }
}): WebPush {
  const { subscriptions, sender, outbox, approvals, storage, clock, log } = deps
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> | undefined
  let isAsked = false

  const deliver = async (message: OutboxMessage): Promise<void> => {
    const { requestId } = message.payload as { readonly requestId: string }
    const known = await storage.read(async (tx) => ({
      stored: await subscriptions.read(tx),
      request: await approvals.find(tx, requestId),
    }))
    const to = known.stored?.subscriptions.find(({ id }) => `${LANES}${id}` === message.lane)
    const { request, stored } = known
    if (to !== undefined && !isMember(deps.memberships, storage.tenant, to.person))
      return await settle(message, to.id)
    // Answered meanwhile, or a browser that left: nobody is to be told.
    if (to === undefined || stored === undefined || !request?.isPending) return await settle(message)
    const who = oneLine(request.requester.name, 64)
    const payload = JSON.stringify({ title: `${who} asks`, id: request.id })
    const seconds = Math.max(1, Math.round((request.expiresAt - clock.now()) / 1_000))
    const result = await sender.send(to, stored.vapid, payload, seconds, stopping.signal)
    if (stopping.signal.aborted) return
    if (result.state === 'gone') return await settle(message, to.id)
    if (result.state === 'sent') return await settle(message)
    if (!result.permanent && message.attempts + 1 < MAX_ATTEMPTS)
      return await outbox.retry(message, result.retryAfterMs ?? backoffMs(message.attempts), result.message)
    log.warn({ said: result.message }, 'a browser could not be told that something waits')
    await settle(message)
  }
  const settle = (message: OutboxMessage, gone?: string): Promise<void> =>
    storage.transaction(async (tx) => {
      await outbox.settle(tx, message.id)
      if (gone !== undefined) await subscriptions.drop(tx, gone)
    }, 'grouped')

  const work = async (): Promise<void> => {
    do {
      isAsked = false
      await Promise.all((await outbox.due(LANES)).map(deliver))
    } while (isAsked && !stopping.signal.aborted)
  }
  const nudge = (): void => {
    isAsked = true
    if (stopping.signal.aborted || working !== undefined) return
    clearTimeout(timer)
    working = work()
      .catch((error: unknown) => log.warn({ err: error }, 'push messages wait for the database'))
      .finally(async () => {
        working = undefined
        if ((await outbox.waiting(LANES).catch(() => 1)) > 0 && !stopping.signal.aborted)
          timer = setTimeout(nudge, IDLE_MS).unref()
      })
  }

  return {
    start: nudge,
    async approvalRequested({ type, id }, tx) {
      if (type !== 'approval.requested') return
      const stored = await subscriptions.read(tx)
      if (stored === undefined || stored.subscriptions.length === 0) return
      for (const { id: to } of stored.subscriptions)
        await outbox.enqueue(tx, `${LANES}${to}`, 'push', { requestId: id })
      tx.afterCommit(nudge)
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      clearTimeout(timer)
      await working
    },
  }
}
