import type { Selectable } from 'kysely'
import type { AppId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import {
  type App,
  type AppLimits,
  type AppNetwork,
  type AppScope,
  type AppStore,
  NO_APP_LIMITS,
} from './ports.ts'

interface AppTable {
  tenant_id: TenantId
  id: AppId
  name: string
  token_sha256: string
  /** JSON, as the four below it. */
  cidrs: string
  scopes: string
  tools: string
  models: string | null
  /** JSON. */
  secrets: string | null
  network: AppNetwork
  /** JSON. */
  hosts: string
  /** JSON of `AppLimits`. */
  limits: string
  provider: string
  uses_seat: number
  keeps_prompts: number
  created_at: UnixMs
  revoked_at: UnixMs | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    apps: AppTable
  }
}

export function createAppStore({ db }: Queries, tenant: TenantId): AppStore {
  const apps = () => db.selectFrom('apps').selectAll().where('tenant_id', '=', tenant)
  return {
    async byName(name) {
      const row = await apps()
        .where('name', '=', name)
        .orderBy((of) => of('revoked_at', 'is not', null))
        .orderBy('created_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && fromRow(row)
    },
    async list() {
      return (await apps().orderBy('created_at').orderBy('id').execute()).map(fromRow)
    },
    async insert(app) {
      const { id, name, createdAt } = app
      await db
        .insertInto('apps')
        .values({ tenant_id: tenant, id, name, created_at: createdAt, ...changeable(app) })
        .execute()
    },
    async update(app) {
      await db
        .updateTable('apps')
        .set(changeable(app))
        .where('tenant_id', '=', tenant)
        .where('id', '=', app.id)
        .execute()
    },
  }
}

const changeable = (app: App) => ({
  token_sha256: app.tokenSha256,
  cidrs: JSON.stringify(app.cidrs),
  scopes: JSON.stringify(app.scopes),
  tools: JSON.stringify(app.tools),
  models: app.models && JSON.stringify(app.models),
  secrets: app.secrets && JSON.stringify(app.secrets),
  network: app.network,
  hosts: JSON.stringify(app.hosts),
  limits: JSON.stringify(app.limits),
  provider: app.provider,
  uses_seat: app.usesSeat ? 1 : 0,
  keeps_prompts: app.keepsPrompts ? 1 : 0,
  revoked_at: app.revokedAt,
})

const fromRow = (row: Selectable<AppTable>): App => ({
  id: row.id,
  name: row.name,
  tokenSha256: row.token_sha256,
  cidrs: JSON.parse(row.cidrs) as string[],
  scopes: JSON.parse(row.scopes) as AppScope[],
  tools: JSON.parse(row.tools) as string[],
  models: row.models === null ? null : (JSON.parse(row.models) as string[]),
  secrets: row.secrets === null ? null : (JSON.parse(row.secrets) as string[]),
  network: row.network,
  hosts: JSON.parse(row.hosts) as string[],
  // A limit that is newer than the row is none.
  limits: { ...NO_APP_LIMITS, ...(JSON.parse(row.limits) as Partial<AppLimits>) },
  provider: row.provider,
  usesSeat: row.uses_seat !== 0,
  keepsPrompts: row.keeps_prompts !== 0,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})
