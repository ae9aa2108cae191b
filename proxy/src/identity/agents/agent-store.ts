import type { Selectable } from 'kysely'
import type { AgentId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { Agent, AgentStore, WakeTarget } from './agents.ts'
import type { PreviousToken } from './token-overlap.ts'

interface AgentTable {
  tenant_id: TenantId
  id: AgentId
  name: string
  token_sha256: string
  /** JSON of `PreviousToken`. */
  previous_token: string | null
  /** JSON. */
  cidrs: string
  /** JSON. */
  tags: string
  /** JSON of `WakeTarget`. */
  wake: string | null
  created_at: UnixMs
  revoked_at: UnixMs | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    agents: AgentTable
  }
}

export function createAgentStore({ db, dialect }: Queries, tenant: TenantId): AgentStore {
  const agents = () => db.selectFrom('agents').selectAll().where('tenant_id', '=', tenant)
  const change = (id: AgentId) =>
    db.updateTable('agents').where('tenant_id', '=', tenant).where('id', '=', id)

  return {
    async byTokenHash(hash) {
      const present = await agents().where('token_sha256', '=', hash).executeTakeFirst()
      if (present) return fromRow(present)
      return optional(
        await agents()
          .where('previous_token', 'is not', null)
          .where(dialect.jsonText('previous_token', 'sha256'), '=', hash)
          .executeTakeFirst(),
      )
    },
    async byId(id) {
      return optional(await agents().where('id', '=', id).executeTakeFirst())
    },
    /** The active one of this name, or else the newest. */
    async byName(name) {
      return optional(
        await agents()
          .where('name', '=', name)
          .orderBy((of) => of('revoked_at', 'is not', null))
          .orderBy('created_at', 'desc')
          .limit(1)
          .executeTakeFirst(),
      )
    },
    async list() {
      return (await agents().orderBy('created_at').orderBy('id').execute()).map(fromRow)
    },
    async insert(agent) {
      await db
        .insertInto('agents')
        .values({
          tenant_id: tenant,
          id: agent.id,
          name: agent.name,
          token_sha256: agent.tokenSha256,
          previous_token: orNull(agent.previous),
          cidrs: JSON.stringify(agent.cidrs),
          tags: JSON.stringify(agent.tags),
          wake: orNull(agent.wake),
          created_at: agent.createdAt,
          revoked_at: agent.revokedAt,
        })
        .execute()
    },
    async revoke(id, at) {
      await change(id).set({ revoked_at: at }).execute()
    },
    async setToken(id, hash, previous) {
      await change(id)
        .set({ token_sha256: hash, previous_token: orNull(previous) })
        .execute()
    },
    async setWake(id, wake) {
      await change(id)
        .set({ wake: orNull(wake) })
        .execute()
    },
    async setTags(id, tags) {
      await change(id)
        .set({ tags: JSON.stringify(tags) })
        .execute()
    },
  }
}

const orNull = (value: object | null): string | null => value && JSON.stringify(value)

const optional = (row: Selectable<AgentTable> | undefined): Agent | undefined => row && fromRow(row)

const fromRow = (row: Selectable<AgentTable>): Agent => ({
  id: row.id,
  name: row.name,
  tokenSha256: row.token_sha256,
  previous: row.previous_token === null ? null : (JSON.parse(row.previous_token) as PreviousToken),
  cidrs: JSON.parse(row.cidrs) as string[],
  tags: JSON.parse(row.tags) as string[],
  wake: row.wake === null ? null : (JSON.parse(row.wake) as WakeTarget),
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})
