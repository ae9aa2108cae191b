import { AppError, type Clock, type UnixMs } from '../../kernel/index.ts'
import { canonicalTags } from '../agents/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { Providers } from '../providers/index.ts'
import type { Vault } from '../vault/index.ts'
import { createCooldowns } from './cooldowns.ts'
import { assertKeyValue, assertLabel, assertWeight, canonicalModels, coversModel } from './new-key.ts'
import type {
  KeyUse,
  PickedKey,
  ProviderKey,
  ProviderKeyRepository,
  ProviderKeys,
  StoredProviderKey,
} from './ports.ts'

/** A decrypted key stays in memory for so long at most. */
const KEPT_MS = 60_000

const MAX_COOLDOWN_MS = 60 * 60_000

/** Sealed for its provider too: a row that is moved to another one does not open. */
const purposeOf = ({ provider, id }: Pick<ProviderKey, 'provider' | 'id'>): string =>
  `provider-key:${provider}:${id}`

/** The vendors' keys: sealed in the vault, chosen by tags, model and weight, left alone while a vendor refuses them. */
export function createProviderKeys(deps: {
  readonly repository: ProviderKeyRepository
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
  readonly providers: Pick<Providers, 'find'>
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  /** The longest cooldown, whatever the vendor asks for. */
  readonly maxCooldownMs?: number
  /** From 0 to below 1; for tests. */
  readonly random?: () => number
}): ProviderKeys {
  const { repository, vault, providers, audit, transactor, clock, random = Math.random } = deps
  /** Without what is sealed, which a rotation changes. */
  let byProvider: ReadonlyMap<string, readonly ProviderKey[]> | undefined
  const opened = new Map<number, { readonly key: PickedKey; readonly until: UnixMs }>()
  const cooldowns = createCooldowns(deps.maxCooldownMs ?? MAX_COOLDOWN_MS)

  const known = (): ReadonlyMap<string, readonly ProviderKey[]> => {
    byProvider ??= Map.groupBy(repository.list().map(withoutSealed), ({ provider }) => provider)
    return byProvider
  }
  let revision = 1
  const changing = <T>(work: () => T): T => {
    try {
      return transactor.transact(work)
    } finally {
      revision += 1
      byProvider = undefined
      opened.clear()
    }
  }

  /** Decrypts and says so in the audit, both or neither. */
  const open = ({ id, provider, label }: ProviderKey): PickedKey =>
    transactor.transact(() => {
      const stored = repository.list().find((candidate) => candidate.id === id)
      if (!stored) throw new AppError('not_found', `No key ${id}.`)
      const value = vault.openFor(purposeOf(stored), stored.sealed)
      audit.append('provider.key_opened', 'daemon', null, { key_id: id, provider, label })
      return { id, label, value }
    })
  const openKept = (key: ProviderKey, now: UnixMs): PickedKey => {
    const kept = opened.get(key.id)
    if (kept && kept.until > now && kept.until - now <= KEPT_MS) return kept.key
    const entry = { key: open(key), until: now + KEPT_MS }
    opened.set(key.id, entry)
    // Also when nobody asks again.
    setTimeout(() => {
      if (opened.get(key.id) === entry) opened.delete(key.id)
    }, KEPT_MS).unref()
    return entry.key
  }

  const usableFor = ({
    provider,
    model,
    models,
    tags,
    only,
  }: Omit<Parameters<ProviderKeys['pick']>[0], 'agentId' | 'use'>) =>
    (known().get(provider) ?? []).filter(
      (key) =>
        key.tags.every((tag) => tags.includes(tag)) &&
        coversModel(key.models, model) &&
        (key.models === null ||
          models === undefined ||
          models().every((one) => coversModel(key.models, one))) &&
        only?.(key.id) !== false,
    )

  return {
    add(input, actor) {
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
      return changing(() => {
        const siblings = repository.list().filter(({ provider }) => provider === input.provider)
        const id = repository.nextId()
        const label = input.label ?? freeLabel(siblings, id)
        if (siblings.some((sibling) => sibling.label === label)) {
          throw new AppError('conflict', `${input.provider} has a key with the label ${label}.`)
        }
        const duplicate = siblings.find((sibling) => open(sibling).value.open() === input.value.open())
        if (duplicate) {
          throw new AppError(
            'conflict',
            `${input.provider} has this key already, with the label ${duplicate.label}.`,
          )
        }
        const stored: StoredProviderKey = {
          id,
          provider: input.provider,
          label,
          tags,
          weight,
          models,
          createdAt: clock.now(),
          sealed: vault.sealFor(purposeOf({ provider: input.provider, id }), input.value),
        }
        repository.insert(stored)
        audit.append('provider.key_added', actor, null, {
          key_id: id,
          provider: stored.provider,
          label,
          tags,
          weight,
          models,
        })
        return withoutSealed(stored)
      })
    },

    get revision() {
      return revision
    },

    list(provider) {
      const now = clock.now()
      const keys = provider === undefined ? [...known().values()].flat() : (known().get(provider) ?? [])
      return keys.map((key) => ({ ...key, cooldown: cooldowns.of(key.id, now) }))
    },

    remove(id, actor) {
      return changing(() => {
        const stored = repository.list().find((candidate) => candidate.id === id)
        if (!stored) throw new AppError('not_found', `No key ${id}.`)
        repository.remove(id)
        audit.append('provider.key_removed', actor, null, {
          key_id: id,
          provider: stored.provider,
          label: stored.label,
        })
        cooldowns.forget(id)
        return withoutSealed(stored)
      })
    },

    pick(want) {
      const now = clock.now()
      const use = nameOf(want.use)
      const untilOf = ({ id }: ProviderKey): UnixMs | null => cooldowns.until(id, use, want.agentId, now)
      const usable = usableFor(want)
      if (usable.length === 0) return { refused: 'no_key' }
      const awake = usable.filter((key) => untilOf(key) === null)
      if (awake.length === 0) {
        const tried = usable.find(({ id }) => cooldowns.takeProbe(id, use, want.agentId, now))
        if (tried !== undefined) return openKept(tried, now)
        const earliest = Math.min(...usable.map((key) => untilOf(key) ?? now))
        return {
          refused: 'keys_resting',
          retryAfterSeconds: Math.max(1, Math.ceil((earliest - now) / 1_000)),
        }
      }
      const [first] = awake
      if (first !== undefined && awake.length === 1) return openKept(first, now)
      const most = Math.max(...awake.map((key) => key.tags.length))
      return openKept(
        drawn(
          awake.filter((key) => key.tags.length === most),
          random,
        ),
        now,
      )
    },

    isThere: (want) => usableFor(want).length > 0,

    answered(id, agentId, use, answer) {
      // An answer may come when the key is gone.
      const isRefusal = answer.status >= 400
      if (isRefusal && ![...known().values()].flat().some((key) => key.id === id)) return
      cooldowns.answered(id, nameOf(use), agentId, answer, clock.now())
    },

    dropCache() {
      opened.clear()
    },
  }
}

/** Names of models are the agent's to choose: of a longer one its beginning counts. */
const MAX_USE_LENGTH = 400
const nameOf = ({ endpoint, model }: KeyUse): string => `${endpoint} ${model}`.slice(0, MAX_USE_LENGTH)

/** On a rotation of the data key, inside the vault's transaction; for who has the store but not the keys. */
export function resealProviderKeys(
  repository: Pick<ProviderKeyRepository, 'list' | 'setSealed'>,
  reseal: (purpose: string, sealed: string) => string,
): void {
  for (const key of repository.list()) {
    repository.setSealed(key.id, reseal(purposeOf(key), key.sealed))
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
