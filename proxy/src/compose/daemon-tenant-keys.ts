import {
  AppError,
  type Clock,
  createOneAtATime,
  DEFAULT_TENANT,
  type Storage,
  type TenantId,
} from '../kernel/index.ts'
import { type Cipher, createDataKeyring, type DataKeyring } from '../vault/index.ts'

/** The keyrings of all tenants but the default one, and how they follow the master key. */
export interface TenantKeyrings {
  open(tenant: TenantId, storage: Storage): Promise<DataKeyring>
  drop(tenant: TenantId): void
  /** Throws `conflict` while it is not settled which master key an earlier rotation left in force; the next start settles it. */
  assertSettled(): void
  /**
   * Two-phase commit: copies for the new master key are staged with every tenant, `commit` puts it in force, and they take the
   * place of the old ones. No unit of work spans tenants; a crash anywhere in between leaves each tenant with a copy for
   * whichever master key counts. Throws `conflict` where a tenant's keys are not open: its copies would stay under a master key
   * that is gone.
   */
  rewrapAround(newMasterKey: Uint8Array, commit: () => Promise<void>): Promise<void>
}

export const UNSETTLED = 'An earlier replacement of the master key did not end; restart the daemon first.'

export function createTenantKeyrings(deps: {
  readonly cipher: Cipher
  readonly clock: Clock
  /** The one in force. */
  readonly masterKey: () => Uint8Array
  /** The default tenant's, which knows all others. */
  readonly installation: Pick<Storage, 'read'>
}): TenantKeyrings {
  const { masterKey, installation } = deps
  const opened = new Map<TenantId, { readonly keyring: DataKeyring; readonly storage: Storage }>()
  /** One after the other: a tenant that came in the middle would be left out. */
  const inTurn = createOneAtATime()
  const each = async (work: (one: { keyring: DataKeyring; storage: Storage }) => Promise<void>) => {
    for (const one of [...opened.values()]) await work(one)
  }

  return {
    open: (tenant, storage) =>
      inTurn(async () => {
        const keyring = createDataKeyring({ ...deps, masterKey: masterKey(), tenant })
        await storage.transaction((tx) => keyring.load(tx))
        opened.set(tenant, { keyring, storage })
        return keyring
      }),
    drop: (tenant) => void opened.delete(tenant),
    assertSettled() {
      // Copies for another key would take the place of those for the key that may be in force.
      if ([...opened.values()].some(({ keyring }) => keyring.isStaged))
        throw new AppError('conflict', UNSETTLED)
    },
    rewrapAround: (newMasterKey, commit) =>
      inTurn(async () => {
        const tenants = await installation.read((tx) => tx.tenants.list())
        const left = tenants.find(
          ({ id, removedAt }) => id !== DEFAULT_TENANT && removedAt === null && !opened.has(id),
        )
        if (left !== undefined) {
          const text = `The tenant ${left.name} cannot be served, and its keys would stay under the old master key`
          throw new AppError('conflict', `${text}: restart the daemon, or remove that tenant, first.`)
        }
        await each(({ keyring, storage }) => storage.transaction((tx) => keyring.stage(tx, newMasterKey)))
        // Where this fails, it may be on disk all the same: the copies stay for the next start to choose from.
        await commit()
        await each(({ keyring, storage }) => storage.transaction((tx) => keyring.rewrap(tx, newMasterKey)))
      }),
  }
}
