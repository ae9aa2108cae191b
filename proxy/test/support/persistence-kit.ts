/** Persistence of machines' files on a real database, over volumes in memory. */
import { createMachineFilesStore } from '../../src/hosting/persistence/machine-files-store.ts'
import {
  createPersistence,
  type Persistence,
  type PersistenceOptions,
} from '../../src/hosting/persistence/persistence.ts'
import { SecretValue, systemClock } from '../../src/kernel/index.ts'
import { createSodiumCipher } from '../../src/vault/crypto/index.ts'
import type { Vault } from '../../src/vault/index.ts'
import { engineKits, type TestDatabase } from './engines.ts'
import { createVolumes, type Volumes } from './machine-volumes.ts'

export const PLACE = { home: 'home', mount: '/state', owner: 65_532 }

export interface PersistenceKit extends AsyncDisposable {
  readonly database: TestDatabase
  readonly volumes: Volumes
  /** As after a restart of the daemon. */
  open(options: Partial<PersistenceOptions> & Pick<PersistenceOptions, 'objects'>): Promise<Persistence>
  readonly logged: string[]
}

/** Binds a value to its purpose, as the real one does, and hides nothing. */
export const openVault: Pick<Vault, 'sealFor' | 'openFor'> = {
  sealFor: (purpose, value) => JSON.stringify([purpose, value.open()]),
  openFor(purpose, sealed) {
    const [of, value] = JSON.parse(sealed) as [string, string]
    if (of !== purpose) throw new Error('sealed for something else')
    return new SecretValue(value)
  },
}

export async function createPersistenceKit(
  engine: 'sqlite' | 'postgres' = 'sqlite',
): Promise<PersistenceKit> {
  const database = await engineKits[engine].fresh({ stores: { machineFiles: createMachineFilesStore } })
  const cipher = await createSodiumCipher()
  const volumes = createVolumes()
  const logged: string[] = []
  return {
    database,
    volumes,
    logged,
    async open(options) {
      const persistence = createPersistence({
        files: volumes,
        place: PLACE,
        quota: { bytes: 64 * 1_048_576, files: 10_000 },
        cipher,
        clock: systemClock,
        log: (message, error) => void logged.push(`${message}: ${String(error)}`),
        ...options,
      })
      persistence.open({ storage: database.storage, vault: openVault })
      return persistence
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
