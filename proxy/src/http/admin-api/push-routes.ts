import type { AuditLog } from '../../audit/index.ts'
import type { Storage } from '../../kernel/index.ts'
import type { PushSubscriptions } from '../../notify/web-push/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'

interface PushRoutesDeps {
  readonly push: PushSubscriptions
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly owner: Owner
}

/** Browsers of the person who asks; nobody else's are seen. */
export function pushRoutes({ push, storage, audit, owner: { actor } }: PushRoutesDeps) {
  const view = ({ id, endpoint }: { readonly id: string; readonly endpoint: string }) => ({
    id,
    service: new URL(endpoint).hostname,
  })
  return {
    listPush: () =>
      storage.transaction(async (tx) => ({
        public_key: await push.publicKey(tx),
        subscriptions: (await push.of(tx, actor)).map(view),
      })),
    addPush: ({ body: { endpoint, keys } }) =>
      storage.transaction(async (tx) => {
        const added = view(await push.add(tx, actor, { endpoint, ...keys }))
        // Whoever had somebody's session may have left their own browser behind.
        await audit.append(tx, 'push.subscribed', actor, null, added)
        return added
      }),
    async removePush({ params }) {
      await storage.transaction(async (tx) => {
        await push.remove(tx, actor, params.id)
        await audit.append(tx, 'push.unsubscribed', actor, null, { id: params.id })
      })
      return { ok: true }
    },
  } satisfies Partial<AdminHandlers>
}
