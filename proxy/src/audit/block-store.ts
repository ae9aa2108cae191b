import type { TenantId, UnixMs } from '../kernel/index.ts'
import type { Queries } from '../storage/index.ts'
import { BLOCK_ROWS } from './block-index.ts'
import type { AuditStore } from './ports.ts'

interface AuditBlockTable {
  tenant_id: TenantId
  block: number
  first_at: UnixMs
  last_at: UnixMs
}

interface AuditTermTable {
  tenant_id: TenantId
  term: string
  block: number
}

declare module '../storage/tables.ts' {
  interface Tables {
    audit_blocks: AuditBlockTable
    audit_terms: AuditTermTable
  }
}

type BlockStore = Pick<AuditStore, 'indexedUpTo' | 'lastBlockNaming' | 'lastBlockWithin' | 'addBlock'>

/** Terms of one statement: as many values as both engines take with ease. */
const TERMS_AT_ONCE = 200

/** The index of the audit: the part of its store that is made from the rows, and could be made again. */
export function blockStore({ db }: Queries, tenant: TenantId): BlockStore {
  const blocks = () =>
    db.selectFrom('audit_blocks').where('tenant_id', '=', tenant).orderBy('block', 'desc').limit(1)
  return {
    async indexedUpTo() {
      const last = await blocks().select('block').executeTakeFirst()
      return last === undefined ? 0 : (last.block + 1) * BLOCK_ROWS
    },
    async lastBlockNaming(terms, atMost) {
      // One look into the index for each term, in the place of a scan over all of them.
      let found: number | null = null
      for (const term of terms) {
        const last = await db
          .selectFrom('audit_terms')
          .select('block')
          .where('tenant_id', '=', tenant)
          .where('term', '=', term)
          .where('block', '<=', atMost)
          .orderBy('block', 'desc')
          .limit(1)
          .executeTakeFirst()
        if (last !== undefined && (found === null || last.block > found)) found = last.block
      }
      return found
    },
    async lastBlockWithin(since, until, atMost) {
      let query = blocks().select('block').where('block', '<=', atMost)
      if (since !== null) query = query.where('last_at', '>=', since)
      if (until !== null) query = query.where('first_at', '<', until)
      return (await query.executeTakeFirst())?.block ?? null
    },
    async addBlock({ block, firstAt, lastAt, terms }) {
      await db
        .insertInto('audit_blocks')
        .values({ tenant_id: tenant, block, first_at: firstAt, last_at: lastAt })
        .execute()
      const all = [...terms].map((term) => ({ tenant_id: tenant, term, block }))
      for (let from = 0; from < all.length; from += TERMS_AT_ONCE) {
        await db
          .insertInto('audit_terms')
          .values(all.slice(from, from + TERMS_AT_ONCE))
          .execute()
      }
    },
  }
}

/** Of blocks whose rows are gone. */
export async function dropBlocksBefore({ db }: Queries, tenant: TenantId, block: number): Promise<void> {
  await db.deleteFrom('audit_terms').where('tenant_id', '=', tenant).where('block', '<', block).execute()
  await db.deleteFrom('audit_blocks').where('tenant_id', '=', tenant).where('block', '<', block).execute()
}
