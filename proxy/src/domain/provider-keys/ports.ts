import type { SecretValue, UnixMs } from '../../kernel/index.ts'
import type { KeyCooldown } from './cooldowns.ts'
import type { KeyAnswer } from './refusal.ts'

/** A vendor's key, without its value. */
export interface ProviderKey {
  readonly id: number
  readonly provider: string
  /** For the owner to tell keys apart; unique within the provider. */
  readonly label: string
  /** An agent may use it only when it has every one of these. */
  readonly tags: readonly string[]
  /** 1–1000: how often it is taken beside others. */
  readonly weight: number
  /** Exact names, or beginnings that end in `*`; null: every model. */
  readonly models: readonly string[] | null
  readonly createdAt: UnixMs
}

export interface StoredProviderKey extends ProviderKey {
  /** Envelope of the vault, for the purpose `provider-key:<provider>:<id>`. */
  readonly sealed: string
}

export interface ProviderKeyRepository {
  list(): readonly StoredProviderKey[]
  /** An id that no key ever had. */
  nextId(): number
  insert(key: StoredProviderKey): void
  setSealed(id: number, sealed: string): void
  remove(id: number): void
}

export interface NewProviderKey {
  readonly provider: string
  readonly label?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly weight?: number | undefined
  readonly models?: readonly string[] | undefined
  readonly value: SecretValue
}

export interface PickedKey {
  readonly id: number
  readonly label: string
  readonly value: SecretValue
}

/** What a key is used for, as far as vendors limit it apart. */
export interface KeyUse {
  /** Method and path, or the kind of thing that it is about where names of things stand in the path. */
  readonly endpoint: string
  /** '' where none is named. */
  readonly model: string
}

/** Why no key can be used: there is none for these tags and this model, or all that are rest after a refusal of the vendor's. */
type NoKey =
  | { readonly refused: 'no_key' }
  | { readonly refused: 'keys_resting'; readonly retryAfterSeconds: number }

export interface ProviderKeys {
  /** Throws invalid_request, too_large or conflict; the provider must be a known one. */
  add(input: NewProviderKey, actor: string): ProviderKey
  /** Grows with every key that is added or removed. */
  readonly revision: number
  list(provider?: string): readonly (ProviderKey & { readonly cooldown: KeyCooldown | null })[]
  /** Throws not_found. Its decrypted value is dropped at once. */
  remove(id: number, actor: string): ProviderKey
  /** Decrypted values are kept for a short time; the pick itself writes nothing. */
  pick(want: {
    readonly provider: string
    readonly model: string | null
    /** Every name in the request, where the key is for some models: all of them count. Left out: `model` alone. */
    readonly models?: (() => readonly (string | null)[]) | undefined
    readonly tags: readonly string[]
    /** Who asks: a key may be in cooldown for one agent only. */
    readonly agentId: string
    /** What for: it may be in cooldown for one model or endpoint only. */
    readonly use: KeyUse
    /** Of those that fit: only these. */
    readonly only?: ((id: number) => boolean) | undefined
  }): PickedKey | NoKey
  /** Whether `pick` would find a key, in cooldown or not; nothing is decrypted. */
  isThere(want: Pick<Parameters<ProviderKeys['pick']>[0], 'provider' | 'model' | 'models' | 'tags'>): boolean
  /** What the vendor answered this agent with this key: 401 and 429 begin a cooldown, of what refusal.ts reads in them. */
  answered(id: number, agentId: string, use: KeyUse, answer: KeyAnswer): void
  /** Forgets every decrypted value. */
  dropCache(): void
}
