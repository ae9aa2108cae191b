import type { AuditLog } from '../../audit/index.ts'
import { openIndex, type RegistryIndex, timeProblem } from '../../contracts/registry/index.ts'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  type ReadTx,
  type Storage,
  sha256Hex,
  type UnixMs,
} from '../../kernel/index.ts'
import { isReservedSkillId } from '../names/index.ts'
import type { Registry } from './ports.ts'
import type { RegistrySource } from './registry-source.ts'

/** An index is looked for anew once it is as old as this. */
const STALE_MS = 3_600_000
/** Whoever asks, a registry that does not answer is asked again no sooner. */
const RETRY_MS = 60_000
const FETCH_MS = 15_000

/** A registry with its index, and why that is good for nothing; null where it is good. */
export interface KnownIndex {
  readonly registry: Registry
  readonly index: RegistryIndex | null
  readonly problem: string | null
}

export interface IndexesDeps {
  readonly storage: Storage
  readonly audit: AuditLog
  readonly clock: Clock
  readonly source: RegistrySource
}

/** The indexes of the registries that the owner added, the newest of each kept as a row, so that it is there without a network. */
export interface Indexes {
  /** Reads what is behind an address; nothing is kept. Throws `registry_refused` for what is no good index. */
  read(address: string): Promise<{ readonly index: RegistryIndex; readonly text: string }>
  /** As they are kept. */
  kept(tx: ReadTx): Promise<readonly KnownIndex[]>
  /** Looks for newer ones of those that are an hour old; one that does not answer, or answers wrongly, stays as it is kept. */
  freshen(): Promise<void>
  /** Now; throws `not_found`, and why it is not taken. */
  refresh(name: string, actor: Actor): Promise<KnownIndex>
}

/** What of an index its row tells. */
export const indexFacts = (index: RegistryIndex, text: string, fetchedAt: UnixMs) => ({
  sequence: index.sequence,
  indexHash: sha256Hex(text),
  expiresAt: Date.parse(index.expires_at) as UnixMs,
  fetchedAt,
})

export function createIndexes({ storage, audit, clock, source }: IndexesDeps): Indexes {
  /** Opened once: checking the signature of a large one takes milliseconds. By name. */
  const opened = new Map<string, { readonly hash: string; readonly index: RegistryIndex | null }>()
  const triedAt = new Map<string, UnixMs>()
  const underWay = new Map<string, Promise<void>>()

  const read: Indexes['read'] = async (address) => {
    const text = await source.readIndex(address, AbortSignal.timeout(FETCH_MS))
    const index = openIndex(text)
    const problem = 'problem' in index ? index.problem : timeProblem(index, clock.now())
    if ('problem' in index || problem !== null) throw refused(`The index ${problem}.`)
    if (isReservedSkillId(index.name))
      throw refused(`The index calls itself ${index.name}, which reads like the daemon itself.`)
    return { index, text }
  }

  const take = async (registry: Registry, actor: Actor): Promise<void> => {
    const { name } = registry
    triedAt.set(name, clock.now())
    try {
      const { index, text } = await read(registry.url)
      await storage.transaction(async (tx) => {
        const row = (await tx.skills.registries()).find((one) => one.name === name)
        // It was removed, or added anew from elsewhere, meanwhile.
        if (row === undefined || row.url !== registry.url) return
        const facts = indexFacts(index, text, clock.now())
        assertSuccessor(row, index, facts.indexHash)
        await tx.skills.updateIndex({ ...row, ...facts }, text)
        if (facts.sequence === row.sequence) return
        const data = { name, sequence: index.sequence, skills: index.skills.length, sha256: facts.indexHash }
        await audit.append(tx, 'registry.refreshed', actor, null, data)
      })
    } catch (error) {
      if (error instanceof AppError && error.code === 'registry_refused') {
        const data = { name, problem: error.message }
        await storage.transaction((tx) => audit.append(tx, 'registry.refused', actor, null, data))
      }
      throw error
    }
  }

  /** One at a time, which whoever asks meanwhile waits for. */
  const refreshed = (registry: Registry, actor: Actor): Promise<void> => {
    const before = underWay.get(registry.name)
    if (before !== undefined) return before
    const now = take(registry, actor).finally(() => underWay.delete(registry.name))
    underWay.set(registry.name, now)
    return now
  }

  const indexOf = async (tx: ReadTx, { name, indexHash, key }: Registry): Promise<RegistryIndex | null> => {
    const held = opened.get(name)
    if (held?.hash === indexHash) return held.index
    const text = await tx.skills.indexText(name)
    const index = text === undefined || sha256Hex(text) !== indexHash ? undefined : openIndex(text)
    const good = index === undefined || 'problem' in index || index.key !== key ? null : index
    opened.set(name, { hash: indexHash, index: good })
    return good
  }

  const knownOf = async (tx: ReadTx, registry: Registry): Promise<KnownIndex> => {
    const index = await indexOf(tx, registry)
    return { registry, index, problem: index === null ? 'cannot be read' : timeProblem(index, clock.now()) }
  }

  return {
    read,
    async kept(tx) {
      const known: KnownIndex[] = []
      for (const registry of await tx.skills.registries()) known.push(await knownOf(tx, registry))
      return known
    },
    async freshen() {
      const now = clock.now()
      const stale = (await storage.read((tx) => tx.skills.registries())).filter(
        ({ name, fetchedAt }) => now - fetchedAt >= STALE_MS && now - (triedAt.get(name) ?? 0) >= RETRY_MS,
      )
      // Each failure is told in the audit or by the index that runs out.
      await Promise.allSettled(stale.map((registry) => refreshed(registry, 'daemon')))
    },
    async refresh(name, actor) {
      await refreshed(await storage.read((tx) => registryNamed(tx, name)), actor)
      return await storage.read(async (tx) => knownOf(tx, await registryNamed(tx, name)))
    },
  }
}

/** Throws `not_found`. */
export async function registryNamed(tx: ReadTx, name: string): Promise<Registry> {
  const found = (await tx.skills.registries()).find((registry) => registry.name === name)
  if (found === undefined) throw new AppError('not_found', `No registry named ${name}.`)
  return found
}

/** Against rollback of a registry: what may follow the index that is kept is of the same registry, and newer, or the very same. */
function assertSuccessor(row: Registry, index: RegistryIndex, hash: string): void {
  if (index.key !== row.key) {
    throw refused(
      `The index is signed by ${index.key}, and not by ${row.key}, which was confirmed; if that is right, remove the registry and add it again.`,
    )
  }
  if (index.name !== row.name) throw refused(`The index calls itself ${index.name}, and not ${row.name}.`)
  if (index.sequence < row.sequence)
    throw refused(`The index is number ${index.sequence}, older than number ${row.sequence}, which was seen.`)
  if (index.sequence === row.sequence && hash !== row.indexHash)
    throw refused(`The index is another than the one that was number ${index.sequence} before.`)
}

export const refused = (message: string): AppError => new AppError('registry_refused', message)
