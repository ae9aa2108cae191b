import { sql } from 'kysely'
import type { CodeHash, TenantId } from '../kernel/index.ts'
import type { Queries } from '../storage/index.ts'
import type { ContentStore } from './ports.ts'

declare module '../storage/tables.ts' {
  interface Tables {
    /** What nobody holds any more: code, or ('' as code) locked imports. Queued by a trigger of content_holders. */
    released_content: {
      readonly tenant_id: string
      readonly code_hash: CodeHash
      readonly imports_lock: string
    }
  }
}

/** Files of one lock that are deleted at once, at most about this many bytes. */
const FILES_AT_ONCE = 50
const BYTES_AT_ONCE = 1_048_576

/** Takes the next of the queue. What came to be held again since it was queued stays. */
export function createDeleter({ db }: Queries, tenant: TenantId): ContentStore['deleteReleased'] {
  const isHeld = async (column: 'code_hash' | 'imports_lock', value: string): Promise<boolean> => {
    // For code the lock is ''; the condition stands in the text, so that the index of locks is used.
    const which = column === 'code_hash' ? sql`imports_lock = ''` : sql`imports_lock <> ''`
    const { rows } = await sql`SELECT 1 FROM content_holders
      WHERE tenant_id = ${tenant} AND ${sql.ref(column)} = ${value} AND ${which} LIMIT 1`.execute(db)
    return rows.length > 0
  }

  const deleteCode = async (hash: CodeHash): Promise<void> => {
    await sql`DELETE FROM code WHERE tenant_id = ${tenant} AND hash = ${hash}`.execute(db)
    await sql`DELETE FROM code_facts WHERE tenant_id = ${tenant} AND hash = ${hash}`.execute(db)
  }

  /** Whether all of it is gone. */
  const deleteSomeOfLock = async (lock: string): Promise<boolean> => {
    // The lock goes first: what is left of its files is never taken for all of them.
    await sql`DELETE FROM import_locks WHERE tenant_id = ${tenant} AND hash = ${lock}`.execute(db)
    const { rows: some } = await sql<{ sha256: string; bytes: number }>`
      SELECT u.sha256 AS sha256, coalesce(octet_length(f.bytes), 0) AS bytes FROM import_lock_files AS u
      LEFT JOIN import_files AS f ON f.tenant_id = u.tenant_id AND f.sha256 = u.sha256
      WHERE u.tenant_id = ${tenant} AND u.lock = ${lock} ORDER BY u.sha256 LIMIT ${FILES_AT_ONCE}`.execute(db)
    let bytes = 0
    for (const file of some) {
      if (bytes >= BYTES_AT_ONCE) return false
      await sql`DELETE FROM import_lock_files
        WHERE tenant_id = ${tenant} AND lock = ${lock} AND sha256 = ${file.sha256}`.execute(db)
      await sql`DELETE FROM import_files WHERE tenant_id = ${tenant} AND sha256 = ${file.sha256}
        AND NOT EXISTS (SELECT 1 FROM import_lock_files AS u
          WHERE u.tenant_id = import_files.tenant_id AND u.sha256 = import_files.sha256)`.execute(db)
      bytes += file.bytes
    }
    return some.length < FILES_AT_ONCE
  }

  return async () => {
    const next = await db
      .selectFrom('released_content')
      .select(['code_hash', 'imports_lock'])
      .where('tenant_id', '=', tenant)
      .orderBy('code_hash')
      .orderBy('imports_lock')
      .limit(1)
      .executeTakeFirst()
    if (next === undefined) return undefined
    const { code_hash: hash, imports_lock: lock } = next
    const isCode = lock === ''
    const isFree = !(await (isCode ? isHeld('code_hash', hash) : isHeld('imports_lock', lock)))
    if (isFree && isCode) await deleteCode(hash)
    if (isCode || !isFree || (await deleteSomeOfLock(lock))) {
      await db
        .deleteFrom('released_content')
        .where('tenant_id', '=', tenant)
        .where('code_hash', '=', hash)
        .where('imports_lock', '=', lock)
        .execute()
    }
    return { codeHash: isFree && isCode ? hash : null }
  }
}
