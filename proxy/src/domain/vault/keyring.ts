import { AppError, type Clock, SecretValue, type UnixMs } from '../../kernel/index.ts'

/** Authenticated encryption with a 32-byte key; adapters/crypto implements it with libsodium. */
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
  /** The data key under the master key, base64url of nonce ‖ ciphertext. */
  readonly wrapped: string
  readonly createdAt: UnixMs
}

export interface DataKeyRepository {
  list(): readonly DataKeyRecord[]
  insert(record: DataKeyRecord): void
  rewrap(id: number, wrapped: string): void
  remove(id: number): void
}

/**
 * Envelope encryption: values under a data key, the data key under the master key (key-encryption key).
 *
 * Envelope, version 1: `oa3v1.<data key id>.<base64url of nonce ‖ ciphertext>`; XChaCha20-Poly1305 with the
 * associated data `oauth3:v1:<data key id>:<context>`. Frozen vectors: test/vectors/envelope-v1.json. What was
 * sealed in a version opens in every later one.
 */
export interface DataKeyring {
  seal(context: string, value: SecretValue): string
  open(context: string, envelope: string): SecretValue
  /** Makes a new data key current; the returned function drops the older ones. Inside one transaction. */
  begin(): () => void
  /** Wraps every data key under a new master key, inside one transaction; call what it returns after the commit. */
  rewrap(newMasterKey: Uint8Array): () => void
}

const ENVELOPE = /^oa3v1\.([0-9]{1,10})\.([A-Za-z0-9_-]+)$/

export function createDataKeyring(deps: {
  readonly repository: DataKeyRepository
  readonly cipher: Cipher
  readonly masterKey: Uint8Array
  readonly clock: Clock
}): DataKeyring {
  const { repository, cipher, clock } = deps
  let masterKey = deps.masterKey
  const keys = new Map<number, Uint8Array>()

  const wrapContext = (id: number): string => `oauth3:v1:data-key:${id}`
  const unwrap = (record: DataKeyRecord): Uint8Array => {
    const key = cipher.open(masterKey, Buffer.from(record.wrapped, 'base64url'), wrapContext(record.id))
    if (!key)
      throw new AppError(
        'locked',
        'The master key does not open this database: wrong key file or passphrase.',
      )
    return key
  }
  const wrap = (under: Uint8Array, id: number, key: Uint8Array): string =>
    Buffer.from(cipher.seal(under, key, wrapContext(id))).toString('base64url')
  /** The map follows the table, so a transaction that was rolled back leaves no key behind. */
  const keyOf = (id: number): Uint8Array | undefined => {
    const record = repository.list().find((candidate) => candidate.id === id)
    if (!record) return undefined
    const key = keys.get(id) ?? unwrap(record)
    keys.set(id, key)
    return key
  }
  const currentId = (): number => Math.max(0, ...repository.list().map((record) => record.id))
  const addKey = (id: number): void => {
    keys.delete(id)
    repository.insert({ id, wrapped: wrap(masterKey, id, cipher.newKey()), createdAt: clock.now() })
  }

  for (const record of repository.list()) keys.set(record.id, unwrap(record))
  if (keys.size === 0) addKey(1)

  return {
    seal(context, value) {
      const id = currentId()
      const key = keyOf(id)
      if (!key) throw new AppError('locked', 'The vault has no data key.')
      const plaintext = Buffer.from(value.open(), 'utf8')
      const sealed = cipher.seal(key, plaintext, `oauth3:v1:${id}:${context}`)
      cipher.wipe(plaintext)
      return `oa3v1.${id}.${Buffer.from(sealed).toString('base64url')}`
    },

    open(context, envelope) {
      const parts = ENVELOPE.exec(envelope)
      const id = Number(parts?.[1])
      const key = parts ? keyOf(id) : undefined
      const plaintext =
        key && parts?.[2]
          ? cipher.open(key, Buffer.from(parts[2], 'base64url'), `oauth3:v1:${id}:${context}`)
          : undefined
      if (!plaintext)
        throw new AppError('locked', 'A stored value cannot be opened: it was altered or moved.')
      const value = new SecretValue(Buffer.from(plaintext).toString('utf8'))
      cipher.wipe(plaintext)
      return value
    },

    begin() {
      const older = repository.list().map((record) => record.id)
      addKey(Math.max(0, ...older) + 1)
      return () => {
        for (const id of older) repository.remove(id)
      }
    },

    rewrap(newMasterKey) {
      for (const { id } of repository.list()) {
        const key = keyOf(id)
        if (key) repository.rewrap(id, wrap(newMasterKey, id, key))
      }
      return () => {
        masterKey = newMasterKey
      }
    },
  }
}
