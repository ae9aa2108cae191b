import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import {
  canonicalJson,
  formatHostPattern,
  hasHiddenCharacters,
  isReservedName,
  MAX_NAMED,
  parseHostPattern,
  SECRET_NAME,
} from '../../kernel/index.ts'
import { keyOf, REGISTRY_KEY, sign, verifies } from './keys.ts'

/**
 * The index of a skill registry, as `docs/registry.md` describes it byte for byte. A publisher signs each entry, the registry the
 * whole. Prefixes keep a signature of one kind from being shown as one of another (domain separation).
 */
const ENTRY_PREFIX = 'oauth3-skill-entry v1\n'
const INDEX_PREFIX = 'oauth3-skill-index v1\n'

const MAX_INDEX_BYTES = 1_048_576
const MAX_CODE_BYTES = 1_048_576
const MAX_SKILLS = 2_000
const MAX_VALID_MS = 366 * 24 * 3_600_000

const NAME = '[a-z0-9]+(?:[._-][a-z0-9]+)*'
const NUMBER = '(?:0|[1-9][0-9]{0,8})'
const VERSION = `${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-[0-9a-z]+(?:[.-][0-9a-z]+)*)?`
const SKILL_NAME = new RegExp(`^(?=.{1,64}$)${NAME}$`)
/** Semantic Versioning 2.0.0 in small letters, without build metadata: equal versions have one text. */
export const SKILL_VERSION = new RegExp(`^(?=.{1,64}$)${VERSION}$`)
/** `name@version`, or `registry/name@version` where several registries have it. */
export const SKILL_REFERENCE = new RegExp(
  `^(?:(?<registry>(?=[^/]{1,64}/)${NAME})/)?(?<name>(?=[^@]{1,64}@)${NAME})@(?<version>(?=.{1,64}$)${VERSION})$`,
)

/** The same for schemas that are given away: without what other languages' expressions write otherwise. */
export const SKILL_REFERENCE_FORM = new RegExp(`^(?:${NAME}/)?${NAME}@${VERSION}$`)

/** What a skill is trusted and listed under. */
export const skillName = (reference: string): string =>
  SKILL_REFERENCE.exec(reference)?.groups?.name ?? reference

const key = z.string().regex(REGISTRY_KEY, 'a key is ed25519: and 43 characters of base64url')
const signature = z.string().regex(/^[A-Za-z0-9_-]{85}[AQgw]$/, 'a signature is 86 characters of base64url')
const name = z.string().regex(SKILL_NAME, 'a name is 1–64 of a–z 0–9, with single . _ - between')

const isCanonicalHost = (text: string): boolean => {
  const pattern = parseHostPattern(text)
  return !('problem' in pattern) && formatHostPattern(pattern) === text
}
const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) &&
  new Date(Date.parse(text) || 0).toISOString() === text.replace('Z', '.000Z')
const isSet = (items: readonly string[]): boolean => new Set(items).size === items.length
const lineOf = (limit: number) =>
  z
    .string()
    .max(limit)
    .refine((text) => text.isWellFormed() && !/[\t\n]/.test(text) && !hasHiddenCharacters(text), {
      message: 'one line of visible text',
    })

const unsignedEntry = z.strictObject({
  name,
  version: z
    .string()
    .regex(SKILL_VERSION, 'a version is MAJOR.MINOR.PATCH, with -pre.release in small letters'),
  /** Of the code's bytes, in small letters. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 hex digits in small letters'),
  bytes: z.int().min(1).max(MAX_CODE_BYTES),
  /** https, or relative to the index. */
  url: z.string().regex(/^[\x21-\x7e]{1,2048}$/, 'printable ASCII'),
  description: lineOf(500),
  secrets: z
    .array(
      z
        .string()
        .regex(SECRET_NAME, 'a secret name is 1–128 of A–Z a–z 0–9 _ and does not begin with a digit')
        .refine((text) => !isReservedName(text)),
    )
    .max(MAX_NAMED)
    .refine(isSet, 'each name once'),
  network: z
    .array(z.string().refine(isCanonicalHost, 'a host pattern in its canonical form'))
    .max(MAX_NAMED)
    .refine(isSet, 'each host once'),
  publisher: key,
})
const entry = unsignedEntry.extend({ signature })

const unsignedIndex = z.strictObject({
  v: z.literal(1),
  name,
  key,
  /** Grows with each version of the index. */
  sequence: z.int().min(1),
  /** UTC, to the second. */
  expires_at: z.string().refine(isTime, 'a time is YYYY-MM-DDTHH:MM:SSZ'),
  skills: z
    .array(entry)
    .max(MAX_SKILLS)
    .refine((skills) => isSet(skills.map((one) => `${one.name}@${one.version}`)), {
      message: 'each name@version once',
    }),
})
const index = unsignedIndex.extend({ signature })

export type UnsignedEntry = z.infer<typeof unsignedEntry>
export type SkillEntry = z.infer<typeof entry>
export type UnsignedIndex = z.infer<typeof unsignedIndex>
export type RegistryIndex = z.infer<typeof index>

const entryMessage = ({ signature: _, ...rest }: UnsignedEntry & { signature?: string }): string =>
  ENTRY_PREFIX + canonicalJson(rest)
const indexMessage = ({ signature: _, ...rest }: UnsignedIndex & { signature?: string }): string =>
  INDEX_PREFIX + canonicalJson(rest)

/** Throws where the entry does not have the form, or names another publisher than the key. */
export function signEntry(draft: UnsignedEntry, privateKey: KeyObject): SkillEntry {
  const checked = unsignedEntry.parse(draft)
  if (checked.publisher !== keyOf(privateKey)) throw new TypeError('the entry names another publisher')
  return { ...checked, signature: sign(entryMessage(checked), privateKey) }
}

export function signIndex(draft: UnsignedIndex, privateKey: KeyObject): RegistryIndex {
  const checked = unsignedIndex.parse(draft)
  if (checked.key !== keyOf(privateKey)) throw new TypeError('the index names another key')
  return { ...checked, signature: sign(indexMessage(checked), privateKey) }
}

/** Whether its publisher signed this entry: name, version, hash of the code and all it says. */
export const verifiesEntry = (one: SkillEntry): boolean =>
  verifies(entryMessage(one), one.signature, one.publisher)

/** Completes "the index …". */
interface IndexProblem {
  readonly problem: string
}

/**
 * An index whose form and own signature hold. Whether its key is the one that the owner knows, and its sequence not older than one
 * seen, is for the caller. Signatures of entries are for when one is used: there may be thousands.
 */
export function openIndex(text: string): RegistryIndex | IndexProblem {
  if (Buffer.byteLength(text) > MAX_INDEX_BYTES) return { problem: `is larger than ${MAX_INDEX_BYTES} bytes` }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return { problem: 'is not JSON' }
  }
  const parsed = index.safeParse(raw)
  if (!parsed.success) {
    // Members of the form alone stand in a path, whatever else a text has.
    const where = parsed.error.issues[0]?.path.join('.')
    return { problem: `does not have the documented form${where ? `, at ${where}` : ''}` }
  }
  // What two parsers read differently was signed as neither.
  if (membersWritten(text) !== membersOf(parsed.data)) return { problem: 'names a member twice' }
  if (!verifies(indexMessage(parsed.data), parsed.data.signature, parsed.data.key)) {
    return { problem: 'does not bear a signature of its key' }
  }
  return parsed.data
}

/** Why the index is not good at the time `now`; null while it is. An index for ever would make a freeze attack of any copy. */
export function timeProblem({ expires_at }: Pick<RegistryIndex, 'expires_at'>, now: number): string | null {
  const end = Date.parse(expires_at)
  if (end <= now) return `expired at ${expires_at}`
  return end > now + MAX_VALID_MS ? 'says that it is good for longer than 366 days' : null
}

/** Members of objects in JSON text: outside of strings a colon stands in each, and nowhere else. */
function membersWritten(text: string): number {
  return text.replace(/"(?:[^"\\]|\\.)*"/gs, '""').split(':').length - 1
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inside = Object.values(value).reduce((sum: number, one) => sum + membersOf(one), 0)
  return Array.isArray(value) ? inside : inside + Object.keys(value).length
}
