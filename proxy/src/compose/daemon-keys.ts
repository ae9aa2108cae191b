import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import type { Config } from '../config/index.ts'
import {
  AppError,
  type Clock,
  createOneAtATime,
  SecretValue,
  type Storage,
  type TenantId,
  type Tx,
} from '../kernel/index.ts'
import { UnknownOutcome } from '../storage/index.ts'
import {
  type Argon2Parameters,
  deriveFromPassphrase,
  newArgon2Parameters,
  newKeyBytes,
  nextKeyPath,
  promoteNextKey,
  readKeyFile,
  writeKeyFile,
} from '../vault/crypto/index.ts'
import {
  type Cipher,
  createDataKeyring,
  type DataKeyRecord,
  type DataKeyring,
  unwrapDataKeys,
} from '../vault/index.ts'
import { createTenantKeyrings, type TenantKeyrings, UNSETTLED } from './daemon-tenant-keys.ts'

/**
 * The master key from its file or passphrase, and its replacement while the daemon runs. A rotation wraps the
 * data keys under `<file>.next` in one transaction and then puts that file in the old one's place; whichever
 * of the two opens the database after a crash is the right one.
 */
export interface MasterKeys {
  /** Of the tenant `default`. */
  readonly keyring: DataKeyring
  /** Of another tenant, loaded; a rotation wraps its data keys anew from here on, until it is dropped. */
  open(tenant: TenantId, storage: Storage): Promise<DataKeyring>
  drop(tenant: TenantId): void
  /** `beside` is what else belongs into the unit that wraps the data keys anew. */
  rotate(beside: (tx: Tx) => Promise<void>): Promise<void>
}

export async function openMasterKeys(deps: {
  readonly source: Config['masterKey']
  readonly storage: Storage
  readonly cipher: Cipher
  readonly clock: Clock
}): Promise<MasterKeys> {
  const { source, storage } = deps
  const next = nextKeyPath(source.path)
  const known = await storage.read(async (tx) => ({
    records: await tx.dataKeys.list(),
    auditKey: await tx.meta.get('audit_key'),
    kdf: await tx.meta.get('kdf'),
  }))
  const isNew = known.records.length === 0
  if (isNew && known.auditKey !== undefined) {
    throw new AppError(
      'locked',
      'The data keys are gone from a database that was in use; restore it from your backup.',
    )
  }
  let made: Argon2Parameters | undefined
  const read = (path: string): Promise<Uint8Array> | Uint8Array => {
    if (source.kind === 'file') return readKeyFile(path, isNew)
    if (isNew && known.kdf === undefined) made ??= newArgon2Parameters()
    return deriveFromPassphrase(path, made ?? kdfParameters(known.kdf))
  }
  let masterKey: Uint8Array
  const open = async (path: string): Promise<DataKeyring> => {
    masterKey = await read(path)
    const keyring = createDataKeyring({ cipher: deps.cipher, clock: deps.clock, masterKey })
    await storage.transaction(async (tx) => {
      await keyring.load(tx)
      if (made !== undefined) await tx.meta.set('kdf', JSON.stringify(made))
    })
    return keyring
  }

  let keyring: DataKeyring
  try {
    keyring = await open(source.path)
    if (source.kind === 'file') rmSync(next, { force: true })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'locked' || !existsSync(next)) throw error
    try {
      keyring = await open(next)
    } catch {
      throw error
    }
    promoteNextKey(source.path)
  }

  /** The new key may be the one in force: another rotation would put its own in the place of the file that holds it. */
  let isUnknown = false
  const others: TenantKeyrings = createTenantKeyrings({
    ...deps,
    masterKey: () => masterKey,
    installation: storage,
  })
  const rotateOnce = async (beside: (tx: Tx) => Promise<void>): Promise<void> => {
    if (isUnknown) throw new AppError('conflict', UNSETTLED)
    others.assertSettled()
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
    await others.rewrapAround(key, async () => {
      await storage
        .transaction(async (tx) => {
          await keyring.rewrap(tx, key)
          if (parameters) await tx.meta.set('kdf', JSON.stringify(parameters))
          await beside(tx)
        })
        .catch((error: unknown) => {
          isUnknown ||= error instanceof UnknownOutcome
          throw error
        })
      masterKey = key
      promoteNextKey(source.path)
    })
  }

  /** One at a time: another one would put its key in the place of the one that the data keys are being wrapped with. */
  const inTurn = createOneAtATime()
  return {
    keyring,
    open: others.open,
    drop: others.drop,
    rotate: (beside) => inTurn(() => rotateOnce(beside)),
  }
}

/**
 * The master key that opens a database which is in use, from its file or passphrase, or from what a rotation has put beside it.
 * AppError `locked` where none does.
 */
export async function findMasterKey(deps: {
  readonly source: Config['masterKey']
  /** As the database holds them. */
  readonly records: readonly DataKeyRecord[]
  readonly kdf: string | undefined
  readonly cipher: Cipher
}): Promise<Uint8Array> {
  const { source, records } = deps
  if (records.length === 0)
    throw new AppError('locked', 'The database has no key yet; start the daemon with it once.')
  const tried: unknown[] = []
  for (const path of [source.path, nextKeyPath(source.path), source.path]) {
    if (path !== source.path && !existsSync(path)) continue
    try {
      const masterKey =
        source.kind === 'file'
          ? readKeyFile(path, false)
          : await deriveFromPassphrase(path, kdfParameters(deps.kdf))
      unwrapDataKeys(deps.cipher, masterKey, records)
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
export async function openAuditKey(deps: {
  readonly storage: Storage
  readonly keyring: DataKeyring
  readonly inUse: boolean
}): Promise<Uint8Array> {
  const { storage, keyring } = deps
  const sealed = await storage.transaction(async (tx) => {
    const stored = await tx.meta.get('audit_key')
    if (stored !== undefined) return stored
    if (deps.inUse)
      throw new AppError('locked', 'The audit key is gone from the database; restore it from your backup.')
    const made = keyring.seal('for:audit-key', new SecretValue(randomBytes(32).toString('hex')))
    await tx.meta.set('audit_key', made)
    return made
  })
  return Buffer.from(keyring.open('for:audit-key', sealed).open(), 'hex')
}

function kdfParameters(stored: string | undefined): Argon2Parameters {
  if (stored !== undefined) return JSON.parse(stored) as Argon2Parameters
  throw new AppError('locked', 'This database was made with a key file, not with a passphrase.')
}
