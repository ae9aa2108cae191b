import { type Generated, type Selectable, sql } from 'kysely'
import type { AgentId, TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries, type Tables } from '../../storage/index.ts'
import type { EndpointGroup } from '../providers/index.ts'
import type { ProviderAccessStore, ProviderAsk, ProviderGrant } from './ports.ts'

declare module '../../storage/tables.ts' {
  interface Tables {
    provider_grants: {
      readonly tenant_id: string
      /** Never given twice. */
      readonly id: Generated<number>
      readonly agent_id: AgentId
      readonly provider: string
      /** JSON arrays of strings. */
      readonly groups: string
      readonly models: string | null
      readonly paths: string | null
      readonly requests_per_minute: number | null
      readonly tokens_per_day: number | null
      readonly micro_usd_per_day: number | null
      readonly max_requests: number | null
      /** That went out, while they were counted. */
      readonly requests: Generated<number>
      readonly granted_by: string
      readonly granted_at: UnixMs
      readonly expires_at: UnixMs | null
      readonly ended_at: UnixMs | null
      /** Used up stands as `expired`. */
      readonly ended_why: Exclude<ProviderGrant['endedWhy'], 'used'>
    }
    /** Of one agent, provider, model and group at most one is pending. */
    provider_asks: {
      readonly tenant_id: string
      readonly id: string
      readonly agent_id: AgentId
      readonly provider: string
      readonly model: string | null
      readonly endpoint_group: EndpointGroup
      readonly path: string
      /** `granted` is approved; `expired` by somebody is cancelled. */
      readonly status: 'pending' | 'granted' | 'denied' | 'expired'
      readonly created_at: UnixMs
      readonly expires_at: UnixMs
      readonly decided_at: UnixMs | null
      readonly decided_by: string | null
      readonly decided_by_name: string | null
      readonly reminded_at: UnixMs | null
      readonly again_of: string | null
      readonly superseded_by: string | null
    }
  }
}

/** It stands in the text of a statement: its rows have an index of their own. */
const PENDING = sql.lit('pending' as const)

const ASK_COLUMNS = [
  ...([
    'id',
    'agent_id as agentId',
    'provider',
    'model',
    'endpoint_group as group',
    'path',
    'status',
  ] as const),
  ...(['created_at as createdAt', 'expires_at as expiresAt', 'decided_at as decidedAt'] as const),
  ...(['decided_by as decidedBy', 'decided_by_name as decidedByName'] as const),
  ...(['reminded_at as remindedAt', 'again_of as againOf', 'superseded_by as supersededBy'] as const),
]

export function createProviderAccessStore(queries: Queries, tenant: TenantId): ProviderAccessStore {
  const { db, dialect } = queries
  const asks = () => db.selectFrom('provider_asks').select(ASK_COLUMNS).where('tenant_id', '=', tenant)
  const pending = () => asks().where('status', '=', PENDING)
  const activeGrant = (id: number) =>
    db
      .updateTable('provider_grants')
      .where('tenant_id', '=', tenant)
      .where('id', '=', id)
      .where('ended_at', 'is', null)

  return {
    async activeGrants() {
      const rows = await db
        .selectFrom('provider_grants')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .where('ended_at', 'is', null)
        .orderBy('id')
        .execute()
      return rows.map(grantOf)
    },
    async insertGrant(grant) {
      const { id } = await db
        .insertInto('provider_grants')
        .values({
          tenant_id: tenant,
          agent_id: grant.agentId,
          provider: grant.provider,
          ...columnsOf(grant),
          requests: grant.requestsUsed,
          granted_by: grant.grantedBy,
          granted_at: grant.grantedAt,
          expires_at: grant.expiresAt,
          ended_at: grant.endedAt,
          ended_why: whyColumn(grant.endedWhy),
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      return { ...grant, id }
    },
    async endGrant(id, at, why) {
      await activeGrant(id)
        .set({ ended_at: at, ended_why: whyColumn(why) })
        .execute()
    },
    async setGrant(id, change) {
      await activeGrant(id).set(columnsOf(change)).execute()
    },
    async takeRequest(id) {
      const { numUpdatedRows } = await activeGrant(id)
        .set((of) => ({ requests: of('requests', '+', 1) }))
        .whereRef('requests', '<', 'max_requests')
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },

    async insertAsk(ask) {
      await db
        .insertInto('provider_asks')
        .values({
          tenant_id: tenant,
          id: ask.id,
          agent_id: ask.agentId,
          provider: ask.provider,
          model: ask.model,
          endpoint_group: ask.group,
          path: ask.path,
          status: statusColumn(ask.status),
          created_at: ask.createdAt,
          expires_at: ask.expiresAt,
          decided_at: ask.decidedAt,
          decided_by: ask.decidedBy,
          decided_by_name: ask.decidedByName && keptText(ask.decidedByName),
          reminded_at: ask.remindedAt,
          again_of: ask.againOf,
          superseded_by: ask.supersededBy,
        })
        .execute()
    },
    async askById(id) {
      const row = await asks().where('id', '=', id).executeTakeFirst()
      return row && askOf(row)
    },
    async asksByPrefix(prefix) {
      const found = await asks().where(dialect.startsWith('id', prefix)).orderBy('id').limit(2).execute()
      return found.map(askOf)
    },
    async pendingDuplicate({ agentId, provider, model, group }) {
      const row = await pending()
        .where('agent_id', '=', agentId)
        .where('provider', '=', provider)
        .where(sql`coalesce(model, '')`, '=', model ?? '')
        .where('endpoint_group', '=', group)
        .executeTakeFirst()
      return row && askOf(row)
    },
    async pendingAsks(agentId, limit) {
      const found = await (agentId === null ? pending() : pending().where('agent_id', '=', agentId))
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit)
        .execute()
      return found.map(askOf)
    },
    async settledAsks(agentId, limit) {
      const settled = asks().where('status', '<>', PENDING)
      const found = await (agentId === null ? settled : settled.where('agent_id', '=', agentId))
        .orderBy('decided_at', 'desc')
        .limit(limit)
        .execute()
      return found.map(askOf)
    },
    async countPending(agentId, now) {
      const { count } = await db
        .selectFrom('provider_asks')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('status', '=', PENDING)
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow()
      return count
    },
    async settleAsk({ id, status, decidedAt, decidedBy, decidedByName }) {
      await db
        .updateTable('provider_asks')
        .set({
          status: statusColumn(status),
          decided_at: decidedAt,
          decided_by: decidedBy,
          decided_by_name: decidedByName && keptText(decidedByName),
        })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .where('status', '=', PENDING)
        .execute()
    },
    async followUpAsk(id, { remindedAt, againOf, supersededBy }) {
      await db
        .updateTable('provider_asks')
        .set({ reminded_at: remindedAt, again_of: againOf, superseded_by: supersededBy })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
    async unreminded({ after, until }, limit) {
      const rows = await pending()
        .where('expires_at', '>', after)
        .where('expires_at', '<=', until)
        .where('reminded_at', 'is', null)
        .orderBy('expires_at')
        .limit(limit)
        .execute()
      return rows.map(askOf)
    },
    async denials(since) {
      // Grouped here: grouped by SQLite, all denials there ever were would be read in the order of their agents.
      const rows = await db
        .selectFrom('provider_asks')
        .select(['agent_id as agentId', 'provider', 'decided_at'])
        .where('tenant_id', '=', tenant)
        .where('status', '<>', PENDING)
        .where('status', '=', 'denied')
        .where('decided_at', '>=', since)
        .orderBy('decided_at')
        .execute()
      const newest = new Map(
        rows.map(({ agentId, provider, decided_at: at }) => [
          JSON.stringify([agentId, provider]),
          { agentId, provider, at: at ?? 0 },
        ]),
      )
      return [...newest.values()]
    },
  }
}

const whyColumn = (why: ProviderGrant['endedWhy']): Tables['provider_grants']['ended_why'] =>
  why === 'used' ? 'expired' : why

const statusColumn = (status: ProviderAsk['status']): Tables['provider_asks']['status'] =>
  status === 'approved' ? 'granted' : status === 'cancelled' ? 'expired' : status

const askOf = (
  row: Omit<ProviderAsk, 'status'> & { readonly status: Tables['provider_asks']['status'] },
): ProviderAsk => ({
  ...row,
  status:
    row.status === 'granted'
      ? 'approved'
      : row.status === 'expired' && row.decidedBy !== null
        ? 'cancelled'
        : row.status,
})

const columnsOf = ({
  groups,
  models,
  paths,
  limits,
}: Pick<ProviderGrant, 'groups' | 'models' | 'paths' | 'limits'>) => ({
  groups: JSON.stringify(groups),
  models: models && JSON.stringify(models),
  paths: paths && JSON.stringify(paths),
  requests_per_minute: limits.requestsPerMinute,
  tokens_per_day: limits.tokensPerDay,
  micro_usd_per_day: limits.microUsdPerDay,
  max_requests: limits.requests,
})

const listOf = (text: string | null): readonly string[] | null =>
  text === null ? null : (JSON.parse(text) as string[])

const grantOf = (row: Selectable<Tables['provider_grants']>): ProviderGrant => ({
  id: row.id,
  agentId: row.agent_id,
  provider: row.provider,
  groups: JSON.parse(row.groups) as EndpointGroup[],
  models: listOf(row.models),
  paths: listOf(row.paths),
  limits: {
    requestsPerMinute: row.requests_per_minute,
    tokensPerDay: row.tokens_per_day,
    microUsdPerDay: row.micro_usd_per_day,
    requests: row.max_requests,
  },
  requestsUsed: row.requests,
  grantedBy: row.granted_by,
  grantedAt: row.granted_at,
  expiresAt: row.expires_at,
  endedAt: row.ended_at,
  endedWhy: row.ended_why,
})
