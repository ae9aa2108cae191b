import { approverOfAccount } from '../../identity/authentication.ts'
import { type ApproverPrincipal, type Memberships, telegramActor } from '../../identity/index.ts'
import type { Storage } from '../../kernel/index.ts'
import { type BotUser, nameOfUser } from '../bot-api/index.ts'

/** Who writes and presses. Telegram vouches for the account; whether it is an approver's is looked up at each use. */
export type PersonOf = (user: BotUser | undefined) => ApproverPrincipal | undefined

export const createPersonOf =
  (deps: { readonly memberships: Memberships; readonly storage: Pick<Storage, 'tenant'> }): PersonOf =>
  (user) =>
    user &&
    approverOfAccount(deps.memberships, deps.storage.tenant, { id: String(user.id), name: nameOfUser(user) })

/** How the audit names whoever this is, stranger or not. */
export const actorOfUser = (user: BotUser | undefined) => telegramActor(String(user?.id ?? 'unknown'))
