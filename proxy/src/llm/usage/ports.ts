import type { Actor } from '../../identity/index.ts'
import type { CallerId, ReadTx, UnixMs } from '../../kernel/index.ts'

/** Tokens of one answer. `input` holds what was read from and written to a cache as well. */
export interface TokenUsage {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
  /** Money as the vendor told it, in millionths of a US dollar; null when it does not. */
  readonly toldMicroUsd: number | null
  /** Left out where the answer tells of none. */
  readonly extras?: UsageExtras | undefined
}

/** What vendors charge for by the piece, not by the token. */
export const PRICED_ITEMS = [
  'web_search',
  'web_search_preview',
  'file_search',
  'code_execution',
  'image',
  'audio_second',
  'search_unit',
  'source',
  'page',
] as const
/** `other`: what looks charged and has no name here. */
export type PricedItem = (typeof PRICED_ITEMS)[number] | 'other'

/** What is charged apart from plain tokens; counts above 0 alone. */
export interface UsageExtras {
  /** Of what was written to a cache: kept for an hour. */
  readonly cacheWriteHour?: number
  /** Of the input and of the output. */
  readonly audioInput?: number
  readonly imageInput?: number
  readonly audioOutput?: number
  readonly imageOutput?: number
  /** Of the input: counted, and not charged for. */
  readonly unbilledInput?: number
  readonly items?: Readonly<Partial<Record<PricedItem, number>>>
  /** Another rate than the usual one; `us`: worked out within the United States; `other`: one that nobody here knows. */
  readonly tier?: 'batch' | 'flex' | 'priority' | 'fast' | 'us' | 'other'
}

/** One finished request, to be recorded. */
interface UsageEntry {
  readonly agentId: CallerId
  readonly provider: string
  /** As the answer names it, else as the request did; '' when neither does. */
  readonly model: string
  /** 0 where the provider takes none. */
  readonly keyId: number
  readonly failed: boolean
  /** Null when the answer told of none. */
  readonly usage: TokenUsage | null
}

/** Sums of a UTC day: a row of `usage_by_day`. */
export interface UsageRow {
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** An agent's or an app's. */
  readonly agentId: CallerId
  readonly provider: string
  readonly model: string
  readonly keyId: number
  readonly requests: number
  readonly failed: number
  /** Requests whose answer told of no tokens, though it succeeded. */
  readonly unreported: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly microUsd: number
  /** Requests of which something has no known price; of their money only what has one is in `microUsd`. */
  readonly unpriced: number
  /** What counts in the limits beside the recorded usage: of answers that did not tell what they used, and of models without a price. */
  readonly assumedTokens: number
  readonly assumedMicroUsd: number
}

/** In millionths of a US dollar for a million tokens; so 2.50 $ a million is 2500000. */
export interface Price {
  readonly provider: string
  /** Exact, or a beginning that ends in `*`; the longest match counts. */
  readonly model: string
  readonly input: number
  readonly output: number
  readonly cacheRead: number | null
  readonly cacheWrite: number | null
  /** Of tokens of sound and of images, where they are priced apart. */
  readonly audioInput?: number
  readonly imageInput?: number
  readonly audioOutput?: number
  readonly imageOutput?: number
  /** Of one piece each. */
  readonly items?: Readonly<Partial<Record<PricedItem, number>>>
}

interface UsageRowReader {
  /** Rows from this day on (inclusive). */
  since(day: string): Promise<readonly UsageRow[]>
  prices(): Promise<readonly Price[]>
}

export interface UsageStore extends UsageRowReader {
  /** Adds the rows to what is stored. */
  add(rows: readonly UsageRow[]): Promise<void>
  setPrice(price: Price, at: UnixMs): Promise<void>
  removePrice(provider: string, model: string): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly usage: StorePort<UsageRowReader, UsageStore>
  }
}

/** What a request may cost at most, of a grant; null: no limit. */
export interface SpendingLimits {
  readonly requestsPerMinute: number | null
  readonly tokensPerDay: number | null
  readonly microUsdPerDay: number | null
}

export type LimitName =
  | 'requests_per_minute'
  | 'tokens_per_day'
  | 'usd_per_day'
  | 'budget_requests'
  | 'budget_tokens'
  | 'budget_usd'

/** Money is limited, and what this model costs is not known. */
export interface Unpriced {
  readonly limit: 'no_price'
}

/** What a request may use at most; what it is refused by when that does not fit. */
export interface Reservation {
  readonly inputTokens: number
  /** Of all its answers together. */
  readonly outputTokens: number
  /**
   * How many answers there are, of a request that does not say how long one may be: with less left than they could need, each is
   * admitted with a cap, which the request must say then. Null: it says so itself.
   */
  readonly uncapped?: number | null
  /** The smallest cap that is of any use; left out: the smallest that vendors take. */
  readonly shortest?: number
  /** What the vendor charges for the request itself, beside its tokens, at most. */
  readonly feeMicroUsd?: number
  /** Its input may hold sound or images, whose tokens may be dearer. */
  readonly mayHoldMedia?: boolean
}

/** What a request counts, or is held at. */
export interface Estimate {
  readonly tokens: number
  readonly microUsd: number
}

/** Whole numbers of 0 or more; null: no limit. */
export interface BudgetLimits {
  readonly microUsd: number | null
  readonly tokens: number | null
  readonly requests: number | null
}

/** What was used under a budget; money in millionths of a US dollar. */
export interface BudgetSums {
  /** That went out, those under way included. */
  requests: number
  /** Their figures are still to come. */
  underWay: number
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  microUsd: number
  /** Counted beside it, of answers that did not tell what they used. */
  assumedMicroUsd: number
  /** Requests of which something has no known price. */
  unpriced: number
}

/** What one piece of work may use in all, whatever its caller may use besides. */
export interface Budget {
  /** As limits that no day ends. */
  readonly limits: SpendingLimits
  readonly sums: Readonly<BudgetSums>
  /** Null when there is room. */
  evaluate(estimate: Estimate): Limited | null
  /** As of an account. */
  room(): Estimate
  /** Counts a request as under way. */
  take(estimate: Estimate): void
  /** It never left. */
  release(estimate: Estimate): void
  /** It is over: `counted` is what it counts in the limits, `usage` what its answer told. */
  settle(
    estimate: Estimate,
    counted: Estimate,
    told: { readonly usage: TokenUsage | null; readonly microUsd: number; readonly isPriced: boolean },
  ): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** A request that may go out. Whatever becomes of it, exactly one of the two is called. */
export interface Admission {
  /** Tokens that each answer may have; the request must say so. Null: nothing needs to be said. */
  readonly cap: number | null
  settle(
    entry: Pick<UsageEntry, 'model' | 'keyId' | 'failed' | 'usage'> & {
      /** As the request named it: its price counts where the answer's model has none. '' when it named none. */
      readonly askedModel?: string
      /** Nothing is charged for it, and its answer tells of nothing new. */
      readonly isFree?: boolean
      /**
       * What an answer that told of no tokens will have used; `reservation`: as much as was held for it. It counts in the
       * limits, so that leaving before the figures come is no way around them; it is not recorded as usage.
       */
      readonly guess?: 'reservation' | { readonly inputTokens: number; readonly outputTokens: number } | null
    },
  ): void
  /** It never left: nothing is counted. */
  release(): void
}

export interface Limited {
  readonly limit: LimitName
  /** `under_way`: it fits as soon as what is under way is over. `too_large`: it would not fit even alone. */
  readonly why: 'used_up' | 'under_way' | 'too_large'
  /** In the limit's unit: what the request may use, what is left for it, and the limit itself. */
  readonly needed: number
  readonly left: number
  readonly most: number
  readonly retryAfterSeconds: number
  /** The first refusal of this limit in its window: the owner is told of this one alone. */
  readonly first: boolean
}

type Identity = 'day' | 'agentId' | 'provider' | 'model' | 'keyId'

/** Sums of the rows of one agent, model or day. */
export interface UsageGroup extends Omit<UsageRow, Identity | 'assumedTokens' | 'assumedMicroUsd'> {
  /** Agent's name, model with its provider, or day. */
  readonly key: string
}

/** Usage accounting. What was settled is on disk within a second, and at the latest when the daemon stops. */
export interface Usage extends AsyncDisposable {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /**
   * Takes a place in the limits: what is under way counts with the most that it may use, so that neither one request nor
   * many at once pass a limit. Throws `storage_unavailable` under a limit of the day while what was used on it is not known:
   * after the clock was set back by more than a day, until the disk has told it.
   */
  reserveQuota(who: {
    readonly agentId: CallerId
    readonly provider: string
    readonly model: string | null
    /** Every other model that the request names: it is reserved for at the price of the dearest. */
    readonly moreModels?: readonly (string | null)[]
    readonly limits: SpendingLimits
    /** What the work that it belongs to may use; it has to fit both. */
    readonly budget?: Budget | undefined
    readonly estimate: Reservation
    /** The vendor tells the money itself, so no price need be known. */
    readonly reportsCost: boolean
  }): Admission | Limited | Unpriced
  /** Resolves when something of theirs that is under way gives its room back. */
  roomFreed(who: { readonly agentId: CallerId; readonly provider: string }): Promise<void>
  /** Of all, or of one agent or app. */
  report(by: 'agent' | 'model' | 'day', sinceDay: string, only?: CallerId): Promise<readonly UsageGroup[]>
  /** The newest totals since the start, for /metrics: by provider alone. */
  totals(): readonly {
    readonly provider: string
    readonly requests: number
    readonly inputTokens: number
    readonly outputTokens: number
    readonly microUsd: number
  }[]
  prices(): readonly (Price & { readonly own: boolean })[]
  /** Whether a limit of money lets the model through, where the vendor does not tell the cost itself. */
  isPriced(provider: string, model: string): boolean
  setPrice(price: Price, actor: Actor): Promise<void>
  removePrice(provider: string, model: string, actor: Actor): Promise<void>
  flush(): Promise<void>
}

/** Reads the tokens out of one answer while it passes; see reader.ts. */
export interface UsageReader {
  /** Bytes to give on, unchanged but for what the proxy itself had asked for. */
  push(chunk: Uint8Array): Uint8Array
  /** What is left to give on. */
  end(): Uint8Array
  /** What was told so far, whole or not. */
  usage(): TokenUsage | null
  /** Whether what was told is the last word: streams tell some figures at their beginning or on the way. */
  isFinal(): boolean
  model(): string | null
}
