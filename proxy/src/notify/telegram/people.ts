import { approverOfAccount } from '../../identity/authentication.ts'
import { type ApproverPrincipal, type Memberships, telegramActor } from '../../identity/index.ts'
import { oneLine, type Storage } from '../../kernel/index.ts'
import type { BotUser } from './bot-api.ts'

/** Who writes and presses. Telegram vouches for the account; whether it is an approver's is looked up at each use. */
export type PersonOf = (user: BotUser | undefined) => ApproverPrincipal | undefined

export const createPersonOf =
  (deps: { readonly memberships: Memberships; readonly storage: Pick<Storage, 'tenant'> }): PersonOf =>
  (user) =>
    user &&
    approverOfAccount(deps.memberships, deps.storage.tenant, { id: String(user.id), name: nameOf(user) })

/** How the audit names whoever this is, stranger or not. */
export const actorOfUser = (user: BotUser | undefined) => telegramActor(String(user?.id ?? 'unknown'))

/** Chosen by its owner, so only the id identifies. */
function nameOf(user: BotUser): string {
  const name = [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username || String(user.id)
  return oneLine(name, 64) || String(user.id)
}
