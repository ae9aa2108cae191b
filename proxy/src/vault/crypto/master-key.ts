import { argon2, createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { AppError, openToOthers } from '../../kernel/index.ts'

const KEY_BYTES = 32

/** Argon2id parameters (RFC 9106, section 4, second recommendation: 64 MiB, 3 passes, 4 lanes). */
export interface Argon2Parameters {
  readonly saltHex: string
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

export const newArgon2Parameters = (): Argon2Parameters => ({
  saltHex: randomBytes(16).toString('hex'),
  memoryKib: 65_536,
  passes: 3,
  lanes: 4,
})

/**
 * Reads the master key file: 32 bytes, readable by its owner alone. Without one, and only when `mayCreate` (no
 * database yet needs it), a new key is made.
 */
export function readKeyFile(path: string, mayCreate: boolean): Uint8Array {
  if (!existsSync(path)) {
    if (!mayCreate)
      throw new AppError('locked', `The master key file ${path} is missing; restore it from your backup.`)
    writeKeyFile(path, randomBytes(KEY_BYTES))
  }
  assertPrivate(path)
  const key = readFileSync(path)
  if (key.length !== KEY_BYTES)
    throw new AppError('locked', `The master key file ${path} is not ${KEY_BYTES} bytes long.`)
  return key
}

/** Writes a key that is not there yet; whole and on disk, or not at all. */
export function writeKeyFile(path: string, key: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = keyDraftPath(path)
  // Left by a crash in the middle of this very step.
  rmSync(draft, { force: true })
  try {
    const file = openSync(draft, 'wx', 0o600)
    try {
      writeSync(file, key)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    linkSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(path)
}

/** The names in the folder are on disk too: a key that is needed after a power cut must be found. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/**
 * Names a master key without telling it: 128 bits of SHA-256 behind a label of its own. A key that a passphrase gave can be
 * guessed by it no faster than by the database that it opens.
 */
export const keyFingerprint = (key: Uint8Array): string =>
  createHash('sha256').update('oauth3 master key fingerprint v1\0').update(key).digest('hex').slice(0, 32)

/** What a key is written to before it has its name; a crash may leave it. */
export const keyDraftPath = (path: string): string => `${path}.draft`

/** The new key of a master-key rotation, until the database is wrapped under it. */
export const nextKeyPath = (path: string): string => `${path}.next`

export function newKeyBytes(): Uint8Array {
  return randomBytes(KEY_BYTES)
}

/** Puts the next key in the place of the old one. */
export function promoteNextKey(path: string): void {
  renameSync(nextKeyPath(path), path)
  syncFolder(path)
}

export async function deriveFromPassphrase(path: string, parameters: Argon2Parameters): Promise<Uint8Array> {
  if (!existsSync(path)) throw new AppError('locked', `The passphrase file ${path} is missing.`)
  assertPrivate(path)
  const passphrase = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  if (passphrase.length < 12)
    throw new AppError('locked', `The passphrase in ${path} has fewer than 12 characters.`)
  return await promisify(argon2)('argon2id', {
    message: Buffer.from(passphrase.normalize('NFC')),
    nonce: Buffer.from(parameters.saltHex, 'hex'),
    memory: parameters.memoryKib,
    passes: parameters.passes,
    parallelism: parameters.lanes,
    tagLength: KEY_BYTES,
  })
}

function assertPrivate(path: string): void {
  const problem = openToOthers(path, statSync(path).mode)
  if (problem !== undefined) throw new AppError('locked', problem)
}
