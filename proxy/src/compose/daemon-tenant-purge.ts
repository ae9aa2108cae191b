import { setTimeout as delay } from 'node:timers/promises'
import type { TenantId } from '../kernel/index.ts'
import { destroyDataKeys } from '../vault/index.ts'
import type { Installation } from './compose-installation.ts'
import type { SharedMachines } from './compose-machine-host.ts'
import type { TenantParts } from './compose-tenant.ts'

/** What becomes of all that a removed tenant had: its keys first, so that nothing else of it can be read from then on. */
export interface TenantPurge extends AsyncDisposable {
  keysOf(id: TenantId): Promise<void>
  /** Keys, rows, files and its row among the tenants; resolves to whether all is gone. What is left goes at the next start. */
  everythingOf(id: TenantId): Promise<boolean>
}

const ROWS_A_UNIT = 500
/** Between two units whoever else waits has the database. */
const PAUSE_MS = 5

export function openPurge(
  deps: Pick<Installation, 'database' | 'onDefect'> & {
    /** The tenant `default`, which keeps the list. */
    readonly own: Pick<TenantParts, 'storage'>
    readonly machines: Pick<SharedMachines, 'purge'>
    /** Archives of its audit. */
    readonly removeFiles: (id: TenantId) => void
  },
): TenantPurge {
  const { database, own } = deps
  const ending = new AbortController()
  const underWay = new Set<Promise<boolean>>()

  const keysOf = (id: TenantId): Promise<void> => database.forTenant(id).transaction(destroyDataKeys)
  const rowsOf = async (id: TenantId): Promise<void> => {
    const storage = database.forTenant(id)
    while (await storage.transaction((tx) => tx.tenantRows.deleteSome(ROWS_A_UNIT), 'grouped'))
      await delay(PAUSE_MS, undefined, { signal: ending.signal })
  }
  const everythingOf = async (id: TenantId): Promise<boolean> => {
    try {
      await keysOf(id)
      await deps.machines.purge(id)
      await rowsOf(id)
      deps.removeFiles(id)
      await own.storage.transaction((tx) => tx.tenants.forget(id))
      return true
    } catch (error) {
      if (!ending.signal.aborted) deps.onDefect(error)
      return false
    }
  }

  return {
    keysOf,
    everythingOf(id) {
      const work = everythingOf(id).finally(() => underWay.delete(work))
      underWay.add(work)
      return work
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await Promise.all(underWay)
    },
  }
}
