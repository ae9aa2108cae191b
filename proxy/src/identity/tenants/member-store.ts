import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { MemberStore, Membership } from './ports.ts'

interface MembershipTable {
  tenant_id: TenantId
  channel: Membership['channel']
  person: string
  role: Membership['role']
  since: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    memberships: MembershipTable
  }
}

export function createMemberStore({ db }: Queries, tenant: TenantId): MemberStore {
  return {
    list: () =>
      db
        .selectFrom('memberships')
        .select(['channel', 'person', 'role', 'since'])
        .where('tenant_id', '=', tenant)
        .orderBy('channel')
        .orderBy('person')
        .execute(),
    async insert(membership) {
      await db
        .insertInto('memberships')
        .values({ tenant_id: tenant, ...membership })
        .execute()
    },
    async remove({ channel, person }) {
      await db
        .deleteFrom('memberships')
        .where('tenant_id', '=', tenant)
        .where('channel', '=', channel)
        .where('person', '=', person)
        .execute()
    },
  }
}
