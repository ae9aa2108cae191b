import {
  AppError,
  type Clock,
  DEFAULT_TENANT,
  SecretValue,
  type TenantId,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'
import { type EnvelopeFormat, envelopeFormat, wrapAssociatedData } from './envelope-format.ts'

/** Authenticated encryption with a 32-byte key; vault/crypto implements it with libsodium. */
export interface Cipher {
  newKey(): Uint8Array
  /** Returns nonce ‖ ciphertext. */
  seal(key: Uint8Array, plaintext: Uint8Array, associatedData: string): Uint8Array
  /** Undefined when the key, the data or the associated data is not what was sealed. */
  open(key: Uint8Array, sealed: Uint8Array, associatedData: string): Uint8Array | undefined
  wipe(bytes: Uint8Array): void
}

export interface DataKeyRecord {
  readonly id: number
  /** The data key under the tenant's key-encryption key, base64url of nonce ‖ ciphertext. */
  readonly wrapped: string
  readonly createdAt: UnixMs
}

interface DataKeyReader {
  list(): Promise<readonly DataKeyRecord[]>
}

export interface DataKeyStore extends DataKeyReader {
  insert(record: DataKeyRecord): Promise<void>
  rewrap(id: number, wrapped: string): Promise<void>
  remove(id: number): Promise<void>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly dataKeys: StorePort<DataKeyReader, DataKeyStore>
  }
}

/**
 * Envelope encryption of one tenant: values under a data key, the data key under the tenant's key-encryption key, which comes from
 * the master key. `<version>.<data key id>.<base64url of nonce ‖ ciphertext>`, XChaCha20-Poly1305; what the versions are is told in
 * envelope-format.ts. What was sealed in a version opens in every later one.
 */
export interface DataKeyring {
  seal(context: string, value: SecretValue): string
  open(context: string, envelope: string): SecretValue
  /** The stored keys, unwrapped; the first one is made where there is none. Before anything else. Throws `locked`. */
  load(tx: Tx): Promise<void>
  /** A new data key: `seal` seals with it inside the unit, and everybody once it is committed. Throws `conflict` while another master key is staged. */
  begin(tx: Tx): Promise<KeyRotation>
  /**
   * Lays copies of the data keys, wrapped for a new master key, beside those that count: whichever of the two master keys is the
   * installation's at the next start opens one of them. Until `rewrap`, or that start.
   */
  stage(tx: Tx, newMasterKey: Uint8Array): Promise<void>
  /** Another master key is staged, and whether it is in force is not settled. */
  readonly isStaged: boolean
  /** Wraps every data key for a new master key, which counts once the unit is committed. */
  rewrap(tx: Tx, newMasterKey: Uint8Array): Promise<void>
}

interface KeyRotation {
  readonly seal: DataKeyring['seal']
  /** Drops the older keys: what is not sealed anew by now can never be opened again. */
  retire(): Promise<void>
}

const ENVELOPE = /^(oa3v[12])\.([0-9]{1,10})\.([A-Za-z0-9_-]+)$/
/** Where staged copies stand; '' for none. */
const STAGED = 'data_keys_staged'

export function createDataKeyring(deps: {
  readonly cipher: Cipher
  readonly masterKey: Uint8Array
  readonly clock: Clock
  /** Left out: the default one. */
  readonly tenant?: TenantId
}): DataKeyring {
  const { cipher, clock, tenant = DEFAULT_TENANT } = deps
  const format = envelopeFormat(tenant)
  let wrappingKey = format.keyEncryptionKey(deps.masterKey)
  let isStaged = false
  const keys = new Map<number, Uint8Array>()

  const wrap = (under: Uint8Array, id: number, key: Uint8Array): string =>
    Buffer.from(cipher.seal(under, key, wrapAssociatedData(format, id))).toString('base64url')
  const unwrap = (records: readonly Wrapped[]): ReadonlyMap<number, Uint8Array> =>
    unwrapWith(cipher, wrappingKey, records, format)
  /** Its key in memory follows the commit: a unit that is undone leaves none behind. */
  const addKey = async (tx: Tx, id: number): Promise<Uint8Array> => {
    const key = cipher.newKey()
    await tx.dataKeys.insert({ id, wrapped: wrap(wrappingKey, id, key), createdAt: clock.now() })
    tx.onCommit(() => keys.set(id, key))
    return key
  }
  const sealWith = (id: number, key: Uint8Array | undefined, context: string, value: SecretValue): string => {
    if (!key) throw new AppError('locked', 'The vault has no data key.')
    const plaintext = Buffer.from(value.open(), 'utf8')
    const sealed = cipher.seal(key, plaintext, format.associatedData(id, context))
    cipher.wipe(plaintext)
    return `${format.prefix}.${id}.${Buffer.from(sealed).toString('base64url')}`
  }
  const setStaged = async (tx: Tx, copies: readonly Wrapped[]): Promise<void> => {
    // The unit that wraps the default tenant's keys anew is the commit that the others wait for.
    if (tenant === DEFAULT_TENANT) return
    const stored = (await tx.meta.get(STAGED)) ?? ''
    const next = copies.length === 0 ? '' : JSON.stringify(copies)
    if (stored !== next) await tx.meta.set(STAGED, next)
    tx.onCommit(() => {
      isStaged = next !== ''
    })
  }
  /** A rotation of the master key that ended after its commit, and before these were wrapped anew. */
  const takeStaged = async (tx: Tx): Promise<ReadonlyMap<number, Uint8Array> | undefined> => {
    const stored = tenant === DEFAULT_TENANT ? '' : ((await tx.meta.get(STAGED)) ?? '')
    if (stored === '') return undefined
    const copies = JSON.parse(stored) as readonly Wrapped[]
    const opened = unwrap(copies)
    for (const { id, wrapped } of copies) await tx.dataKeys.rewrap(id, wrapped)
    return opened
  }

  return {
    get isStaged() {
      return isStaged
    },

    async load(tx) {
      const records = await tx.dataKeys.list()
      let opened: ReadonlyMap<number, Uint8Array>
      try {
        opened = unwrap(records)
      } catch (error) {
        const staged = await takeStaged(tx)
        if (staged === undefined) throw error
        opened = staged
      }
      await setStaged(tx, [])
      for (const [id, key] of opened) keys.set(id, key)
      if (records.length === 0) await addKey(tx, 1)
    },

    seal(context, value) {
      const id = Math.max(0, ...keys.keys())
      return sealWith(id, keys.get(id), context, value)
    },

    open(context, envelope) {
      const [, prefix, digits, sealed] = ENVELOPE.exec(envelope) ?? []
      const id = Number(digits)
      const key = prefix === format.prefix ? keys.get(id) : undefined
      const plaintext =
        key && sealed
          ? cipher.open(key, Buffer.from(sealed, 'base64url'), format.associatedData(id, context))
          : undefined
      if (!plaintext)
        throw new AppError('locked', 'A stored value cannot be opened: it was altered or moved.')
      const value = new SecretValue(Buffer.from(plaintext).toString('utf8'))
      cipher.wipe(plaintext)
      return value
    },

    async begin(tx) {
      // The staged copies would lack the new key.
      if (isStaged) throw new AppError('conflict', 'The master key is being replaced; try again afterwards.')
      const older = (await tx.dataKeys.list()).map((record) => record.id)
      const id = Math.max(0, ...older) + 1
      const key = await addKey(tx, id)
      return {
        seal: (context, value) => sealWith(id, key, context, value),
        async retire() {
          for (const old of older) await tx.dataKeys.remove(old)
          tx.onCommit(() => older.forEach((old) => void keys.delete(old)))
        },
      }
    },

    async stage(tx, newMasterKey) {
      const under = format.keyEncryptionKey(newMasterKey)
      const unwrapped = unwrap(await tx.dataKeys.list())
      await setStaged(
        tx,
        [...unwrapped].map(([id, key]) => ({ id, wrapped: wrap(under, id, key) })),
      )
    },

    async rewrap(tx, newMasterKey) {
      const under = format.keyEncryptionKey(newMasterKey)
      const unwrapped = unwrap(await tx.dataKeys.list())
      for (const [id, key] of unwrapped) await tx.dataKeys.rewrap(id, wrap(under, id, key))
      await setStaged(tx, [])
      tx.onCommit(() => {
        wrappingKey = under
      })
    },
  }
}

/** Crypto-shredding: nothing that they seal can be opened again, wherever a copy of it is left. */
export async function destroyDataKeys(tx: Tx): Promise<void> {
  for (const { id } of await tx.dataKeys.list()) await tx.dataKeys.remove(id)
  await tx.meta.set(STAGED, '')
}

type Wrapped = Pick<DataKeyRecord, 'id' | 'wrapped'>

/** Every data key, by its id. Throws `locked` where the master key is not the one that they were wrapped with. */
export const unwrapDataKeys = (
  cipher: Pick<Cipher, 'open'>,
  masterKey: Uint8Array,
  records: readonly Wrapped[],
  tenant: TenantId = DEFAULT_TENANT,
): ReadonlyMap<number, Uint8Array> => {
  const format = envelopeFormat(tenant)
  return unwrapWith(cipher, format.keyEncryptionKey(masterKey), records, format)
}

function unwrapWith(
  cipher: Pick<Cipher, 'open'>,
  wrappingKey: Uint8Array,
  records: readonly Wrapped[],
  format: EnvelopeFormat,
): ReadonlyMap<number, Uint8Array> {
  const keys = new Map<number, Uint8Array>()
  for (const { id, wrapped } of records) {
    const key = cipher.open(wrappingKey, Buffer.from(wrapped, 'base64url'), wrapAssociatedData(format, id))
    if (!key)
      throw new AppError(
        'locked',
        'The master key does not open this database: wrong key file or passphrase.',
      )
    keys.set(id, key)
  }
  return keys
}
