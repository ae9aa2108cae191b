import type { AuditLog } from '../../audit/index.ts'
import { canonicalTags } from '../../identity/agents/index.ts'
import { AppError, type Clock, createMirror, type Storage, type Tx, type UnixMs } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'
import type { Providers } from '../providers/index.ts'
import { createCooldowns } from './cooldowns.ts'
import {
  assertKeyValue,
  assertKind,
  assertLabel,
  assertWeight,
  canonicalModels,
  coversModel,
} from './new-key.ts'
import type { KeyUse, NoKey, PickedKey, ProviderKey, ProviderKeys, StoredProviderKey } from './ports.ts'

/** A decrypted key stays in memory for so long at most. */
const KEPT_MS = 60_000

const MAX_COOLDOWN_MS = 60 * 60_000

/** Sealed for its provider and its kind too: a row that is moved to another one does not open. */
const purposeOf = ({ provider, id, isSeat }: Pick<ProviderKey, 'provider' | 'id' | 'isSeat'>): string =>
  `provider-${isSeat ? 'seat' : 'key'}:${provider}:${id}`

/** The vendors' keys: sealed in the vault, chosen by tags, model and weight, left alone while a vendor refuses them. */
export function createProviderKeys(deps: {
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
  readonly providers: Pick<Providers, 'find'>
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  /** The longest cooldown, whatever the vendor asks for. */
  readonly maxCooldownMs?: number
  /** From 0 to below 1; for tests. */
  readonly random?: () => number
}): ProviderKeys {
  const { vault, providers, audit, storage, clock, random = Math.random } = deps
  /** By provider, without what is sealed, which a rotation changes. */
  const rows = createMirror(async (tx) =>
    Map.groupBy((await tx.providerKeys.list()).map(withoutSealed), ({ provider }) => provider),
  )
  const opened = new Map<number, { readonly key: PickedKey; readonly until: UnixMs }>()
  /** Those that are being decrypted: whoever wants one meanwhile waits for the same. */
  const opening = new Map<number, Promise<PickedKey | undefined>>()
  const cooldowns = createCooldowns(deps.maxCooldownMs ?? MAX_COOLDOWN_MS)

  const dropCache = (): void => {
    opened.clear()
    opening.clear()
  }
  /** After the last write of a unit that adds or removes one. */
  const changed = async (tx: Tx): Promise<void> => {
    await rows.refresh(tx)
    tx.onCommit(dropCache)
  }

  /** Decrypts and says so in the audit, both or neither. */
  const openIn = async (tx: Tx, stored: StoredProviderKey): Promise<PickedKey> => {
    const { id, provider, label, isSeat, sealed } = stored
    const value = vault.openFor(purposeOf(stored), sealed)
    await audit.append(tx, 'provider.key_opened', 'daemon', null, { key_id: id, provider, label })
    return { id, label, isSeat, value }
  }
  const open = (id: number): Promise<PickedKey | undefined> =>
    storage.transaction(async (tx) => {
      const stored = (await tx.providerKeys.list()).find((candidate) => candidate.id === id)
      return stored && (await openIn(tx, stored))
    })
  const keep = (key: PickedKey): void => {
    const entry = { key, until: clock.now() + KEPT_MS }
    opened.set(key.id, entry)
    // Also when nobody asks again.
    setTimeout(() => {
      if (opened.get(key.id) === entry) opened.delete(key.id)
    }, KEPT_MS).unref()
  }
  /** Undefined when it was removed meanwhile. */
  const openKept = ({ id }: ProviderKey, now: UnixMs): PickedKey | Promise<PickedKey | undefined> => {
    const kept = opened.get(id)
    if (kept && kept.until > now && kept.until - now <= KEPT_MS) return kept.key
    const underWay = opening.get(id)
    if (underWay !== undefined) return underWay
    const begun = open(id).then((key) => {
      // Not what was to be forgotten while it was decrypted.
      if (key !== undefined && opening.get(id) === begun) keep(key)
      return key
    })
    opening.set(id, begun)
    const over = (): void => {
      if (opening.get(id) === begun) opening.delete(id)
    }
    begun.then(over, over)
    return begun
  }

  const usableFor = ({
    provider,
    model,
    models,
    tags,
    isSeat = false,
    only,
  }: Omit<Parameters<ProviderKeys['pick']>[0], 'agentId' | 'use'>): readonly ProviderKey[] =>
    (rows.value.get(provider) ?? []).filter(
      (key) =>
        key.isSeat === isSeat &&
        key.tags.every((tag) => tags.includes(tag)) &&
        coversModel(key.models, model) &&
        (key.models === null ||
          models === undefined ||
          models().every((one) => coversModel(key.models, one))) &&
        only?.(key.id) !== false,
    )

  /** Of those that it may use: by tags, then by weight; one in cooldown where its one try is left. */
  const chosen = (want: Parameters<ProviderKeys['pick']>[0], now: UnixMs): ProviderKey | NoKey => {
    const use = nameOf(want.use)
    const untilOf = ({ id }: ProviderKey): UnixMs | null => cooldowns.until(id, use, want.agentId, now)
    const usable = usableFor(want)
    if (usable.length === 0) return { refused: 'no_key' }
    const awake = usable.filter((key) => untilOf(key) === null)
    if (awake.length === 0) {
      const tried = usable.find(({ id }) => cooldowns.takeProbe(id, use, want.agentId, now))
      if (tried !== undefined) return tried
      const earliest = Math.min(...usable.map((key) => untilOf(key) ?? now))
      return {
        refused: 'keys_in_cooldown',
        retryAfterSeconds: Math.max(1, Math.ceil((earliest - now) / 1_000)),
      }
    }
    const [first] = awake
    if (first !== undefined && awake.length === 1) return first
    const most = Math.max(...awake.map((key) => key.tags.length))
    return drawn(
      awake.filter((key) => key.tags.length === most),
      random,
    )
  }

  return {
    load: rows.load,

    async add(tx, input, actor) {
      const found = providers.find(input.provider)
      if (!found) throw new AppError('invalid_request', `There is no provider ${input.provider}.`)
      if ('auth' in found && found.auth.kind === 'none') {
        throw new AppError('invalid_request', `${input.provider} takes no key.`)
      }
      assertKeyValue(input.value)
      if (input.label !== undefined) assertLabel(input.label)
      const weight = input.weight ?? 1
      assertWeight(weight)
      const tags = canonicalTags(input.tags ?? [])
      const models = canonicalModels(input.models ?? [])
      const isSeat = input.isSeat ?? false
      assertKind({ ...input, isSeat, tags }, 'seat' in found ? found.seat : undefined)
      const siblings = (await tx.providerKeys.list()).filter(({ provider }) => provider === input.provider)
      const id = await tx.providerKeys.nextId()
      const label = input.label ?? freeLabel(siblings, id)
      if (siblings.some((sibling) => sibling.label === label)) {
        throw new AppError('conflict', `${input.provider} has a key with the label ${label}.`)
      }
      for (const sibling of siblings) {
        if ((await openIn(tx, sibling)).value.open() !== input.value.open()) continue
        throw new AppError(
          'conflict',
          `${input.provider} has this key already, with the label ${sibling.label}.`,
        )
      }
      const stored: StoredProviderKey = {
        id,
        provider: input.provider,
        label,
        tags,
        weight,
        models,
        isSeat,
        createdAt: clock.now(),
        sealed: vault.sealFor(purposeOf({ provider: input.provider, id, isSeat }), input.value),
      }
      await tx.providerKeys.insert(stored)
      await audit.append(tx, 'provider.key_added', actor, null, {
        key_id: id,
        provider: stored.provider,
        label,
        tags,
        weight,
        models,
        ...(isSeat ? { seat: true } : {}),
      })
      await changed(tx)
      return withoutSealed(stored)
    },

    get revision() {
      return rows.revision
    },

    list(provider) {
      const now = clock.now()
      const keys = provider === undefined ? [...rows.value.values()].flat() : (rows.value.get(provider) ?? [])
      return keys.map((key) => ({ ...key, cooldown: cooldowns.of(key.id, now) }))
    },

    async remove(tx, id, actor) {
      const stored = (await tx.providerKeys.list()).find((candidate) => candidate.id === id)
      if (!stored) throw new AppError('not_found', `No key ${id}.`)
      await tx.providerKeys.remove(id)
      await audit.append(tx, 'provider.key_removed', actor, null, {
        key_id: id,
        provider: stored.provider,
        label: stored.label,
      })
      await changed(tx)
      tx.onCommit(() => cooldowns.forget(id))
      return withoutSealed(stored)
    },

    pick(want) {
      const now = clock.now()
      const key = chosen(want, now)
      if ('refused' in key) return key
      const found = openKept(key, now)
      return found instanceof Promise ? found.then((one) => one ?? { refused: 'no_key' as const }) : found
    },

    async openAll(tx, machine) {
      const stored = await tx.providerKeys.list()
      if (stored.length > 0)
        await audit.append(tx, 'provider.key_opened', 'daemon', null, {
          ...{ for: 'scrub', machine, keys: stored.length },
        })
      return stored.map((key) => ({
        ...withoutSealed(key),
        value: vault.openFor(purposeOf(key), key.sealed),
      }))
    },

    isThere: (want) => usableFor(want).length > 0,

    answered(id, agentId, use, answer) {
      // An answer may come when the key is gone.
      const isRefusal = answer.status >= 400
      if (isRefusal && ![...rows.value.values()].flat().some((key) => key.id === id)) return
      cooldowns.answered(id, nameOf(use), agentId, answer, clock.now())
    },

    dropCache,
  }
}

/** Names of models are the agent's to choose: of a longer one its beginning counts. */
const MAX_USE_LENGTH = 400
const nameOf = ({ endpoint, model }: KeyUse): string => `${endpoint} ${model}`.slice(0, MAX_USE_LENGTH)

/** On a rotation of the data key, in the vault's unit of work; for who has the store but not the keys. */
export async function resealProviderKeys(
  tx: Tx,
  reseal: (purpose: string, sealed: string) => string,
): Promise<void> {
  for (const key of await tx.providerKeys.list()) {
    await tx.providerKeys.setSealed(key.id, reseal(purposeOf(key), key.sealed))
  }
}

const withoutSealed = ({ sealed: _, ...key }: StoredProviderKey): ProviderKey => key

function freeLabel(siblings: readonly ProviderKey[], id: number): string {
  const taken = new Set(siblings.map(({ label }) => label))
  let label = `key-${id}`
  for (let next = 2; taken.has(label); next += 1) label = `key-${id}-${next}`
  return label
}

function drawn(keys: readonly ProviderKey[], random: () => number): ProviderKey {
  const [first, ...others] = keys
  if (!first) throw new Error('There is no key to draw from.')
  let left = random() * keys.reduce((sum, { weight }) => sum + weight, 0) - first.weight
  let chosen = first
  for (const key of others) {
    if (left < 0) break
    chosen = key
    left -= key.weight
  }
  return chosen
}
