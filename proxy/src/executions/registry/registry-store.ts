import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { Registry, SkillStore } from './ports.ts'

interface RegistryTable {
  tenant_id: TenantId
  name: string
  url: string
  key: string
  sequence: number
  index_text: string
  index_hash: string
  expires_at: UnixMs
  fetched_at: UnixMs
  added_at: UnixMs
  added_by: string
}

interface PinTable {
  tenant_id: TenantId
  name: string
  version: string
  sha256: string
  pinned_at: UnixMs
  pinned_by: string
}

interface PublisherTable {
  tenant_id: TenantId
  name: string
  key: string
  accepted_at: UnixMs
  accepted_by: string
}

declare module '../../storage/tables.ts' {
  interface Tables {
    registries: RegistryTable
    skill_pins: PinTable
    skill_publishers: PublisherTable
  }
}

const indexOf = ({ sequence, indexHash, expiresAt, fetchedAt }: Registry, text: string) => ({
  sequence,
  index_text: text,
  index_hash: indexHash,
  expires_at: expiresAt,
  fetched_at: fetchedAt,
})

export function createSkillStore({ db }: Queries, tenant: TenantId): SkillStore {
  return {
    registries: () =>
      db
        .selectFrom('registries')
        .select([
          'name',
          'url',
          'key',
          'sequence',
          'index_hash as indexHash',
          'expires_at as expiresAt',
          'fetched_at as fetchedAt',
          'added_at as addedAt',
          'added_by as addedBy',
        ])
        .where('tenant_id', '=', tenant)
        .orderBy('name')
        .execute(),
    async indexText(name) {
      const query = db.selectFrom('registries').select('index_text')
      return (await query.where('tenant_id', '=', tenant).where('name', '=', name).executeTakeFirst())
        ?.index_text
    },
    async insertRegistry(registry, text) {
      const { name, url, key, addedAt, addedBy } = registry
      await db
        .insertInto('registries')
        .values({
          ...{ tenant_id: tenant, name, url, key, added_at: addedAt, added_by: addedBy },
          ...indexOf(registry, text),
        })
        .execute()
    },
    async updateIndex(registry, text) {
      await db
        .updateTable('registries')
        .set(indexOf(registry, text))
        .where('tenant_id', '=', tenant)
        .where('name', '=', registry.name)
        .execute()
    },
    async removeRegistry(name) {
      await db.deleteFrom('registries').where('tenant_id', '=', tenant).where('name', '=', name).execute()
    },

    pins: () =>
      db
        .selectFrom('skill_pins')
        .select(['name', 'version', 'sha256', 'pinned_at as pinnedAt', 'pinned_by as pinnedBy'])
        .where('tenant_id', '=', tenant)
        .orderBy('name')
        .orderBy('version')
        .execute(),
    async putPin({ name, version, sha256, pinnedAt, pinnedBy }) {
      const pinned = { sha256, pinned_at: pinnedAt, pinned_by: pinnedBy }
      await db
        .insertInto('skill_pins')
        .values({ tenant_id: tenant, name, version, ...pinned })
        .onConflict((on) => on.columns(['tenant_id', 'name', 'version']).doUpdateSet(pinned))
        .execute()
    },
    async removePin({ name, version }) {
      await db
        .deleteFrom('skill_pins')
        .where('tenant_id', '=', tenant)
        .where('name', '=', name)
        .where('version', '=', version)
        .execute()
    },

    async acceptedNames() {
      const query = db.selectFrom('skill_publishers').select('name').where('tenant_id', '=', tenant)
      return (await query.orderBy('name').execute()).map(({ name }) => name)
    },
    async publisherOf(name) {
      const query = db
        .selectFrom('skill_publishers')
        .select(['name', 'key', 'accepted_at as acceptedAt', 'accepted_by as acceptedBy'])
      return await query.where('tenant_id', '=', tenant).where('name', '=', name).executeTakeFirst()
    },
    async accept({ name, key, acceptedAt, acceptedBy }) {
      const accepted = { key, accepted_at: acceptedAt, accepted_by: acceptedBy }
      await db
        .insertInto('skill_publishers')
        .values({ tenant_id: tenant, name, ...accepted })
        .onConflict((on) => on.columns(['tenant_id', 'name']).doUpdateSet(accepted))
        .execute()
    },
  }
}
