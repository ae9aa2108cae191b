import { createPrivateKey, type KeyObject } from 'node:crypto'
import {
  keyOf,
  type RegistryIndex,
  type SkillEntry,
  signEntry,
  signIndex,
  type UnsignedEntry,
  type UnsignedIndex,
} from '../../src/contracts/registry/index.ts'
import { sha256Hex } from '../../src/kernel/index.ts'

/** DER of an Ed25519 private key (RFC 8410), up to the 32 bytes of its seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

export const keyOfSeed = (seed: string): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, Buffer.from(seed, 'hex')]),
    format: 'der',
    type: 'pkcs8',
  })

/** Of the sample in `proxy/test/registry`, and of others who would like to be them. */
export const PUBLISHER = keyOfSeed('01'.repeat(32))
export const REGISTRY = keyOfSeed('02'.repeat(32))
export const STRANGER = keyOfSeed('03'.repeat(32))

export const CODE = 'console.log("report")\n'

export function entry(change: Partial<UnsignedEntry> = {}, code = CODE, key = PUBLISHER): SkillEntry {
  return signEntry(
    {
      name: 'charge-report',
      version: '1.0.0',
      sha256: sha256Hex(code),
      bytes: Buffer.byteLength(code),
      url: 'skills/charge-report.js',
      description: 'Counts the charges of a day.',
      secrets: [],
      network: [],
      publisher: keyOf(key),
      ...change,
    },
    key,
  )
}

/** Good for thirty days from `now`. */
export function index(
  skills: readonly SkillEntry[],
  change: Partial<UnsignedIndex> & { readonly now?: number } = {},
  key = REGISTRY,
): RegistryIndex {
  const { now = Date.now(), ...rest } = change
  const end = new Date(now + 30 * 24 * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
  return signIndex(
    { v: 1, name: 'acme', key: keyOf(key), sequence: 1, expires_at: end, skills: [...skills], ...rest },
    key,
  )
}

export const indexText = (...args: Parameters<typeof index>): string =>
  JSON.stringify(index(...args), null, 2)
