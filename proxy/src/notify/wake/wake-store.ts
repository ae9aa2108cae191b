import { type Generated, sql } from 'kysely'
import type { AgentId, RequestId, TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries, statement } from '../../storage/index.ts'
import type { WakeStore } from './ports.ts'

interface WakeTable {
  tenant_id: TenantId
  request_id: RequestId
  agent_id: AgentId
  delivered: Generated<number>
  next_at: UnixMs
  last_error: string | null
  created_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    wakes: WakeTable
  }
}

/** Asked each second: an index look-up for each agent, however many wakes are due; some of them may turn out to be seen. */
const dueAgents = statement((db, { tenant, now }: { tenant: TenantId; now: UnixMs }) =>
  db
    .selectFrom((of) =>
      of
        .selectFrom('agents')
        .select([
          'agents.id',
          (one) =>
            one
              .selectFrom('wakes')
              .select((each) => each.fn.min('wakes.next_at').as('first_at'))
              .where('wakes.tenant_id', '=', tenant)
              .whereRef('wakes.agent_id', '=', 'agents.id')
              .as('first_at'),
        ])
        .where('agents.tenant_id', '=', tenant)
        .as('waiting'),
    )
    .select('id')
    .where('first_at', '<=', now)
    .orderBy('first_at')
    .orderBy('id'),
)

export function createWakeStore(queries: Queries, tenant: TenantId): WakeStore {
  const { db } = queries
  const unseen = () =>
    db
      .selectFrom('wakes')
      .innerJoin('executions', (on) =>
        on
          .onRef('executions.tenant_id', '=', 'wakes.tenant_id')
          .onRef('executions.request_id', '=', 'wakes.request_id'),
      )
      .where('wakes.tenant_id', '=', tenant)
      .where('executions.seen_at', 'is', null)
  const change = () => db.updateTable('wakes').where('tenant_id', '=', tenant)
  const drop = () => db.deleteFrom('wakes').where('tenant_id', '=', tenant)

  return {
    async dueAgents(now) {
      return (await dueAgents.all(queries, { tenant, now })).map((row) => row.id)
    },
    due: (agentId, now, limit) =>
      unseen()
        .select([
          'wakes.request_id as requestId',
          'wakes.agent_id as agentId',
          'executions.skill_id as skillId',
          'executions.status',
          'wakes.delivered',
          'wakes.last_error as lastError',
          'wakes.created_at as createdAt',
        ])
        .where('wakes.agent_id', '=', agentId)
        .where('wakes.next_at', '<=', now)
        .orderBy('wakes.next_at')
        .orderBy('wakes.request_id')
        .limit(limit)
        .execute(),
    async nextDueAt(after) {
      const next = await unseen()
        .select('wakes.next_at')
        .where('wakes.next_at', '>', after)
        .orderBy('wakes.next_at')
        .limit(1)
        .executeTakeFirst()
      return next?.next_at
    },
    async schedule(requestId, agentId, dueAt) {
      await db
        .insertInto('wakes')
        .values({
          tenant_id: tenant,
          request_id: requestId,
          agent_id: agentId,
          next_at: dueAt,
          created_at: dueAt,
        })
        .onConflict((on) =>
          on
            .column('request_id')
            .doUpdateSet((of) => ({
              next_at: of.ref('excluded.next_at'),
              delivered: 0,
              last_error: null,
            }))
            .where('wakes.tenant_id', '=', tenant),
        )
        .execute()
    },
    async delivered(requestId, remindAt) {
      await change()
        .set({ delivered: sql`delivered + 1`, next_at: remindAt, last_error: null })
        .where('request_id', '=', requestId)
        .execute()
    },
    async postpone(requestId, nextAt, error) {
      await change()
        .set({ next_at: nextAt, last_error: keptText(error) })
        .where('request_id', '=', requestId)
        .execute()
    },
    async retryFailed(now) {
      await change()
        .set({ next_at: now })
        .where('last_error', 'is not', null)
        .where('next_at', '>', now)
        .execute()
    },
    async close(requestId) {
      await drop().where('request_id', '=', requestId).execute()
    },
    async closeOfAgent(agentId) {
      await drop().where('agent_id', '=', agentId).execute()
    },
    async closeSeen() {
      await drop()
        .where('request_id', 'in', (of) =>
          of
            .selectFrom('executions')
            .select('executions.request_id')
            .where('executions.tenant_id', '=', tenant)
            .where('executions.seen_at', 'is not', null)
            .where('executions.request_id', 'in', (open) =>
              open.selectFrom('wakes as open').select('open.request_id').where('open.tenant_id', '=', tenant),
            ),
        )
        .execute()
    },
  }
}
