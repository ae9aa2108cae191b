import { type AccountId, DEFAULT_TENANT, type TenantId } from '../kernel/index.ts'
import { type Actor, parseActor } from './actor.ts'
import type { ApproverId } from './principal.ts'

/** Who is an approver of which tenant. Asked at each use, so that whoever is taken out is out at once. */
export interface Memberships {
  /** Empty for a tenant without approvers, or without being. */
  approversOf(tenant: TenantId): ReadonlySet<ApproverId>
  /** Whether this tenant is that of the account. */
  hasAccount(tenant: TenantId, id: AccountId): boolean
}

const NOBODY: ReadonlySet<ApproverId> = new Set()

/** Whether this person may be signed in and be told what waits, by now: the host's owner, the approvers of the tenant, and whose it is. */
export function isMember(memberships: Memberships, tenant: TenantId, person: Actor): boolean {
  const actor = parseActor(person)
  if (actor?.kind === 'account') return memberships.hasAccount(tenant, actor.id as AccountId)
  if (actor?.kind !== 'telegram') return actor?.kind === 'cli'
  return memberships.approversOf(tenant).has(actor.id as ApproverId)
}

/** Those whom the settings of one tenant name. */
export function createConfiguredMemberships(
  approverIds: Iterable<string> = [],
  of: TenantId = DEFAULT_TENANT,
  accountIds: Iterable<AccountId> = [],
): Memberships {
  const approvers = new Set(approverIds) as ReadonlySet<string> as ReadonlySet<ApproverId>
  const accounts = new Set(accountIds)
  return {
    approversOf: (tenant) => (tenant === of ? approvers : NOBODY),
    hasAccount: (tenant, id) => tenant === of && accounts.has(id),
  }
}
