/** Contract suites of what is stored: the same tests on SQLite and on PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { DEFAULT_TENANT, type Storage, type TenantId } from '../../src/kernel/index.ts'
import {
  type OpenStorage,
  type OpenStorageOptions,
  openStorage,
  type StoreFactories,
} from '../../src/storage/index.ts'
import { withoutPostgres } from './postgres-binaries.ts'
import { freshDatabase } from './postgres-server.ts'
import { placeMigrated } from './sqlite-template.ts'

export interface OpenOptions extends Partial<Omit<OpenStorageOptions, 'stores' | 'database'>> {
  /** Only those that the suite is about. */
  readonly stores?: Partial<StoreFactories>
  /** Of the engine that it is for. */
  readonly sqlite?: Omit<Extract<OpenStorageOptions['database'], { path: string }>, 'path'>
  readonly postgres?: Omit<Extract<OpenStorageOptions['database'], { url: string }>, 'url'>
}

/** A database of its own; disposing it removes it. */
export interface TestDatabase extends AsyncDisposable {
  readonly opened: OpenStorage
  /** Of the tenant that an installation has. */
  readonly storage: Storage
  forTenant(id: string): Storage
  /** Opens the same database once more, as another node or a restart does. Disposed with it, if not before. */
  again(options?: OpenOptions): Promise<OpenStorage>
  /** Where it is: a path for SQLite, an address for PostgreSQL. */
  readonly where: string
  /** PostgreSQL: the address for who may do everything. */
  readonly adminUrl: string
}

export interface EngineKit {
  readonly engine: 'sqlite' | 'postgres'
  /** A new database at the newest version; with `isEmpty` one that has never been opened, which `opened` then migrates. */
  fresh(options?: OpenOptions & { isEmpty?: boolean }): Promise<TestDatabase>
}

async function place(engine: EngineKit['engine'], isEmpty: boolean) {
  if (engine === 'postgres') {
    const { url, adminUrl, drop } = await freshDatabase({ isEmpty })
    return { where: url, adminUrl, remove: drop }
  }
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-storage-'))
  const remove = async (): Promise<void> => rmSync(folder, { recursive: true, force: true })
  const where = join(folder, 'state', 'proxy.db')
  if (!isEmpty) placeMigrated(where)
  return { where, adminUrl: '', remove }
}

const kitOf = (engine: EngineKit['engine']): EngineKit => ({
  engine,
  async fresh({ isEmpty = false, ...options } = {}) {
    const { where, adminUrl, remove } = await place(engine, isEmpty)
    const all: OpenStorage[] = []
    const open = async ({
      stores = {},
      sqlite,
      postgres,
      onDefect,
      ...rest
    }: OpenOptions): Promise<OpenStorage> => {
      const opened = await openStorage({
        database: engine === 'sqlite' ? { ...sqlite, path: where } : { ...postgres, url: where },
        stores: stores as StoreFactories,
        onDefect: onDefect ?? ((error) => console.error('a defect of the storage:', error)),
        ...rest,
      })
      all.push(opened)
      return opened
    }
    try {
      const opened = await open(options)
      return {
        opened,
        storage: opened.forTenant(DEFAULT_TENANT),
        forTenant: (id) => opened.forTenant(id as TenantId),
        again: (others = {}) => open({ ...options, ...others }),
        where,
        adminUrl,
        async [Symbol.asyncDispose]() {
          for (const one of all) await one[Symbol.asyncDispose]()
          await remove()
        },
      }
    } catch (error) {
      await remove()
      throw error
    }
  },
})

export const engineKits = { sqlite: kitOf('sqlite'), postgres: kitOf('postgres') }

/** `describe` for each engine. Where there is no PostgreSQL its half is skipped, unless OAUTH3_REQUIRE_POSTGRES=1. */
export function describeEngines(name: string, suite: (kit: EngineKit) => void): void {
  describe(`${name} on sqlite`, () => suite(engineKits.sqlite))
  const reason = withoutPostgres()
  if (reason === undefined) describe(`${name} on postgres`, () => suite(engineKits.postgres))
  else describe.skip(`${name} on postgres (${reason})`, () => suite(engineKits.postgres))
}
