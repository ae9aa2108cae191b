import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { ProviderKeyStore, StoredProviderKey } from './ports.ts'

declare module '../../storage/tables.ts' {
  interface Tables {
    provider_keys: {
      readonly tenant_id: string
      /** Never given twice: a sealed value names its id, and so do the rows of usage. */
      readonly id: number
      readonly provider: string
      /** Unique within the provider. */
      readonly label: string
      /** JSON arrays of strings. */
      readonly tags: string
      readonly models: string | null
      readonly weight: number
      /** 0 or 1. */
      readonly is_seat: number
      readonly encrypted_value: string
      readonly created_at: UnixMs
    }
  }
}

/** Vendors' keys, sealed. */
export function createProviderKeyStore({ db, dialect }: Queries, tenant: TenantId): ProviderKeyStore {
  return {
    async list(): Promise<readonly StoredProviderKey[]> {
      const rows = await db
        .selectFrom('provider_keys')
        .select(['id', 'provider', 'label', 'tags', 'weight', 'models', 'encrypted_value as sealed'])
        .select(['created_at as createdAt', 'is_seat'])
        .where('tenant_id', '=', tenant)
        .orderBy('id')
        .execute()
      return rows.map(({ is_seat, ...row }) => ({
        ...row,
        isSeat: is_seat !== 0,
        tags: JSON.parse(row.tags) as string[],
        models: row.models === null ? null : (JSON.parse(row.models) as string[]),
      }))
    },
    nextId: () => dialect.nextId(db, 'provider_keys'),
    async insert({ id, provider, label, tags, weight, models, isSeat, sealed, createdAt }) {
      await db
        .insertInto('provider_keys')
        .values({
          tenant_id: tenant,
          id,
          provider,
          label,
          tags: JSON.stringify(tags),
          weight,
          models: models && JSON.stringify(models),
          is_seat: isSeat ? 1 : 0,
          encrypted_value: sealed,
          created_at: createdAt,
        })
        .execute()
    },
    async setSealed(id, sealed) {
      await db
        .updateTable('provider_keys')
        .set({ encrypted_value: sealed })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
    async remove(id) {
      await db.deleteFrom('provider_keys').where('tenant_id', '=', tenant).where('id', '=', id).execute()
    },
  }
}
