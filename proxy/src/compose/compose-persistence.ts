import type Docker from 'dockerode'
import type { Config } from '../config/index.ts'
import {
  createEngineFiles,
  createPersistence,
  type FilesPlace,
  type FilesRef,
  openObjectStore,
  type Persistence,
} from '../hosting/persistence/index.ts'
import type { Clock } from '../kernel/index.ts'
import { createSodiumCipher } from '../vault/crypto/index.ts'

/** What a machine may have. Whoever has more stays on its host, and its owner is told. */
const QUOTA = { bytes: 8 * 1_073_741_824, files: 500_000 }

/** Files of machines beyond their hosts; dials nothing before the first of them sleeps. Throws `invalid_request` for an address that is none. */
export async function composePersistence(of: {
  readonly config: Pick<Config, 'objectStore'>
  readonly docker: Docker
  readonly containerOf: (ref: FilesRef) => string
  readonly place: FilesPlace
  readonly clock: Clock
  readonly log: (message: string, error?: unknown) => void
}): Promise<Persistence> {
  const { docker, containerOf, place, clock, log } = of
  const { url, keyId, secret } = of.config.objectStore
  return createPersistence({
    objects: openObjectStore({ url, keyId: keyId ?? undefined, secret: secret ?? undefined }),
    files: createEngineFiles({ docker, containerOf, mount: place.mount }),
    cipher: await createSodiumCipher(),
    quota: QUOTA,
    ...{ place, clock, log },
  })
}
