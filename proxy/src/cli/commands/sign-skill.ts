import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  keyOf,
  type RegistryIndex,
  type SkillEntry,
  signEntry,
  signIndex,
  type UnsignedEntry,
  type UnsignedIndex,
} from '../../contracts/registry/index.ts'
import { sha256Hex } from '../../kernel/index.ts'
import { usageError } from '../cli-error.ts'

/** What publishers and operators of registries sign, on their own machine: a private key goes to no daemon. */
export async function signSkillFile(
  file: string,
  keyFile: string,
  stated: Omit<UnsignedEntry, 'sha256' | 'bytes' | 'publisher'>,
): Promise<SkillEntry> {
  const [code, key] = await Promise.all([bytesOf(file), privateKeyOf(keyFile)])
  const draft = { ...stated, sha256: sha256Hex(code), bytes: code.byteLength, publisher: keyOf(key) }
  return signed(() => signEntry(draft, key))
}

export async function signIndexFile(file: string, keyFile: string): Promise<RegistryIndex> {
  const [text, key] = await Promise.all([bytesOf(file), privateKeyOf(keyFile)])
  let draft: Record<string, unknown> | null
  try {
    draft = JSON.parse(text.toString('utf8')) as typeof draft
  } catch {
    throw usageError(`${file} is not JSON.`)
  }
  const { signature: _, ...rest } = draft ?? {}
  return signed(() => signIndex({ ...rest, key: keyOf(key) } as UnsignedIndex, key))
}

function signed<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const [issue] = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues ?? []
    if (issue === undefined) throw error
    throw usageError(
      `It does not have the form of docs/registry.md: ${issue.path.join('.')}: ${issue.message}.`,
    )
  }
}

async function privateKeyOf(file: string): Promise<KeyObject> {
  const pem = await bytesOf(file)
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Said below: an error of the library may quote the key.
  }
  throw usageError(`${file} is no private Ed25519 key as PEM.`)
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`)
  }
}
