import type { Database } from 'better-sqlite3'
import type { ProviderKeyRepository, StoredProviderKey } from '../../domain/provider-keys/index.ts'

/** Vendors' keys. Ids are never given twice: a sealed value names its id, and so do the rows of usage. */
export function createProviderKeyStore(db: Database): ProviderKeyRepository {
  type Row = Omit<StoredProviderKey, 'tags' | 'models'> & { tags: string; models: string | null }
  const list = db.prepare<[], Row>(
    `SELECT id, provider, label, tags, weight, models, encrypted_value AS sealed, created_at AS createdAt
     FROM provider_keys ORDER BY id`,
  )
  const nextId = db
    .prepare<[], number>(
      "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'provider_keys'), 0) + 1",
    )
    .pluck()
  const insert =
    db.prepare(`INSERT INTO provider_keys (id, provider, label, tags, weight, models, encrypted_value, created_at)
    VALUES (@id, @provider, @label, @tags, @weight, @models, @sealed, @createdAt)`)
  const setSealed = db.prepare('UPDATE provider_keys SET encrypted_value = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM provider_keys WHERE id = ?')
  return {
    list: () =>
      list.all().map((row) => ({
        ...row,
        tags: JSON.parse(row.tags) as string[],
        models: row.models === null ? null : (JSON.parse(row.models) as string[]),
      })),
    nextId: () => nextId.get() ?? 1,
    insert: (key) =>
      void insert.run({
        ...key,
        tags: JSON.stringify(key.tags),
        models: key.models && JSON.stringify(key.models),
      }),
    setSealed: (id, sealed) => void setSealed.run(sealed, id),
    remove: (id) => void remove.run(id),
  }
}
