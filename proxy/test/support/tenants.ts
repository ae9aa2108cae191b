import { beforeEach } from 'vitest'
import type { ReadTx, Storage, Tx } from '../../src/kernel/index.ts'
import type { StoreKit } from './store-contract.ts'

/** One of the two tenants of a test, with the agents `agt_1` to `agt_3`. */
export interface Tenant {
  readonly id: string
  readonly storage: Storage
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T>
  /** Past the stores; `?` stands for the tenant's id. */
  rows(statement: string): Promise<readonly Record<string, unknown>[]>
}

const AGENTS = ['agt_1', 'agt_2', 'agt_3']

/** The first call in a test makes the one tenant, the second the other. */
export function tenantsOf(kit: StoreKit): () => Promise<Tenant> {
  let made = 0
  beforeEach(() => {
    made = 0
  })
  return async () => {
    made += 1
    if (made > 2) throw new Error('a test has two tenants')
    const [id, storage] = made === 1 ? [kit.me, kit.mine] : [kit.them, kit.theirs]
    const tenant: Tenant = {
      id,
      storage,
      write: (work) => storage.transaction(work),
      read: (work) => storage.read(work),
      rows: (statement) => kit.sql(statement.replaceAll('?', `'${id}'`)),
    }
    for (const agent of AGENTS) {
      await tenant.rows(`INSERT INTO agents (tenant_id, id, name, token_sha256, cidrs, tags, created_at)
        VALUES (?, '${idOf(tenant, agent)}', '${agent}', '${id}${agent}', '[]', '[]', 1)`)
    }
    return tenant
  }
}

/** Ids of agents, requests and asks are unique over all tenants: each has the tenant's behind it. */
export const idOf = ({ id }: Pick<Tenant, 'id'>, name: string): never => `${name}_${id}` as never
