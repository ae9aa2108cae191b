import type { AuditLog } from '../../audit/index.ts'
import type { AccountId, Clock, Storage, Tx } from '../../kernel/index.ts'
import { type Actor, createConfiguredMemberships, type Memberships } from '../index.ts'
import type { Membership } from './ports.ts'

/** The persons of one tenant, as the table has them. Asked at each use. */
export interface Members extends Memberships {
  /** By channel and person. */
  list(): Promise<readonly Membership[]>
  /**
   * Makes those of Telegram what the settings say, and tells the audit of each who comes or goes. Whoever is not among them may decide
   * nothing from the commit on, whoever put the row there.
   */
  settle(approverIds: Iterable<string>, actor: Actor): Promise<void>
  /** Whose the tenant is, from the commit on. */
  addAccount(tx: Tx, id: AccountId, actor: Actor): Promise<void>
}

/** Nobody is a member before the first `settle`. */
export function createMembers(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
}): Members {
  const { storage, audit, clock } = deps
  let current = createConfiguredMemberships()
  const refresh = async (tx: Tx): Promise<void> => {
    const stored = await tx.members.list()
    const of = (channel: Membership['channel']): string[] =>
      stored.filter((row) => row.channel === channel).map(({ person }) => person)
    const next = createConfiguredMemberships(of('telegram'), storage.tenant, of('account') as AccountId[])
    tx.onCommit(() => {
      current = next
    })
  }

  return {
    approversOf: (tenant) => current.approversOf(tenant),
    hasAccount: (tenant, id) => current.hasAccount(tenant, id),
    list: () => storage.read((tx) => tx.members.list()),
    settle: (approverIds, actor) =>
      storage.transaction(async (tx) => {
        const wanted = new Set(approverIds)
        const stored = (await tx.members.list()).filter(({ channel }) => channel === 'telegram')
        const known = new Set(stored.map(({ person }) => person))
        for (const { channel, person, role } of stored) {
          if (wanted.has(person)) continue
          await tx.members.remove({ channel, person })
          await audit.append(tx, 'member.removed', actor, null, { channel, person, role })
        }
        for (const person of wanted) {
          if (known.has(person)) continue
          const membership = { channel: 'telegram', person, role: 'approver' } as const
          await tx.members.insert({ ...membership, since: clock.now() })
          await audit.append(tx, 'member.added', actor, null, membership)
        }
        await refresh(tx)
      }),
    async addAccount(tx, id, actor) {
      const membership = { channel: 'account', person: id, role: 'owner' } as const
      await tx.members.insert({ ...membership, since: clock.now() })
      await audit.append(tx, 'member.added', actor, null, membership)
      await refresh(tx)
    },
  }
}
