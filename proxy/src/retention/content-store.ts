import { type Generated, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { AgentId, CodeHash, TenantId, UnixMs } from '../kernel/index.ts'
import { type Queries, statement } from '../storage/index.ts'
import { consentTextOf } from './consent-text-store.ts'
import { createDeleter } from './content-deleter.ts'
import type { ContentStore, Held, KeptSince } from './ports.ts'

declare module '../storage/tables.ts' {
  interface Tables {
    /** Who keeps which code ('' as lock) or locked imports; primary key: tenant, code, agent, lock. */
    content_holders: {
      readonly tenant_id: string
      readonly code_hash: CodeHash
      readonly agent_id: AgentId
      readonly imports_lock: string
      readonly bytes: number
      /** Of code: when it last ran, give or take a day; 0: never. */
      readonly ran_at: Generated<UnixMs>
    }
    /** What an agent keeps in all. Written by triggers of the tables that it sums. */
    agent_storage: {
      readonly tenant_id: string
      readonly agent_id: AgentId
      readonly bytes: number
    }
  }
}

interface Row {
  readonly code_hash: CodeHash
  readonly agent_id: AgentId
  readonly imports_lock: string
  readonly bytes: number
  readonly is_needed: number
}

const OPEN = sql`('pending', 'awaiting_secrets', 'approved', 'running')`
const DAY_MS = 24 * 60 * 60 * 1_000

interface Key {
  readonly tenant: TenantId
  readonly code: CodeHash
  readonly agent: AgentId
  readonly lock: string
}

const bytesHeld = statement((db, { tenant, code, agent, lock }: Key) =>
  db
    .selectFrom('content_holders')
    .select('bytes')
    .where('tenant_id', '=', tenant)
    .where('code_hash', '=', code)
    .where('agent_id', '=', agent)
    .where('imports_lock', '=', lock),
)
const setRan = statement(
  (db, { tenant, code, agent, at, before }: Omit<Key, 'lock'> & { at: UnixMs; before: UnixMs }) =>
    db
      .updateTable('content_holders')
      .set({ ran_at: at })
      .where('tenant_id', '=', tenant)
      .where('code_hash', '=', code)
      .where('agent_id', '=', agent)
      .where('imports_lock', '=', '')
      .where('ran_at', '<', before),
)
const bytesInAll = statement((db, { tenant, agent }: { tenant: TenantId; agent: AgentId }) =>
  db
    .selectFrom('agent_storage')
    .select('bytes')
    .where('tenant_id', '=', tenant)
    .where('agent_id', '=', agent),
)

/**
 * Who keeps which code and imports. The sum of each agent and the queue of what nobody keeps are kept by triggers of the
 * tables themselves, so no writer can forget them.
 */
export function createContentStore(queries: Queries, tenant: TenantId): ContentStore {
  const { db, dialect } = queries
  const lockOf = (consent: Parameters<typeof dialect.jsonText>[0]) =>
    dialect.jsonText(consent, 'imports', 'lock')
  /** Whether something needs what the row `h` of content_holders keeps. */
  const isNeeded = (since: KeptSince): RawBuilder<SqlBool> => sql`
    EXISTS (SELECT 1 FROM executions AS e WHERE e.tenant_id = h.tenant_id AND e.agent_id = h.agent_id AND e.status IN ${OPEN}
      AND e.code_hash = h.code_hash AND (h.imports_lock = '' OR ${lockOf(consentTextOf('e'))} = h.imports_lock))
    OR EXISTS (SELECT 1 FROM approvals AS a WHERE a.tenant_id = h.tenant_id AND a.code_hash = h.code_hash
      AND a.ended_at IS NULL AND (h.imports_lock = '' OR ${lockOf('a.consent')} = h.imports_lock))
    OR (h.imports_lock = '' AND h.ran_at > ${since.ran})
    OR EXISTS (SELECT 1 FROM executions AS e WHERE e.tenant_id = h.tenant_id AND e.agent_id = h.agent_id
      AND e.output_bytes = 0 AND e.decision IS NULL AND e.finished_at IS NOT NULL AND e.finished_at > ${since.expired}
      AND e.status = 'expired' AND e.superseded_by IS NULL AND e.code_hash = h.code_hash
      AND (h.imports_lock = '' OR ${lockOf(consentTextOf('e'))} = h.imports_lock))`
  const rowsWhere = async (since: KeptSince, which: RawBuilder<unknown>): Promise<readonly Row[]> => {
    const { rows } = await sql<Row>`
      SELECT h.code_hash, h.agent_id, h.imports_lock, h.bytes, CASE WHEN ${isNeeded(since)} THEN 1 ELSE 0 END AS is_needed
      FROM content_holders AS h WHERE h.tenant_id = ${tenant} AND ${which}`.execute(db)
    return rows
  }
  const holding = ({ agentId, codeHash, importsLock }: Held) =>
    [tenant, codeHash, agentId, importsLock ?? ''] as const
  const releaseRows = async (rows: readonly Row[]): Promise<void> => {
    for (const row of rows) {
      if (row.is_needed === 1) continue
      await db
        .deleteFrom('content_holders')
        .where('tenant_id', '=', tenant)
        .where('code_hash', '=', row.code_hash)
        .where('agent_id', '=', row.agent_id)
        .where('imports_lock', '=', row.imports_lock)
        .execute()
    }
  }
  const page = async (after: Held | undefined, limit: number, since: KeptSince) => {
    const [, code, agent, lock] = after === undefined ? ['', '', '', ''] : holding(after)
    const rows = await rowsWhere(
      since,
      sql`(h.code_hash, h.agent_id, h.imports_lock) > (${code}, ${agent}, ${lock})
        ORDER BY h.code_hash, h.agent_id, h.imports_lock LIMIT ${limit}`,
    )
    const last = rows.at(-1)
    return { rows, next: rows.length < limit || !last ? undefined : heldOf(last) }
  }

  return {
    async isHeld(held) {
      const [, code, agent, lock] = holding(held)
      return (await bytesHeld.first(queries, { tenant, code, agent, lock })) !== undefined
    },
    async hold(held, bytes) {
      const [tenant_id, code_hash, agent_id, imports_lock] = holding(held)
      await db
        .insertInto('content_holders')
        .values({ tenant_id, code_hash, agent_id, imports_lock, bytes })
        .execute()
    },
    async ran(agentId, codeHash, at) {
      await setRan.all(queries, { tenant, code: codeHash, agent: agentId, at, before: at - DAY_MS })
    },
    async release(agentId, codeHash, since) {
      await releaseRows(await rowsWhere(since, sql`h.code_hash = ${codeHash} AND h.agent_id = ${agentId}`))
    },
    async releaseNext(after, limit, since) {
      const { rows, next } = await page(after, limit, since)
      await releaseRows(rows)
      return next
    },
    async countNext(after, limit, since) {
      const { rows, next } = await page(after, limit, since)
      const over = rows.filter((row) => row.is_needed === 0)
      return {
        next,
        code: over.filter((row) => row.imports_lock === '').length,
        bytes: over.reduce((sum, { bytes }) => sum + bytes, 0),
      }
    },
    async bytesOf(agentId) {
      return (await bytesInAll.first(queries, { tenant, agent: agentId }))?.bytes ?? 0
    },
    async nextBeyond(bytes, after) {
      const row = await db
        .selectFrom('agent_storage')
        .select('agent_id')
        .where('tenant_id', '=', tenant)
        .where('agent_id', '>', (after ?? '') as AgentId)
        // A part of a limit may be no whole number, which PostgreSQL does not compare with a bigint.
        .where('bytes', '>', Math.floor(bytes))
        .orderBy('agent_id')
        .limit(1)
        .executeTakeFirst()
      return row?.agent_id
    },
    deleteReleased: createDeleter(queries, tenant),
  }
}

const heldOf = (row: Row): Held => ({
  codeHash: row.code_hash,
  agentId: row.agent_id,
  importsLock: row.imports_lock === '' ? null : row.imports_lock,
})
