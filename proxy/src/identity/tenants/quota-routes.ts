import type { AuditLog } from '../../audit/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { AppError, DEFAULT_TENANT, type Storage, type TenantId } from '../../kernel/index.ts'
import type { QuotaWhat } from './ports.ts'
import { maxTenants, type QuotaDefaults, quotaOf, readQuotas } from './quotas.ts'

/** What the owner of the host lets tenants have. */
export interface QuotaAdmin {
  /** Those that are served, the one named `default` first. */
  list(): readonly { readonly id: TenantId; readonly name: string; readonly storage: Storage }[]
  readonly defaults: QuotaDefaults
  /** Of the tenant `default`. */
  readonly audit: Pick<AuditLog, 'append'>
}

export function quotaRoutes({ quotas, owner }: { readonly quotas: QuotaAdmin; readonly owner: Owner }) {
  const view = async () => {
    const all = quotas.list()
    const installation = (all[0] as (typeof all)[number]).storage
    const forAll = await installation.read(readQuotas)
    const rows = await Promise.all(
      all.map(async ({ name, storage }) => {
        const own = await storage.read(readQuotas)
        const { machines, memoryMib } = quotaOf(own, forAll, quotas.defaults)
        return {
          ...{ name, machines, memory_mib: memoryMib },
          own: { machines: own.get('machines') ?? null, memory_mib: own.get('memory_mib') ?? null },
        }
      }),
    )
    return { tenants: await maxTenants(installation), rows }
  }
  return {
    readQuotas: view,
    async setQuota({ params: { name }, body }) {
      const all = quotas.list()
      const of = all.find((one) => one.name === name)
      if (of === undefined) throw new AppError('not_found', `There is no tenant ${name}.`)
      if (body.tenants !== undefined && of.id !== DEFAULT_TENANT)
        throw new AppError('invalid_request', 'tenants: how many may sign up is said for the tenant default.')
      const said = Object.entries(body) as [QuotaWhat, number | null][]
      await of.storage.transaction(async (tx) => {
        for (const [what, amount] of said) if (amount !== undefined) await tx.quotas.set(what, amount)
      })
      await all[0]?.storage.transaction((tx) =>
        quotas.audit.append(tx, 'quota.set', owner.actor, null, {
          tenant: of.id,
          name,
          ...Object.fromEntries(said),
        }),
      )
      return await view()
    },
  } satisfies Partial<AdminHandlers>
}
