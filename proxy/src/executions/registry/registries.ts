import type { SignedSource } from '../../approvals/consent/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import { REGISTRY_KEY, type RegistryIndex, skillName, verifiesEntry } from '../../contracts/registry/index.ts'
import type { Actor } from '../../identity/index.ts'
import { AppError, type Clock, type Storage, type Tx } from '../../kernel/index.ts'
import type { SkillFetcher } from '../code/index.ts'
import { byVersion, findListing, type Listing, listings } from './catalogue.ts'
import { createIndexes, indexFacts, type KnownIndex, refused, registryNamed } from './indexes.ts'
import type { SkillPin } from './ports.ts'
import { createRegistrySource } from './registry-source.ts'
import { createResolveSkill, type ResolveSkill } from './resolve-skill.ts'

export interface SkillRegistries {
  /** What is behind an address, for a person to confirm its key; nothing is kept. */
  look(url: string): Promise<{ readonly url: string; readonly index: RegistryIndex }>
  /** `key`: as the person confirmed it; an index of another is refused. */
  add(input: { readonly url: string; readonly key: string }, actor: Actor): Promise<KnownIndex>
  list(): Promise<readonly KnownIndex[]>
  remove(name: string, actor: Actor): Promise<void>
  refresh(name: string, actor: Actor): Promise<KnownIndex>
  /** Entries with each of the words in their name or description, whose publishers' signatures hold; newest versions first. */
  search(words: readonly string[]): Promise<readonly Found[]>
  /** Every version of a name, or the one of `name@version`. */
  show(reference: string): Promise<readonly Found[]>
  pins(): Promise<readonly SkillPin[]>
  /** Answers what it is pinned to from now on. */
  pin(reference: string, actor: Actor): Promise<SkillPin>
  unpin(reference: string, actor: Actor): Promise<void>
  readonly resolve: ResolveSkill
  /**
   * A person approved code under a signature: its key is the one expected of its name from now on, unless another was accepted since
   * the card was made, which said nothing of that. In the unit that decides.
   */
  accepted(tx: Tx, source: SignedSource, actor: Actor): Promise<void>
}

export interface Found extends Listing {
  readonly pin: SkillPin | null
  /** Whose signature was accepted last for this name; null: nobody's yet. */
  readonly acceptedPublisher: string | null
}

const MAX_REGISTRIES = 20
const MAX_FOUND = 50
/** Each takes part of a millisecond, also where none holds. */
const MAX_CHECKED = 200

export function createSkillRegistries(deps: {
  readonly storage: Storage
  readonly audit: AuditLog
  readonly clock: Clock
  readonly fetcher: SkillFetcher
}): SkillRegistries {
  const { storage, audit, clock } = deps
  const source = createRegistrySource(deps.fetcher)
  const indexes = createIndexes({ ...deps, source })

  const found = (pick: (listing: Listing) => boolean): Promise<readonly Found[]> =>
    storage.read(async (tx) => {
      const chosen = (await listings(tx, indexes)).filter(pick).toSorted(byListing)
      const pins = await tx.skills.pins()
      const rows: Found[] = []
      for (const listing of chosen.slice(0, MAX_CHECKED)) {
        if (rows.length === MAX_FOUND) break
        const { entry } = listing
        // One that its publisher did not sign is nobody's.
        if (!verifiesEntry(entry)) continue
        const pin = pins.find((one) => one.name === entry.name && one.version === entry.version) ?? null
        const acceptedPublisher = (await tx.skills.publisherOf(entry.name))?.key ?? null
        rows.push({ ...listing, pin, acceptedPublisher })
      }
      return rows
    })

  const accepted: SkillRegistries['accepted'] = async (tx, source, actor) => {
    const { skill, publisher: key, accepted_publisher: before } = source
    const name = skillName(skill)
    if (key === before || ((await tx.skills.publisherOf(name))?.key ?? null) !== before) return
    await tx.skills.accept({ name, key, acceptedAt: clock.now(), acceptedBy: actor })
    await audit.append(tx, 'skill.publisher_accepted', actor, null, { name, key, before })
  }

  return {
    async look(text) {
      const url = source.addressOf(text)
      return { url, index: (await indexes.read(url)).index }
    },

    async add({ url: text, key }, actor) {
      if (!REGISTRY_KEY.test(key))
        throw new AppError('invalid_request', 'The key of a registry is ed25519: and 43 characters.')
      const url = source.addressOf(text)
      const { index, text: indexText } = await indexes.read(url)
      if (index.key !== key) throw refused(`The index is signed by ${index.key}, and not by ${key}.`)
      const now = clock.now()
      return await storage.transaction(async (tx) => {
        const known = await tx.skills.registries()
        if (known.some(({ name }) => name === index.name))
          throw new AppError('conflict', `There is a registry named ${index.name}; remove it first.`)
        if (known.length >= MAX_REGISTRIES)
          throw new AppError('conflict', `There are ${MAX_REGISTRIES} registries; remove one first.`)
        const facts = indexFacts(index, indexText, now)
        const registry = { name: index.name, url, key, ...facts, addedAt: now, addedBy: actor }
        await tx.skills.insertRegistry(registry, indexText)
        const { name, sequence, skills } = index
        await audit.append(tx, 'registry.added', actor, null, {
          name,
          url,
          key,
          sequence,
          skills: skills.length,
        })
        return { registry, index, problem: null }
      })
    },

    list: () => storage.read((tx) => indexes.kept(tx)),

    async remove(name, actor) {
      await storage.transaction(async (tx) => {
        const { key } = await registryNamed(tx, name)
        await tx.skills.removeRegistry(name)
        await audit.append(tx, 'registry.removed', actor, null, { name, key })
      })
    },

    refresh: indexes.refresh,

    async search(words) {
      await indexes.freshen()
      const wanted = words.map((word) => word.toLowerCase())
      return await found(({ entry }) => {
        const text = `${entry.name}\n${entry.description.toLowerCase()}`
        return wanted.every((word) => text.includes(word))
      })
    },

    async show(reference) {
      await indexes.freshen()
      if (!reference.includes('@')) {
        const rows = await found(({ entry }) => entry.name === reference)
        if (rows.length === 0)
          throw new AppError('not_found', `No registry lists ${reference.slice(0, 100)}.`)
        return rows
      }
      const { entry, registry } = await storage.read((tx) => findListing(tx, indexes, reference))
      return await found((one) => one.entry === entry && one.registry.name === registry.name)
    },

    pins: () => storage.read((tx) => tx.skills.pins()),

    async pin(reference, actor) {
      await indexes.freshen()
      return await storage.transaction(async (tx) => {
        const { entry, registry } = await findListing(tx, indexes, reference)
        const { name, version, sha256, publisher } = entry
        const pin = { name, version, sha256, pinnedAt: clock.now(), pinnedBy: actor }
        await tx.skills.putPin(pin)
        const data = { name, version, sha256, registry: registry.name, publisher }
        await audit.append(tx, 'skill.pinned', actor, null, data)
        return pin
      })
    },

    async unpin(reference, actor) {
      await storage.transaction(async (tx) => {
        const pin = (await tx.skills.pins()).find((one) => `${one.name}@${one.version}` === reference)
        if (pin === undefined)
          throw new AppError('not_found', `Nothing is pinned as ${reference.slice(0, 150)}.`)
        await tx.skills.removePin(pin)
        const { name, version, sha256 } = pin
        await audit.append(tx, 'skill.unpinned', actor, null, { name, version, sha256 })
      })
    },

    resolve: createResolveSkill({ storage, indexes, source }),
    accepted,
  }
}

const byListing = (a: Listing, b: Listing): number =>
  a.entry.name < b.entry.name
    ? -1
    : a.entry.name > b.entry.name
      ? 1
      : byVersion(a.entry.version, b.entry.version)
