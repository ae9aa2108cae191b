import type { Actor } from '../../identity/index.ts'
import type { ReadTx, SecretValue, Tx, UnixMs } from '../../kernel/index.ts'
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
  /** The token of a subscription's seat: for runs of apps that the owner lets use it, and for no agent. */
  readonly isSeat: boolean
  readonly createdAt: UnixMs
}

export interface StoredProviderKey extends ProviderKey {
  /** Envelope of the vault, for the purpose `provider-key:<provider>:<id>`, of a seat `provider-seat:…`. */
  readonly sealed: string
}

interface ProviderKeyReader {
  list(): Promise<readonly StoredProviderKey[]>
}

export interface ProviderKeyStore extends ProviderKeyReader {
  /** An id that no key ever had. */
  nextId(): Promise<number>
  insert(key: StoredProviderKey): Promise<void>
  setSealed(id: number, sealed: string): Promise<void>
  remove(id: number): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly providerKeys: StorePort<ProviderKeyReader, ProviderKeyStore>
  }
}

export interface NewProviderKey {
  readonly provider: string
  readonly label?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly weight?: number | undefined
  readonly models?: readonly string[] | undefined
  readonly isSeat?: boolean | undefined
  readonly value: SecretValue
}

export interface PickedKey {
  readonly id: number
  readonly label: string
  readonly isSeat: boolean
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
export type NoKey =
  | { readonly refused: 'no_key' }
  | { readonly refused: 'keys_in_cooldown'; readonly retryAfterSeconds: number }

export interface ProviderKeys {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /** Throws invalid_request, too_large or conflict; the provider must be a known one. */
  add(tx: Tx, input: NewProviderKey, actor: Actor): Promise<ProviderKey>
  /** Grows with every key that is added or removed. */
  readonly revision: number
  list(provider?: string): readonly (ProviderKey & { readonly cooldown: KeyCooldown | null })[]
  /** Throws not_found. Its decrypted value is dropped at once. */
  remove(tx: Tx, id: number, actor: Actor): Promise<ProviderKey>
  /** Decrypts all, seats too, to cut them out of what a machine says, and says so in the audit. Throws `locked`. */
  openAll(tx: Tx, machine: string): Promise<readonly (ProviderKey & { readonly value: SecretValue })[]>
  /**
   * Decrypted values are kept for a short time, and of one that is kept the answer is no promise: it costs neither a turn nor a
   * unit. Whoever has to wait evaluates anew what else the request depends on. Rejects when it cannot be told to the audit.
   */
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
    /** Seats alone; left out: keys alone. */
    readonly isSeat?: boolean | undefined
    /** Of those that fit: only these. */
    readonly only?: ((id: number) => boolean) | undefined
  }): PickedKey | NoKey | Promise<PickedKey | NoKey>
  /** Whether `pick` would find a key, in cooldown or not; nothing is decrypted. */
  isThere(want: Omit<Parameters<ProviderKeys['pick']>[0], 'agentId' | 'use'>): boolean
  /** What the vendor answered this agent with this key: 401 and 429 begin a cooldown, of what refusal.ts reads in them. */
  answered(id: number, agentId: string, use: KeyUse, answer: KeyAnswer): void
  /** Forgets every decrypted value. */
  dropCache(): void
}
