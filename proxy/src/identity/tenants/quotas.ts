import type { ReadTx, Storage } from '../../kernel/index.ts'
import type { QuotaWhat } from './ports.ts'

/** What the owner of the host lets a tenant have; what is not said for it is as for all. */
interface Quota {
  /** Long-running sandboxes, in whichever state they are. */
  readonly machines: number
  /** Of all of them together, in MiB. */
  readonly memoryMib: number
}

/** What holds where nothing is said. */
export interface QuotaDefaults {
  /** OAUTH3_HOST_MAX. */
  readonly maxAgents: number
  /** Of one machine: a tenant has memory for as many as it may have. */
  readonly agentMemoryBytes: number
}

/** Of the whole installation: how many there may be by sign-up, the default one not counted. */
const MAX_TENANTS = 50
const MIB = 1_048_576

type StoredQuotas = ReadonlyMap<QuotaWhat, number>

export const readQuotas = (tx: ReadTx): Promise<StoredQuotas> => tx.quotas.list()

/** `own`: of the tenant; `all`: of the tenant `default`, which holds for all. */
export function quotaOf(own: StoredQuotas, all: StoredQuotas, defaults: QuotaDefaults): Quota {
  const said = (what: QuotaWhat): number | undefined => own.get(what) ?? all.get(what)
  const machines = said('machines') ?? defaults.maxAgents
  const memoryMib = said('memory_mib') ?? Math.ceil((machines * defaults.agentMemoryBytes) / MIB)
  return { machines, memoryMib }
}

/** `installation`: the storage of the tenant `default`. */
export const maxTenants = async (installation: Pick<Storage, 'read'>): Promise<number> =>
  (await installation.read(readQuotas)).get('tenants') ?? MAX_TENANTS
