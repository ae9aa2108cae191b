import type { Storage, TenantId } from '../kernel/index.ts'
import type { Engine } from './engine.ts'
import type { Fence } from './lock/index.ts'
import type { LogSync } from './log-sync.ts'
import { SQLITE_MIGRATIONS } from './migrations/sqlite/index.ts'
import type { OutageListener } from './outage.ts'
import type { PostgresOptions } from './postgres/engine.ts'
import type { StoreFactories } from './queries.ts'
import { openSqlite } from './sqlite/engine.ts'
import type { SchemaProgress } from './sqlite/migrate.ts'
import { createUnitsOfWork } from './unit-of-work.ts'

export interface OpenStorageOptions {
  /** The file of SQLite, or the address of a PostgreSQL database (`postgres://…`). */
  readonly database:
    | {
        readonly path: string
        /** How long another process may hold the file, in ms. Default 5,000. */
        readonly busyMs?: number
        /** Another disk, for tests. */
        readonly log?: (path: string) => LogSync
      }
    | {
        readonly url: string
        /** Connections for units that write, and as many for units that read. Default 10. */
        readonly connections?: number
        /** Of the one daemon that works on it; left out where several processes may. */
        readonly fence?: Fence | undefined
      }
  readonly stores: StoreFactories
  /** What failed where nobody waits for it: a group that the disk does not take, a connection that broke while idle. */
  readonly onDefect: (error: unknown) => void
  /** While a database of SQLite is brought to the newest schema, during which this process answers nobody. */
  readonly onMigrating?: ((progress: SchemaProgress) => void) | undefined
  readonly onOutage?: OutageListener | undefined
  /** After so long a unit of work is undone, however little it does. Default 30 s. */
  readonly unitTimeoutMs?: number
}

export interface OpenStorage extends AsyncDisposable {
  readonly engine: 'sqlite' | 'postgres'
  /** What one tenant has: nothing of another is read or written through it. */
  forTenant(id: TenantId): Storage
  /** Of 4 KiB, that a checkpoint would copy into the file; 0 where nothing was written since the last call, and on PostgreSQL. */
  pagesInLog(): number
  /** Room for so many bytes in the write-ahead log, beforehand; nothing on PostgreSQL. */
  makeLogRoom(bytes: number): Promise<void>
  /** `listener` is called when the disk did not take a unit, once that is undone, before its caller hears of it. */
  whenFull(listener: () => void): void
}

const UNIT_TIMEOUT_MS = 30_000

/** A daemon on SQLite does without the client of PostgreSQL. */
async function openServer(options: Omit<PostgresOptions, 'migrations'>): Promise<Engine> {
  const [{ openPostgres }, { POSTGRES_MIGRATIONS }] = await Promise.all([
    import('./postgres/engine.ts'),
    import('./migrations/postgres/index.ts'),
  ])
  return await openPostgres({ ...options, migrations: POSTGRES_MIGRATIONS })
}

/** Opens the database, and brings it to the newest version. Throws `storage_unavailable`. */
export async function openStorage({
  database,
  stores,
  onDefect,
  onMigrating,
  onOutage,
  unitTimeoutMs: timeoutMs = UNIT_TIMEOUT_MS,
}: OpenStorageOptions): Promise<OpenStorage> {
  const engine: Engine =
    'path' in database
      ? openSqlite({ ...database, migrations: SQLITE_MIGRATIONS, onDefect, onMigrating })
      : await openServer({ ...database, onDefect, timeoutMs })
  const units = createUnitsOfWork({ engine, stores, onDefect, onOutage, timeoutMs })
  const close = async (): Promise<void> => {
    await units.close()
    await engine.close()
  }
  let closing: Promise<void> | undefined
  return {
    engine: engine.dialect.engine,
    forTenant: units.forTenant,
    pagesInLog: () => engine.pagesInLog(),
    makeLogRoom: async (bytes) => await engine.makeLogRoom?.(bytes),
    whenFull: units.whenFull,
    async [Symbol.asyncDispose]() {
      closing ??= close()
      await closing
    },
  }
}
