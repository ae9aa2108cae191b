import { SKILL_REFERENCE, type SkillEntry, verifiesEntry } from '../../contracts/registry/index.ts'
import { AppError, type ReadTx } from '../../kernel/index.ts'
import { type Indexes, refused } from './indexes.ts'
import type { Registry, SkillPin } from './ports.ts'

/** An entry and the registry that lists it. */
export interface Listing {
  readonly registry: Registry
  readonly entry: SkillEntry
}

interface SkillReference {
  readonly registry: string | null
  readonly name: string
  readonly version: string
}

/** `name@version` or `registry/name@version`; throws `invalid_request` for anything else. */
function parseSkillReference(text: string): SkillReference {
  const { name, version, registry = null } = SKILL_REFERENCE.exec(text)?.groups ?? {}
  if (name !== undefined && version !== undefined) return { registry, name, version }
  throw new AppError('invalid_request', `"${text.slice(0, 100)}" is no skill as name@version.`)
}

/** Every entry of every index that is good now. */
export async function listings(tx: ReadTx, indexes: Pick<Indexes, 'kept'>): Promise<readonly Listing[]> {
  return (await indexes.kept(tx)).flatMap(({ registry, index, problem }) =>
    index === null || problem !== null ? [] : index.skills.map((entry) => ({ registry, entry })),
  )
}

/**
 * The one entry that a reference means. Two registries that list other bytes or another publisher under one name and version leave
 * it unsaid which (dependency confusion): refused until the registry is named, or one is pinned. Throws `not_found`, `conflict` and
 * `registry_refused`.
 */
export async function findListing(
  tx: ReadTx,
  indexes: Pick<Indexes, 'kept'>,
  text: string,
): Promise<Listing & { readonly pin: SkillPin | null }> {
  const reference = parseSkillReference(text)
  const { name, version } = reference
  const known = (await indexes.kept(tx)).filter(
    ({ registry }) => reference.registry === null || registry.name === reference.registry,
  )
  const listed = known.flatMap(({ registry, index, problem }) => {
    const entry = index?.skills.find((one) => one.name === name && one.version === version)
    return entry === undefined ? [] : [{ registry, entry, problem }]
  })
  const good = listed.filter(({ problem }) => problem === null)
  const pin = (await tx.skills.pins()).find((one) => one.name === name && one.version === version) ?? null
  const pinned = pin === null ? good : good.filter(({ entry }) => entry.sha256 === pin.sha256)
  const [first] = pinned
  if (first !== undefined) {
    const others = pinned.filter(
      ({ entry }) => entry.sha256 !== first.entry.sha256 || entry.publisher !== first.entry.publisher,
    )
    if (others.length > 0) {
      const names = pinned.map(({ registry }) => `${registry.name}/${name}@${version}`)
      throw new AppError('conflict', `Several registries list ${name}@${version}: say ${names.join(' or ')}.`)
    }
    if (!verifiesEntry(first.entry))
      throw refused(
        `${name}@${version} in ${first.registry.name} does not bear a signature of its publisher.`,
      )
    return { registry: first.registry, entry: first.entry, pin }
  }
  if (good.length > 0 && pin !== null) {
    throw new AppError(
      'conflict',
      `${name}@${version} is pinned to ${pin.sha256}, and its registry lists other code under that name now.`,
    )
  }
  const [bad] = listed
  if (bad !== undefined) throw refused(`The index of ${bad.registry.name} ${bad.problem}.`)
  const broken = known.flatMap(({ registry, problem }) =>
    problem === null ? [] : [`${registry.name} ${problem}`],
  )
  const more = broken.length === 0 ? '' : ` The index of ${broken.join('; that of ')}.`
  throw new AppError('not_found', `No registry lists ${name}@${version}.${more}`)
}

/** Newest first by precedence of Semantic Versioning 2.0.0 (§ 11). */
export function byVersion(a: string, b: string): number {
  const [coreA = '', preA] = split(a)
  const [coreB = '', preB] = split(b)
  const core = compareLists(coreB.split('.'), coreA.split('.'))
  if (core !== 0) return core
  if (preA === undefined || preB === undefined) return Number(preA !== undefined) - Number(preB !== undefined)
  return compareLists(preB.split('.'), preA.split('.'))
}

function split(version: string): readonly [string, string?] {
  const at = version.indexOf('-')
  return at < 0 ? [version] : [version.slice(0, at), version.slice(at + 1)]
}

function compareLists(one: readonly string[], other: readonly string[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const [a, b] = [one[at], other[at]]
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1
    const [isA, isB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)]
    if (isA !== isB) return isA ? -1 : 1
    const order = isA ? Number(a) - Number(b) : a < b ? -1 : Number(a > b)
    if (order !== 0) return order
  }
  return 0
}
