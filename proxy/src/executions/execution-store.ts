import { type Insertable, type Kysely, type SqlBool, sql } from 'kysely'
import type { AgentId, ConsentHash, RequestId, TenantId, UnixMs } from '../kernel/index.ts'
import { consentTextOf, keepConsentText } from '../retention/index.ts'
import { type Queries, statement, type Tables } from '../storage/index.ts'
import { EXECUTION_STATES, type ExecutionStatus, type ExecutionStore } from './execution.ts'
import {
  type ExecutionTable,
  fromRow,
  optional,
  SUMMARY_COLUMNS,
  type SummaryRow,
  summaryFromRow,
  toRow,
  whatChanges,
} from './execution-rows.ts'

interface IdempotencyTable {
  tenant_id: TenantId
  agent_id: AgentId
  key: string
  request_id: RequestId
  body_hash: string
  created_at: UnixMs
}

declare module '../storage/tables.ts' {
  interface Tables {
    executions: ExecutionTable
    idempotency: IdempotencyTable
  }
}

// Word for word the conditions of the partial indexes, which are not used otherwise; never as parameters.
const WAITING = sql<SqlBool>`status IN ('pending', 'awaiting_secrets')`
const OPEN = sql<SqlBool>`status IN ('pending', 'awaiting_secrets', 'approved', 'running')`
const TRUSTED = sql<SqlBool>`trusted = 1`
const OPEN_STATES: ReadonlySet<ExecutionStatus> = new Set([
  'pending',
  'awaiting_secrets',
  'approved',
  'running',
])

/** Of what is over or forgotten, as many at a time. */
const MAX_AT_ONCE = 500

const rowsOf = (db: Kysely<Tables>, tenant: TenantId) =>
  db.selectFrom('executions').where('tenant_id', '=', tenant)

const consentText = consentTextOf('executions').as('consent_text')
const wholeRows = (db: Kysely<Tables>, tenant: TenantId) => rowsOf(db, tenant).selectAll().select(consentText)

const insert = statement((db, row: Insertable<ExecutionTable>) => db.insertInto('executions').values(row))
const update = statement(
  (
    db,
    {
      tenant,
      requestId,
      ...change
    }: ReturnType<typeof whatChanges> & { tenant: TenantId; requestId: RequestId },
  ) =>
    db
      .updateTable('executions')
      .set(change)
      .where('tenant_id', '=', tenant)
      .where('request_id', '=', requestId),
)
const byRequestId = statement((db, { tenant, requestId }: { tenant: TenantId; requestId: RequestId }) =>
  wholeRows(db, tenant).where('request_id', '=', requestId),
)
const waitingDuplicate = statement(
  (db, { tenant, agentId, consentHash }: { tenant: TenantId; agentId: AgentId; consentHash: ConsentHash }) =>
    wholeRows(db, tenant)
      .where('agent_id', '=', agentId)
      .where('consent_hash', '=', consentHash)
      .where(WAITING),
)
type AgentPage = {
  tenant: TenantId
  agentId: AgentId
  status: ExecutionStatus
  before: number
  limit: number
}
const agentPage = statement((db, { tenant, agentId, status, before, limit }: AgentPage) =>
  rowsOf(db, tenant)
    .select(SUMMARY_COLUMNS)
    .where('agent_id', '=', agentId)
    .where('status', '=', status)
    .where('id', '<', before)
    .orderBy('id', 'desc')
    .limit(limit),
)
const expired = statement((db, { tenant, now, limit }: { tenant: TenantId; now: UnixMs; limit: number }) =>
  wholeRows(db, tenant)
    .where(WAITING)
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .orderBy('id')
    .limit(limit),
)
const unreminded = statement(
  (db, { tenant, after, until, limit }: { tenant: TenantId; after: UnixMs; until: UnixMs; limit: number }) =>
    rowsOf(db, tenant)
      .select(SUMMARY_COLUMNS)
      .where(WAITING)
      .where('expires_at', '>', after)
      .where('expires_at', '<=', until)
      .where('reminded_at', 'is', null)
      .where('status', '=', sql.lit('pending' as const))
      .orderBy('expires_at')
      .limit(limit),
)
const oldIdempotency = statement((db, { tenant, at }: { tenant: TenantId; at: UnixMs }) =>
  db
    .selectFrom('idempotency')
    .select('key')
    .where('tenant_id', '=', tenant)
    .where('created_at', '<', at)
    .limit(1),
)
const forgetIdempotency = statement(
  (db, { tenant, at, limit }: { tenant: TenantId; at: UnixMs; limit: number }) =>
    db
      .deleteFrom('idempotency')
      .where('tenant_id', '=', tenant)
      .where(({ eb, refTuple }) =>
        eb(
          refTuple('agent_id', 'key'),
          'in',
          db
            .selectFrom('idempotency as old')
            .select(['old.agent_id', 'old.key'])
            .where('old.tenant_id', '=', tenant)
            .where('old.created_at', '<', at)
            .orderBy('old.created_at')
            .limit(limit)
            .$asTuple('agent_id', 'key'),
        ),
      ),
)

export function createExecutionStore(queries: Queries, tenant: TenantId): ExecutionStore {
  const { db, dialect } = queries
  const rows = () => rowsOf(db, tenant)

  const tenantPage = (before: number, limit: number, status?: ExecutionStatus): Promise<SummaryRow[]> => {
    const query = rows().select(SUMMARY_COLUMNS).where('id', '<', before).orderBy('id', 'desc').limit(limit)
    if (status === undefined) return query.execute()
    const ofStatus = query.where('status', '=', status)
    return (OPEN_STATES.has(status) ? ofStatus.where(OPEN) : ofStatus).execute()
  }

  return {
    async insert(execution) {
      const { agentId, consentHash, consentJson } = execution
      const consent = { tenant_id: tenant, hash: consentHash, agent_id: agentId, text: consentJson }
      await keepConsentText.all(queries, consent)
      await insert.all(queries, { tenant_id: tenant, ...toRow(execution) })
    },
    async update(execution) {
      await update.all(queries, { tenant, requestId: execution.requestId, ...whatChanges(execution) })
    },
    async byRequestId(requestId) {
      return optional(await byRequestId.first(queries, { tenant, requestId }))
    },
    async waitingDuplicate(agentId, consentHash) {
      return optional(await waitingDuplicate.first(queries, { tenant, agentId, consentHash }))
    },
    async waitingOf(agentId, codeHash) {
      const found = await wholeRows(db, tenant)
        .where('agent_id', '=', agentId)
        .where('code_hash', '=', codeHash)
        .where(WAITING)
        .orderBy('id')
        .execute()
      return found.map(fromRow)
    },
    async countWaiting(agentId, now) {
      const { waiting } = await rows()
        .select((of) => of.fn.countAll<number>().as('waiting'))
        .where('agent_id', '=', agentId)
        .where(WAITING)
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow()
      return waiting
    },
    async inStatus(status) {
      const found = await wholeRows(db, tenant)
        .where('status', '=', status)
        .where(OPEN)
        .orderBy('id')
        .execute()
      return found.map(fromRow)
    },
    async expiredBy(now) {
      const found = await expired.all(queries, { tenant, now, limit: MAX_AT_ONCE })
      return found.map(fromRow)
    },
    async unreminded({ after, until }, limit) {
      return (await unreminded.all(queries, { tenant, after, until, limit })).map(summaryFromRow)
    },
    /** One page, newest first, by keyset: its cost does not depend on how many rows there are. */
    async list({ agentId, statuses: asked = [], before = Number.MAX_SAFE_INTEGER, limit }) {
      const statuses = new Set(asked.length > 0 || agentId === undefined ? asked : EXECUTION_STATES)
      if (statuses.size === 0) return (await tenantPage(before, limit)).map(summaryFromRow)
      // One index walk for each status; a single IN would sort every row of these statuses first. An agent has no other index.
      const found: SummaryRow[] = []
      for (const status of statuses)
        found.push(
          ...(await (agentId === undefined
            ? tenantPage(before, limit, status)
            : agentPage.all(queries, { tenant, agentId, status, before, limit }))),
        )
      return found
        .sort((a, b) => b.id - a.id)
        .slice(0, limit)
        .map(summaryFromRow)
    },
    async ofGrant(decidedBy, { before, limit }) {
      const found = await rows()
        .select(SUMMARY_COLUMNS)
        .where('decided_by', '=', decidedBy)
        .where(TRUSTED)
        .where('id', '<', before ?? Number.MAX_SAFE_INTEGER)
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return found.map(summaryFromRow)
    },
    async byPrefix(prefix) {
      const found = await rows()
        .select('request_id')
        .where(dialect.startsWith('request_id', prefix))
        .orderBy('request_id')
        .limit(2)
        .execute()
      return found.map((row) => row.request_id)
    },

    idempotencyEntry: (agentId, key) =>
      db
        .selectFrom('idempotency')
        .select(['request_id as requestId', 'body_hash as bodyHash'])
        .where('tenant_id', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('key', '=', key)
        .executeTakeFirst(),
    async remember(agentId, key, entry, at) {
      await db
        .insertInto('idempotency')
        .values({
          tenant_id: tenant,
          agent_id: agentId,
          key,
          request_id: entry.requestId,
          body_hash: entry.bodyHash,
          created_at: at,
        })
        .execute()
    },
    async hasIdempotencyBefore(at) {
      return (await oldIdempotency.all(queries, { tenant, at })).length > 0
    },
    async forgetIdempotencyBefore(at) {
      await forgetIdempotency.all(queries, { tenant, at, limit: MAX_AT_ONCE })
    },
  }
}
