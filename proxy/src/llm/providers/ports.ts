import type { Actor } from '../../identity/index.ts'
import type { ReadTx, UnixMs } from '../../kernel/index.ts'

/** How a vendor takes its key. */
export type ProviderAuth =
  | { readonly kind: 'bearer' }
  /** `name` in lower case; the value is the key alone. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'none' }

/** How a vendor takes the token of a subscription's seat: as a bearer token, beside a word that says so, and no key. */
export interface SeatAuth {
  /** How such a token begins. */
  readonly tokenPrefix: string
  /** The header that has to hold the word, which may hold others: a list with commas. */
  readonly header: string
  readonly word: string
}

/** Whose error object the vendor's SDKs read. */
export type ErrorShape = 'openai' | 'anthropic' | 'google'

/** One row of the table of providers: what there is to know of a vendor. */
export interface ProviderRow {
  /** Where the requests go: scheme, host and port; `{param}` stands for one of `params`. */
  readonly origin: string
  /**
   * Path prefixes of the vendor, the usual one first; '' is the root itself. A path that begins with one of them, or with the end of one, is
   * not prefixed again.
   */
  readonly roots: readonly string[]
  readonly auth: ProviderAuth
  readonly errors: ErrorShape
  /** Names that the owner fills in before the provider can be used, such as Azure's `resource`. */
  readonly params?: readonly string[]
  /** Beginnings of the names of models that are this vendor's alone; routes a request that names no provider. */
  readonly models?: readonly string[]
  /** Whether the vendor knows `stream_options.include_usage` (OpenAI's chat completions and those who follow them). */
  readonly includeUsage?: boolean
  /** Whether its answers say what they cost. */
  readonly reportsCost?: boolean
  /** A path that is answered with a good key alone and costs nothing: by it somebody signs in with a key. */
  readonly keyCheck?: string
  /** Of a vendor whose subscriptions answer calls of its own CLI. */
  readonly seat?: SeatAuth
}

/** A provider that can be used: every parameter is filled in. */
export interface Provider {
  readonly name: string
  readonly scheme: 'https' | 'http'
  /** ASCII host name or IP literal, as the kernel's host patterns write it. */
  readonly host: string
  readonly port: number
  readonly roots: readonly string[]
  readonly auth: ProviderAuth
  readonly errors: ErrorShape
  readonly models: readonly string[]
  readonly includeUsage: boolean
  readonly reportsCost: boolean
  /** The owner said that it may be at a private address. */
  readonly private: boolean
  /** Added by the owner; not of the table. */
  readonly own: boolean
  /** Left out: it has no seats. */
  readonly seat?: SeatAuth
}

/** What the owner added, as stored. */
export interface OwnProvider {
  readonly name: string
  /** `https://host[:port][/prefix]`; `http://` only where private. */
  readonly url: string
  readonly auth: ProviderAuth
  readonly errors: ErrorShape
  readonly private: boolean
  readonly createdAt: UnixMs
}

export interface ProviderReader {
  own(): Promise<readonly OwnProvider[]>
  /** Parameters of providers of the table, by provider and name. */
  params(): Promise<readonly { readonly provider: string; readonly name: string; readonly value: string }[]>
}

export interface ProviderStore extends ProviderReader {
  insert(provider: OwnProvider): Promise<void>
  remove(name: string): Promise<void>
  setParam(provider: string, name: string, value: string): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly providers: StorePort<ProviderReader, ProviderStore>
  }
}

export interface Providers {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /** Own property lookup: undefined for anything that is no provider, `missing` names the parameters to fill in. */
  find(name: string): Provider | { readonly missing: readonly string[] } | undefined
  list(): readonly ProviderListing[]
  add(input: Omit<OwnProvider, 'createdAt'>, actor: Actor): Promise<Provider>
  /** Of an own provider only. */
  remove(name: string, actor: Actor): Promise<void>
  /**
   * Of a provider of the table: its parameters, and `url` in place of the address that it is listed with (`default`: that one again).
   * Of every provider: `include_usage`, `on`, `off` or `default`. Throws not_found or invalid_request.
   */
  setParam(
    provider: string,
    name: string,
    value: string,
    actor: Actor,
    options?: { readonly private?: boolean | undefined },
  ): Promise<void>
  /** Grows with every change, so that what was derived can be kept until then. */
  readonly revision: number
}

export interface ProviderListing {
  readonly name: string
  readonly url: string
  readonly auth: ProviderAuth
  readonly own: boolean
  /** The owner put another address in place of the table's. */
  readonly moved: boolean
  readonly private: boolean
  readonly missing: readonly string[]
}

/**
 * What a request does at a vendor. `inference`: it is answered at once and nothing else comes of it · `models`: reads
 * lists and descriptions of models · `files`, `batches`, `fine_tuning`: what their names say · `stored`: anything else
 * that is kept at the vendor and read back (responses, conversations, assistants, vector stores, caches) ·
 * `realtime`: sessions, and credentials for them · `deferred`: work that is done later · `organization`: keys, members,
 * billing, what runs for the account · `other`: whatever is not known.
 */
export type EndpointGroup =
  | 'inference'
  | 'models'
  | 'files'
  | 'batches'
  | 'fine_tuning'
  | 'stored'
  | 'realtime'
  | 'deferred'
  | 'organization'
  | 'other'

export interface Endpoint {
  readonly group: EndpointGroup
  /** Whether what it uses can be known from its answer: tokens are told there, or none are used. */
  readonly metered: boolean
  /** Nothing is charged for it, and what its answer tells of tokens was booked before, or is no use: reading what is kept, counting. */
  readonly free: boolean
}
