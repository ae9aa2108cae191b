import type { Socket } from 'node:net'
import type { CallerId, TenantId } from '../../kernel/index.ts'
import type { SpendingLimits } from '../usage/index.ts'

/** What all calls of one run may use together; null: no limit. */
export interface RunBudget {
  /** US dollars. */
  readonly usd: number | null
  /** Input and output, caches included. */
  readonly tokens: number | null
  /** Calls that go out to the vendor, counted tokens included. */
  readonly requests: number | null
}

/** Whose run it is and what its model calls may be: the app's permission, which stands in the place of a grant. */
export interface RunIdentity {
  readonly tenant: TenantId
  readonly runId: string
  readonly app: {
    readonly id: CallerId
    readonly name: string
    readonly tags?: readonly string[]
    /** By the owner's subscription seat in place of a key. */
    readonly usesSeat?: boolean
  }
  /** Left out: `anthropic`. */
  readonly provider?: string
  /** Exact names, or beginnings that end in `*`; null: every model. */
  readonly models: readonly string[] | null
  /** The app's standing limits; all its runs share what is left of them. */
  readonly limits: SpendingLimits
  readonly budget: RunBudget
}

/** What a run has used so far, or in all. */
export interface RunUsage {
  /** Input that was neither read from nor written to a cache, as the vendor counts it. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheRead: number
  readonly cacheWrite: number
  /**
   * US dollars, with what is assumed of answers that were cut off before they told what they used; null where something has no
   * known price.
   */
  readonly costUsd: number | null
  /** Calls that went out, those under way included. */
  readonly requests: number
  /** Calls whose figures are still to come. */
  readonly underWay: number
}

/** A call that was refused for good: the run cannot go on as it wanted. `code` is of docs/reference/llm-errors.md. */
export interface RunRefusal {
  readonly code: string
  /** For a person; holds no credential. */
  readonly message: string
}

/** The model endpoint of one run. Whatever comes on its connections is this run's, whatever credential it carries. */
export interface ModelBinding extends AsyncDisposable {
  /** A connection of the run's own socket; destroyed at once where the run is over. */
  connection(socket: Socket): void
  usage(): RunUsage
  /** The last call that was refused for good; of a run that failed, why. */
  refusal(): RunRefusal | null
  /**
   * What the CLI is best given as CLAUDE_CODE_MAX_OUTPUT_TOKENS; null: its own default. It holds nothing: a call that declares more
   * than is left is admitted with a smaller maximum, down to 1,024 tokens. But calls at once then wait for each other less.
   */
  readonly maxOutputTokens: number | null
  /**
   * The run is over: its connections end at once, and none is taken any more. `cut` also breaks off at the vendor what is under way,
   * which then counts with all that was reserved for it; without it, answers are read on for their figures, two minutes at most.
   */
  end(how?: 'cut'): void
  /** Resolves when no figure is to come any more. */
  settled(): Promise<RunUsage>
  /** As `end`, then `settled`. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface ModelEndpoints {
  /** Throws `locked` during a lockdown, `invalid_request` for a provider that is not there or limits that are none. */
  bind(identity: RunIdentity): ModelBinding
}
