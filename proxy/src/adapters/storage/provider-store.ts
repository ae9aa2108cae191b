import type { Database } from 'better-sqlite3'
import type { OwnProvider, ProviderAuth, ProviderRepository } from '../../domain/providers/index.ts'

/** The owner's own providers, and what the owner filled in for those of the table. */
export function createProviderStore(db: Database): ProviderRepository {
  type Row = Omit<OwnProvider, 'auth' | 'private'> & { auth: string; private: number }
  const own = db.prepare<[], Row>(
    'SELECT name, url, auth, errors, private, created_at AS createdAt FROM providers ORDER BY name',
  )
  const insert = db.prepare(`INSERT INTO providers (name, url, auth, errors, private, created_at)
    VALUES (@name, @url, @auth, @errors, @private, @createdAt)`)
  const remove = db.prepare('DELETE FROM providers WHERE name = ?')
  const removeParams = db.prepare('DELETE FROM provider_params WHERE provider = ?')
  const params = db.prepare<[], ReturnType<ProviderRepository['params']>[number]>(
    'SELECT provider, name, value FROM provider_params ORDER BY provider, name',
  )
  const setParam = db.prepare(`INSERT INTO provider_params (provider, name, value) VALUES (?, ?, ?)
    ON CONFLICT (provider, name) DO UPDATE SET value = excluded.value`)
  return {
    own: () =>
      own.all().map((row) => ({
        ...row,
        auth: JSON.parse(row.auth) as ProviderAuth,
        private: row.private !== 0,
      })),
    insert: (provider) =>
      void insert.run({
        ...provider,
        auth: JSON.stringify(provider.auth),
        private: provider.private ? 1 : 0,
      }),
    remove(name) {
      remove.run(name)
      removeParams.run(name)
    },
    params: () => params.all(),
    setParam: (provider, name, value) => void setParam.run(provider, name, value),
  }
}
