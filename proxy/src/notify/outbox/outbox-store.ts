import { type Generated, type Selectable, sql } from 'kysely'
import type { TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, pastPrefix, type Queries, statement } from '../../storage/index.ts'
import type { OutboxMessage, OutboxStore } from './outbox.ts'

interface OutboxTable {
  tenant_id: TenantId
  /** Grows with every message, and is never given twice: the order of a lane. */
  id: Generated<number>
  lane: string
  kind: string
  /** JSON. */
  payload: string
  attempts: Generated<number>
  next_at: UnixMs
  last_error: string | null
  created_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    outbox: OutboxTable
  }
}

interface Offer {
  readonly tenant: TenantId
  readonly prefix: string
  readonly past: string
  readonly now: UnixMs
}

/**
 * Asked some times a second. From one lane to the next: an index look-up for each, however many messages wait in it. The last step may
 * leave the prefix.
 */
const offered = statement((db, { tenant, prefix, past, now }: Offer) =>
  db
    .withRecursive('lanes(lane)', (lanes) =>
      lanes
        .selectFrom('outbox')
        .select((of) => of.fn.min<string | null>('outbox.lane').as('lane'))
        .where('outbox.tenant_id', '=', tenant)
        .where('outbox.lane', '>=', prefix)
        .where('outbox.lane', '<', past)
        .unionAll((then) =>
          then
            .selectFrom('lanes')
            .select((of) =>
              of
                .selectFrom('outbox as next')
                .select((one) => one.fn.min('next.lane').as('lane'))
                .where('next.tenant_id', '=', tenant)
                .whereRef('next.lane', '>', 'lanes.lane')
                .as('lane'),
            )
            .where('lanes.lane', '>=', prefix)
            .where('lanes.lane', '<', past),
        ),
    )
    // The oldest of each lane; a lane whose oldest must wait offers nothing, which keeps its order. Materialized: row-level
    // security lets no subquery into the condition of an index.
    .with(
      (heads) => heads('heads').materialized(),
      (heads) =>
        heads
          .selectFrom('lanes')
          .select((of) =>
            of
              .selectFrom('outbox as head')
              .select((one) => one.fn.min('head.id').as('id'))
              .where('head.tenant_id', '=', tenant)
              .whereRef('head.lane', '=', 'lanes.lane')
              .as('id'),
          )
          .where('lanes.lane', '>=', prefix)
          .where('lanes.lane', '<', past),
    )
    .selectFrom('outbox')
    .selectAll('outbox')
    .where('outbox.tenant_id', '=', tenant)
    .where('outbox.id', 'in', (of) => of.selectFrom('heads').select('heads.id'))
    .where('outbox.next_at', '<=', now)
    .orderBy('outbox.id'),
)

export function createOutboxStore(queries: Queries, tenant: TenantId): OutboxStore {
  const { db, dialect } = queries
  const messages = () => db.selectFrom('outbox').selectAll().where('tenant_id', '=', tenant)

  return {
    async due(prefix, now) {
      const due = await offered.all(queries, { tenant, prefix, past: pastPrefix(prefix), now })
      return due.map(fromRow)
    },
    async waiting(prefix) {
      const { waiting } = await db
        .selectFrom('outbox')
        .select((of) => of.fn.countAll<number>().as('waiting'))
        .where('tenant_id', '=', tenant)
        .where(dialect.startsWith('lane', prefix))
        .executeTakeFirstOrThrow()
      return waiting
    },
    async ofLane(lane, limit) {
      return (await messages().where('lane', '=', lane).orderBy('id').limit(limit).execute()).map(fromRow)
    },
    async insert({ lane, kind, payload, createdAt }) {
      await db
        .insertInto('outbox')
        .values({ tenant_id: tenant, lane, kind, payload, next_at: createdAt, created_at: createdAt })
        .execute()
    },
    async remove(id) {
      await db.deleteFrom('outbox').where('tenant_id', '=', tenant).where('id', '=', id).execute()
    },
    async postpone(id, nextAt, error) {
      await db
        .updateTable('outbox')
        .set({ attempts: sql`attempts + 1`, next_at: nextAt, last_error: keptText(error) })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
  }
}

const fromRow = (row: Selectable<OutboxTable>): OutboxMessage => ({
  id: row.id,
  lane: row.lane,
  kind: row.kind,
  payload: jsonOrUndefined(row.payload),
  attempts: row.attempts,
  createdAt: row.created_at,
})

/** One row that cannot be read must not keep the others from being offered. */
function jsonOrUndefined(text: string): OutboxMessage['payload'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
