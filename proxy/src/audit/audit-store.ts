import { sql } from 'kysely'
import type { TenantId, UnixMs } from '../kernel/index.ts'
import { createMetaStore, type Queries, statement } from '../storage/index.ts'
import { BLOCK_ROWS } from './block-index.ts'
import { blockStore, dropBlocksBefore } from './block-store.ts'
import type { AuditSeal, AuditStore, StoredAuditRow } from './ports.ts'

/** Append-only: triggers refuse a change, and a deletion beyond what is archived. */
interface AuditTable {
  tenant_id: TenantId
  /** From 1 in each tenant, without a gap. */
  id: number
  at: UnixMs
  event: string
  actor: string
  request_id: string | null
  /** JSON, word for word what the hash is over. */
  data: string
  /** '' where it is the hash of the row before, as it is unless somebody wrote the row by hand. */
  prev_hash: string
  hash: string
}

interface AuditArchiveTable {
  tenant_id: TenantId
  first_id: number
  last_id: number
  name: string
  previous: string
  head: string
  digest: string
  bytes: number
  archived_at: UnixMs
}

declare module '../storage/tables.ts' {
  interface Tables {
    audit_log: AuditTable
    audit_archives: AuditArchiveTable
  }
}

const SEAL = 'audit_seal'
const ANCHOR = 'audit_anchor'
/** '' where there is none. */
const CHECKPOINT = 'audit_checkpoint'

/** The last row that was deleted: the first one that is left goes on from it. */
const DELETED = 'audit_deleted'

const insert = statement((db, { prev_hash, ...row }: AuditTable & { readonly before: number }) => {
  const { before, ...columns } = row
  const kept = sql<string>`CASE WHEN (SELECT earlier.hash FROM audit_log AS earlier
    WHERE earlier.tenant_id = ${row.tenant_id} AND earlier.id = ${before}) = ${prev_hash} THEN '' ELSE ${prev_hash} END`
  return db.insertInto('audit_log').values({ ...columns, prev_hash: kept })
})

export function createAuditStore(queries: Queries, tenant: TenantId): AuditStore {
  const { db } = queries
  const meta = createMetaStore(queries, tenant)
  const rows = () =>
    db
      .selectFrom('audit_log')
      .select([
        'id',
        'at',
        'event',
        'actor',
        'request_id as requestId',
        'data',
        'prev_hash as prevHash',
        'hash',
      ])
      .where('tenant_id', '=', tenant)

  const hashOf = async (id: number): Promise<string> => {
    const row = await db
      .selectFrom('audit_log')
      .select('hash')
      .where('tenant_id', '=', tenant)
      .where('id', '=', id)
      .executeTakeFirst()
    if (row) return row.hash
    const deleted = readSeal((await meta.get(DELETED)) ?? '')
    return deleted.id === id ? deleted.hash : ''
  }
  /** Rows of a page come one behind the other: only at its edge one goes on from a row that is not in it. */
  const withPrevious = async (
    found: Promise<readonly StoredAuditRow[]>,
  ): Promise<readonly StoredAuditRow[]> => {
    const rows = await found
    const hashes = new Map(rows.map(({ id, hash }) => [id, hash]))
    const whole: StoredAuditRow[] = []
    for (const row of rows) {
      const prevHash = row.prevHash || (hashes.get(row.id - 1) ?? (await hashOf(row.id - 1)))
      whole.push({ ...row, prevHash })
    }
    return whole
  }

  return {
    rows: (afterId, limit) =>
      withPrevious(rows().where('id', '>', afterId).orderBy('id').limit(limit).execute()),
    newest: (limit) => withPrevious(rows().orderBy('id', 'desc').limit(limit).execute()),
    before: (id, limit) =>
      withPrevious(rows().where('id', '<', id).orderBy('id', 'desc').limit(limit).execute()),
    ofRequest: (requestId, before, limit) =>
      withPrevious(
        rows()
          .where('request_id', '=', requestId)
          .where('id', '<', before)
          .orderBy('id', 'desc')
          .limit(limit)
          .execute(),
      ),
    async firstOf(requestId) {
      const first = rows().where('request_id', '=', requestId).orderBy('id').limit(1)
      return (await withPrevious(first.execute()))[0]
    },
    ...blockStore(queries, tenant),
    async insert({ requestId, prevHash, ...row }) {
      const previous = { before: row.id - 1, prev_hash: prevHash }
      await insert.all(queries, { tenant_id: tenant, ...row, request_id: requestId, ...previous })
    },

    async seal() {
      const text = await meta.get(SEAL)
      return text === undefined ? undefined : readSeal(text)
    },
    writeSeal: (seal) => meta.set(SEAL, JSON.stringify(seal)),
    async anchor() {
      const text = await meta.get(ANCHOR)
      if (text === undefined) return undefined
      const { digest } = parsed(text)
      return { ...readSeal(text), digest: typeof digest === 'string' ? digest : '' }
    },
    writeAnchor: (anchor) => meta.set(ANCHOR, JSON.stringify(anchor)),
    async checkpoint() {
      const text = await meta.get(CHECKPOINT)
      if (text === undefined || text === '') return undefined
      const { since } = parsed(text)
      return { ...readSeal(text), since: typeof since === 'number' ? since : Number.NaN }
    },
    writeCheckpoint: (checkpoint) => meta.set(CHECKPOINT, checkpoint ? JSON.stringify(checkpoint) : ''),

    archives: () =>
      db
        .selectFrom('audit_archives')
        .select([
          'name',
          'first_id as first',
          'last_id as last',
          'previous',
          'head',
          'digest',
          'bytes',
          'archived_at as archivedAt',
        ])
        .where('tenant_id', '=', tenant)
        .orderBy('first_id')
        .execute(),
    async addArchive({ first, last, archivedAt, ...archive }) {
      await db
        .insertInto('audit_archives')
        .values({ tenant_id: tenant, ...archive, first_id: first, last_id: last, archived_at: archivedAt })
        .execute()
    },
    async deleteUpTo(id, limit) {
      const oldest = await db
        .selectFrom('audit_log')
        .select(['id', 'hash'])
        .where('tenant_id', '=', tenant)
        .where('id', '<=', id)
        .orderBy('id')
        .limit(limit)
        .execute()
      const last = oldest.at(-1)
      if (last === undefined) return 0
      await meta.set(DELETED, JSON.stringify({ ...last, mac: '' }))
      const { numDeletedRows } = await db
        .deleteFrom('audit_log')
        .where('tenant_id', '=', tenant)
        .where('id', '<=', last.id)
        .executeTakeFirstOrThrow()
      await dropBlocksBefore(queries, tenant, Math.floor(last.id / BLOCK_ROWS))
      return Number(numDeletedRows)
    },
  }
}

/** A text that is no seal counts as one that nobody made: the audit says that it was not made with its key. */
function readSeal(text: string): AuditSeal {
  const { id, hash, mac } = parsed(text)
  const isSeal = Number.isSafeInteger(id) && typeof hash === 'string' && typeof mac === 'string'
  return isSeal ? { id: Number(id), hash, mac } : { id: 0, hash: '', mac: '' }
}

function parsed(text: string): Partial<Record<'id' | 'hash' | 'mac' | 'digest' | 'since', unknown>> {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}
