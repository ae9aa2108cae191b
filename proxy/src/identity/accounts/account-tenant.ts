import type { SecretValue, Storage, TenantId, Tx, UnixMs } from '../../kernel/index.ts'
import type { Actor, Memberships } from '../index.ts'
import type { Passkeys } from '../passkeys/index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Accounts } from './accounts.ts'
import type { Account } from './ports.ts'

/** A tenant, as far as signing up and in goes. */
export interface AccountTenant {
  readonly tenant: TenantId
  readonly name: string
  readonly storage: Storage
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly passkeys: Passkeys
  readonly memberships: Memberships
  readonly providerKeys: {
    add(tx: Tx, provider: string, value: SecretValue, actor: Actor): Promise<{ readonly id: number }>
    has(id: number): boolean
    /** `isBrought`: by an account, through here. */
    list(): readonly {
      readonly id: number
      readonly provider: string
      readonly isBrought: boolean
      readonly last4: string | null
      readonly createdAt: UnixMs
    }[]
    remove(tx: Tx, id: number, actor: Actor): Promise<unknown>
  }
}

export interface SignedInAccount<T> {
  readonly of: T
  readonly account: Account
}
