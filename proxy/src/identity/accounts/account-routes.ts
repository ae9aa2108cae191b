import type { AccountRow } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { ConsoleAddress } from '../sessions/index.ts'
import type { AccountTenant, SignedInAccount } from './account-tenant.ts'
import { personOfAccount } from './accounts.ts'
import type { AccountDirectory } from './directory.ts'

type Directory = AccountDirectory<AccountTenant>
type Signed = SignedInAccount<AccountTenant>

const INVITED_MS = 24 * 3_600_000
const RESET_MS = 3_600_000

/** What the owner of the host does to accounts. */
export function accountRoutes(deps: {
  /** Known once all parts are joined. */
  readonly directory: () => Directory
  readonly consoleAddress: () => ConsoleAddress
  readonly owner: Owner
}) {
  const { owner } = deps
  const directory = (): Directory => deps.directory()

  const linkFor = async ({ of, account }: Signed, goodForMs: number) => {
    const { origin, problem } = deps.consoleAddress()
    const { code, expiresAt } = await of.sessions.invite(personOfAccount(account), owner.actor, goodForMs)
    // Behind the `#`, which no browser sends: in no log, no Referer.
    return {
      ...{ id: account.id, tenant: of.name, problem },
      ...{ url: `${origin}/console/#code=${code}`, expires_at: expiresAt },
    }
  }

  return {
    listAccounts: () => ({ mode: directory().mode, accounts: directory().all().map(viewAccount) }),
    inviteAccount: async ({ body: { email } }) =>
      await linkFor(await directory().invite(email, owner.actor), INVITED_MS),
    async linkAccount({ params: { who } }) {
      const found = directory().find(who)
      if (found === undefined) throw new AppError('not_found', `No account ${who}.`)
      return await linkFor(found, RESET_MS)
    },
  } satisfies Partial<AdminHandlers>
}

export const viewAccount = ({ of, account }: Signed): AccountRow => ({
  ...{ id: account.id, email: account.email, name: account.name, tenant: of.name },
  ...{ has_password: account.password !== null, created_at: account.createdAt },
})
