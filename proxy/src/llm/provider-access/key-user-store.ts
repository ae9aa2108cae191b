import type { CallerId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { KeyUserStore } from './ports.ts'

declare module '../../storage/tables.ts' {
  interface Tables {
    /** Who has ever used a key; primary key: tenant, provider, key, agent. Outlives the usage and the key. */
    provider_key_users: {
      readonly tenant_id: string
      readonly provider: string
      readonly key_id: number
      readonly agent_id: CallerId
      readonly first_used_at: UnixMs
    }
  }
}

export function createKeyUserStore({ db }: Queries, tenant: TenantId): KeyUserStore {
  return {
    keyUsers: () =>
      db
        .selectFrom('provider_key_users')
        .select(['provider', 'key_id as keyId', 'agent_id as agentId', 'first_used_at as firstUsedAt'])
        .where('tenant_id', '=', tenant)
        .orderBy('provider')
        .orderBy('key_id')
        .orderBy('agent_id')
        .execute(),
    async addKeyUser({ provider, keyId, agentId, firstUsedAt }) {
      await db
        .insertInto('provider_key_users')
        .values({ tenant_id: tenant, provider, key_id: keyId, agent_id: agentId, first_used_at: firstUsedAt })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'provider', 'key_id', 'agent_id']).doNothing(),
        )
        .execute()
    },
  }
}
