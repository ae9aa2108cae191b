import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import { manifestOf, openLock } from './lock.ts'
import type { ImportStore } from './ports.ts'

interface ImportFileTable {
  tenant_id: TenantId
  sha256: string
  bytes: Uint8Array
}

interface ImportLockTable {
  tenant_id: TenantId
  hash: string
  /** Canonical JSON, word for word what the hash is of. */
  manifest: string
  created_at: UnixMs
}

/** Which files a lock names. */
interface ImportLockFileTable {
  tenant_id: TenantId
  lock: string
  sha256: string
}

declare module '../../storage/tables.ts' {
  interface Tables {
    import_files: ImportFileTable
    import_locks: ImportLockTable
    import_lock_files: ImportLockFileTable
  }
}

/** In one statement, so that a lock of thousands of small files is no thousands of round trips. */
const ROWS_AT_ONCE = 100
const BYTES_AT_ONCE = 1_048_576

/** Locked modules by content: each file once, however many locks name it. */
export function createImportStore({ db }: Queries, tenant: TenantId): ImportStore {
  return {
    async put(imports, at) {
      const lock = imports.lock.hash
      for (const files of inBatches(imports.contents)) {
        await db
          .insertInto('import_files')
          .values(files.map(([sha256, bytes]) => ({ tenant_id: tenant, sha256, bytes })))
          .onConflict((on) =>
            on
              .columns(['tenant_id', 'sha256'])
              .doUpdateSet((of) => ({ bytes: of.ref('excluded.bytes') }))
              .whereRef('import_files.bytes', '<>', 'excluded.bytes'),
          )
          .execute()
        await db
          .insertInto('import_lock_files')
          .values(files.map(([sha256]) => ({ tenant_id: tenant, lock, sha256 })))
          .onConflict((on) => on.doNothing())
          .execute()
      }
      await db
        .insertInto('import_locks')
        .values({ tenant_id: tenant, hash: lock, manifest: manifestOf(imports), created_at: at })
        .onConflict((on) =>
          on
            .columns(['tenant_id', 'hash'])
            .doUpdateSet((of) => ({ manifest: of.ref('excluded.manifest') }))
            .whereRef('import_locks.manifest', '<>', 'excluded.manifest'),
        )
        .execute()
    },
    async read(hash) {
      const lock = await db
        .selectFrom('import_locks')
        .select('manifest')
        .where('tenant_id', '=', tenant)
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (lock === undefined) return undefined
      const files = await db
        .selectFrom('import_lock_files as named')
        .innerJoin('import_files as file', (on) =>
          on.onRef('file.tenant_id', '=', 'named.tenant_id').onRef('file.sha256', '=', 'named.sha256'),
        )
        .select(['file.sha256', 'file.bytes'])
        .where('named.tenant_id', '=', tenant)
        .where('named.lock', '=', hash)
        .execute()
      const contents = new Map(files.map(({ sha256, bytes }) => [sha256, bytes]))
      return openLock(hash, lock.manifest, (sha256) => contents.get(sha256))
    },
  }
}

function* inBatches(contents: ReadonlyMap<string, Uint8Array>): Generator<[string, Uint8Array][]> {
  let batch: [string, Uint8Array][] = []
  let size = 0
  for (const file of contents) {
    if (batch.length > 0 && (batch.length === ROWS_AT_ONCE || size + file[1].length > BYTES_AT_ONCE)) {
      yield batch
      batch = []
      size = 0
    }
    batch.push(file)
    size += file[1].length
  }
  if (batch.length > 0) yield batch
}
