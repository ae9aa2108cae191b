import type { PasskeyView } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Passkeys } from './passkeys.ts'
import type { Passkey } from './ports.ts'

export function passkeyRoutes({
  passkeys,
  sessions,
  owner,
}: {
  readonly passkeys: Passkeys
  readonly sessions: Pick<Sessions, 'endOthers'>
  readonly owner: Owner
}) {
  const { principal, actor } = owner
  const acting = principal.kind === 'session' ? principal.of : principal
  const isOwner = acting.kind !== 'approver'
  const view = (passkey: Passkey): PasskeyView => ({
    id: passkey.credentialId,
    label: passkey.label,
    who: passkey.name,
    person: passkey.person,
    own: passkey.person === actor,
    created_at: passkey.createdAt,
    last_used_at: passkey.lastUsedAt,
  })
  /** An approver reaches their own alone: for them others' are not there. */
  const reached = async (): Promise<readonly Passkey[]> =>
    isOwner ? await passkeys.all() : await passkeys.list(actor)
  const find = async (id: string): Promise<Passkey> => {
    const found = (await reached()).find(({ credentialId }) => credentialId === id)
    if (found === undefined) throw new AppError('not_found', 'There is no such passkey.')
    return found
  }
  return {
    listPasskeys: async () => ({ passkeys: (await reached()).map(view) }),
    async renamePasskey({ params: { id }, body: { label } }) {
      const passkey = await find(id)
      await passkeys.rename(passkey, label, actor)
      return view({ ...passkey, label })
    },
    async removePasskey({ params: { id } }) {
      const passkey = await find(id)
      const here = principal.kind === 'session' ? principal.sessionId : null
      // A lost or stolen passkey may have signed in somewhere: all that its person left open is closed with it.
      let ended = 0
      await passkeys.remove(passkey, actor, async (tx) => {
        ended = await sessions.endOthers(tx, passkey.person, here, actor)
      })
      return { ok: true as const, sessions: ended }
    },
  } satisfies Partial<AdminHandlers>
}
