import type { ReadTx, Storage } from '../../kernel/index.ts'
import type { QuotaWhat } from './ports.ts'

/** What the owner of the host lets a tenant have; what is not said for it is as for all. */
interface Quota {
  /** Long-running sandboxes, in whichever state they are. */
  readonly machines: number
  /** Of all of them together, in MiB. */
  readonly memoryMib: number
}

/** Of the whole installation: how many tenants there may be by sign-up, the default one not counted. */
const DEFAULTS: Readonly<Record<QuotaWhat, number>> = { tenants: 50, machines: 1, memory_mib: 2_048 }

type StoredQuotas = ReadonlyMap<QuotaWhat, number>

export const readQuotas = (tx: ReadTx): Promise<StoredQuotas> => tx.quotas.list()

/** `own`: of the tenant; `all`: of the tenant `default`, which holds for all. */
export const quotaOf = (own: StoredQuotas, all: StoredQuotas): Quota => {
  const of = (what: QuotaWhat): number => own.get(what) ?? all.get(what) ?? DEFAULTS[what]
  return { machines: of('machines'), memoryMib: of('memory_mib') }
}

/** `installation`: the storage of the tenant `default`. */
export const maxTenants = async (installation: Pick<Storage, 'read'>): Promise<number> =>
  (await installation.read(readQuotas)).get('tenants') ?? DEFAULTS.tenants
