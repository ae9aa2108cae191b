import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import {
  type Argon2Parameters,
  deriveFromPassphrase,
  newArgon2Parameters,
  newKeyBytes,
  nextKeyPath,
  promoteNextKey,
  readKeyFile,
  writeKeyFile,
} from './adapters/crypto/index.ts'
import type { MetaStore } from './adapters/storage/index.ts'
import type { Config } from './config/index.ts'
import {
  type Cipher,
  createDataKeyring,
  type DataKeyRepository,
  type DataKeyring,
} from './domain/vault/index.ts'
import { AppError, type Clock, SecretValue } from './kernel/index.ts'

/**
 * The master key from its file or passphrase, and its replacement while the daemon runs. A rotation wraps the
 * data keys under `<file>.next` in one transaction and then puts that file in the old one's place; whichever
 * of the two opens the database after a crash is the right one.
 */
export interface MasterKeys {
  readonly keyring: DataKeyring
  /** Inside no transaction of the caller; `transact` makes its own. */
  rotate(transact: (work: () => void) => void): Promise<void>
}

export async function openMasterKeys(deps: {
  readonly source: Config['masterKey']
  readonly meta: MetaStore
  readonly dataKeys: DataKeyRepository
  readonly cipher: Cipher
  readonly clock: Clock
}): Promise<MasterKeys> {
  const { source, meta, dataKeys } = deps
  const next = nextKeyPath(source.path)
  const isNew = dataKeys.list().length === 0
  if (isNew && meta.get('audit_key') !== undefined) {
    throw new AppError(
      'locked',
      'The data keys are gone from a database that was in use; restore it from your backup.',
    )
  }
  const open = (masterKey: Uint8Array): DataKeyring =>
    createDataKeyring({ repository: dataKeys, cipher: deps.cipher, clock: deps.clock, masterKey })
  const read = async (path: string): Promise<Uint8Array> => {
    if (source.kind === 'file') return readKeyFile(path, isNew)
    return deriveFromPassphrase(path, kdfParameters(meta, isNew))
  }

  let keyring: DataKeyring
  try {
    keyring = open(await read(source.path))
    if (source.kind === 'file') rmSync(next, { force: true })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'locked' || !existsSync(next)) throw error
    try {
      keyring = open(await read(next))
    } catch {
      throw error
    }
    promoteNextKey(source.path)
  }

  return {
    keyring,
    async rotate(transact) {
      let parameters: Argon2Parameters | undefined
      let key: Uint8Array
      if (source.kind === 'file') {
        key = newKeyBytes()
        rmSync(next, { force: true })
        writeKeyFile(next, key)
      } else {
        if (!existsSync(next)) {
          throw new AppError('invalid_request', `Put the new passphrase into ${next} (mode 0600) first.`)
        }
        parameters = newArgon2Parameters()
        key = await deriveFromPassphrase(next, parameters)
      }
      let commit: (() => void) | undefined
      transact(() => {
        commit = keyring.rewrap(key)
        if (parameters) meta.set('kdf', JSON.stringify(parameters))
      })
      commit?.()
      promoteNextKey(source.path)
    },
  }
}

/**
 * The master key that opens a database which is in use, from its file or passphrase, or from what a rotation has put beside it.
 * Reads only. AppError `locked` where none does.
 */
export async function findMasterKey(deps: {
  readonly source: Config['masterKey']
  readonly meta: MetaStore
  readonly dataKeys: DataKeyRepository
  readonly cipher: Cipher
  readonly clock: Clock
}): Promise<Uint8Array> {
  const { source, meta, dataKeys } = deps
  if (dataKeys.list().length === 0)
    throw new AppError('locked', 'The database has no key yet; start the daemon with it once.')
  const tried: unknown[] = []
  for (const path of [source.path, nextKeyPath(source.path), source.path]) {
    if (path !== source.path && !existsSync(path)) continue
    try {
      const masterKey =
        source.kind === 'file'
          ? readKeyFile(path, false)
          : await deriveFromPassphrase(path, kdfParameters(meta, false))
      createDataKeyring({ repository: dataKeys, cipher: deps.cipher, clock: deps.clock, masterKey })
      return masterKey
    } catch (error) {
      tried.push(error)
    }
  }
  throw tried[0]
}

/**
 * The audit's own key, sealed like a secret, so that it stays the same when other keys are rotated. Made once: a
 * database that was in use and has none was tampered with, and a new key would vouch for whatever it holds now.
 */
export function openAuditKey(deps: {
  readonly meta: MetaStore
  readonly keyring: DataKeyring
  readonly inUse: boolean
}): Uint8Array {
  const { meta, keyring } = deps
  let sealed = meta.get('audit_key')
  if (sealed === undefined) {
    if (deps.inUse)
      throw new AppError('locked', 'The audit key is gone from the database; restore it from your backup.')
    sealed = keyring.seal('for:audit-key', new SecretValue(randomBytes(32).toString('hex')))
    meta.set('audit_key', sealed)
  }
  return Buffer.from(keyring.open('for:audit-key', sealed).open(), 'hex')
}

function kdfParameters(meta: MetaStore, isNew: boolean): Argon2Parameters {
  const stored = meta.get('kdf')
  if (stored !== undefined) return JSON.parse(stored) as Argon2Parameters
  if (!isNew) throw new AppError('locked', 'This database was made with a key file, not with a passphrase.')
  const parameters = newArgon2Parameters()
  meta.set('kdf', JSON.stringify(parameters))
  return parameters
}
