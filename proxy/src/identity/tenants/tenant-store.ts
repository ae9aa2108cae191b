import type { Queries } from '../../storage/index.ts'
import type { TenantStore } from './ports.ts'

/** Of the installation: whichever tenant it is asked through. */
export function createTenantStore({ db }: Queries): TenantStore {
  return {
    async list() {
      const rows = await db.selectFrom('tenants').selectAll().orderBy('created_at').orderBy('id').execute()
      return rows.map(({ id, name, created_at, removed_at }) => ({
        id,
        name,
        createdAt: created_at,
        removedAt: removed_at,
      }))
    },
    async insert({ id, name, createdAt, removedAt }) {
      await db
        .insertInto('tenants')
        .values({ id, name, created_at: createdAt, removed_at: removedAt })
        .execute()
    },
    async confirm(id) {
      await db.updateTable('tenants').set({ removed_at: null }).where('id', '=', id).execute()
    },
    async markRemoved(id, at) {
      await db.updateTable('tenants').set({ removed_at: at }).where('id', '=', id).execute()
    },
    async forget(id) {
      await db.deleteFrom('tenants').where('id', '=', id).execute()
    },
  }
}
