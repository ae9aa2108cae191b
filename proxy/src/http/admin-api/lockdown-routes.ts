import { AppError, type DoctorCheck, type ReadTx, type Storage } from '../../kernel/index.ts'
import type { Lockdown } from '../../vault/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'

interface LockdownRoutesDeps {
  readonly lockdown: Lockdown
  /** Whether whoever may end it can prove by a passkey who they are. */
  readonly hasOwnersPasskey: (tx: ReadTx) => Promise<boolean>
  readonly storage: Pick<Storage, 'read'>
  readonly owner: Owner
}

/** The emergency stop: begun by whoever may decide, ended by the one who proves most. */
export function lockdownRoutes({ lockdown, hasOwnersPasskey, storage, owner }: LockdownRoutesDeps) {
  const view = () => ({
    locked: lockdown.state !== null,
    since: lockdown.state?.since ?? null,
    by: lockdown.state?.by ?? null,
  })
  return {
    readLockdown: view,
    async panic() {
      await lockdown.begin({ actor: owner.actor, name: null })
      return view()
    },
    async endPanic() {
      // Whoever has the host's user alone (a stolen shell, an agent beside the daemon) takes back no stop where the owner has more.
      if (owner.principal.kind === 'owner' && (await storage.read(hasOwnersPasskey)))
        throw new AppError('refused', 'A passkey is set up: end it in the console, with the passkey.')
      await lockdown.end(owner.actor)
      return view()
    },
  } satisfies Partial<AdminHandlers>
}

export const lockdownCheck = ({ state }: Pick<Lockdown, 'state'>): DoctorCheck => ({
  name: 'lockdown',
  run: async () =>
    state === null
      ? { ok: true, said: 'not locked' }
      : {
          ok: true,
          warning: true,
          said: `locked by ${state.by} since ${new Date(state.since).toISOString()}; oauth3 panic end`,
        },
})
