import { AppError, type Storage, type TenantId } from '../kernel/index.ts'
import type { Engine } from './engine.ts'
import type { StoreFactories } from './queries.ts'
import { createUnitsOfWork } from './unit-of-work.ts'

/** Where a database is. Plain values: it is told to other threads. */
export type DatabaseAddress = { readonly path: string } | { readonly url: string }

export interface OpenedToRead extends AsyncDisposable {
  forTenant(id: TenantId): Pick<Storage, 'read'>
}

/** Of a page of rows, on a connection that waits for nobody. */
const TIMEOUT_MS = 30_000

/** A connection of its own to a database that the daemon has open, for units that read. `stores`: those that are asked. */
export async function openToRead(
  database: DatabaseAddress,
  stores: Partial<StoreFactories>,
): Promise<OpenedToRead> {
  const onDefect = (): void => {
    // A connection that broke while idle: the next unit says so.
  }
  const readEngine =
    'path' in database
      ? (await import('./sqlite/engine.ts')).openSqliteReader(database.path)
      : (await import('./postgres/engine.ts')).openPostgresReader(database.url, TIMEOUT_MS, onDefect)
  const engine: Engine = {
    ...readEngine,
    // It holds no lock, and knows of no daemon that came later.
    beginWrite: () => Promise.reject(new AppError('internal', 'This connection only reads.')),
  }
  const units = createUnitsOfWork({
    ...{ engine, onDefect, onOutage: undefined },
    stores: stores as StoreFactories,
    timeoutMs: TIMEOUT_MS,
  })
  return {
    forTenant: units.forTenant,
    async [Symbol.asyncDispose]() {
      await units.close()
      await engine.close()
    },
  }
}
