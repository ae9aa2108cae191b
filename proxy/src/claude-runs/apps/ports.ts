import type { AppId, UnixMs } from '../../kernel/index.ts'

/** What a token may be used for. */
export const APP_SCOPES = ['run', 'files'] as const
export type AppScope = (typeof APP_SCOPES)[number]

export type AppNetwork = 'off' | 'ask'

/** Null: no limit. Money in millionths of a US dollar, days as in UTC. */
export interface AppLimits {
  readonly microUsdPerDay: number | null
  readonly tokensPerDay: number | null
  /** Calls of the model. */
  readonly requestsPerMinute: number | null
  readonly runsPerDay: number | null
  readonly microUsdPerRun: number | null
  readonly tokensPerRun: number | null
  readonly requestsPerRun: number | null
  /** Runs at the same time; null: as the installation allows one app. */
  readonly maxRunning: number | null
}

export const NO_APP_LIMITS: AppLimits = {
  microUsdPerDay: null,
  tokensPerDay: null,
  requestsPerMinute: null,
  runsPerDay: null,
  microUsdPerRun: null,
  tokensPerRun: null,
  requestsPerRun: null,
  maxRunning: null,
}

/** A program of the owner's that has prompts run. Its token lets it ask for runs and read its own, and nothing more. */
export interface App {
  readonly id: AppId
  readonly name: string
  readonly tokenSha256: string
  /** Beside loopback; empty: wherever the surface may be called from. */
  readonly cidrs: readonly string[]
  readonly scopes: readonly AppScope[]
  /** The CLI's tools that its runs may have; none unless the owner names them. */
  readonly tools: readonly string[]
  /** Names of secrets that requests of its runs may ask for; null: any. None unless the owner says so. */
  readonly secrets: readonly string[] | null
  /** What becomes of a connection of a command to a host that is not listed: a person is asked, or, as all others, it is refused. */
  readonly network: AppNetwork
  /** Hosts that commands reach without a question where `network` is `ask`; canonical patterns, sorted. */
  readonly hosts: readonly string[]
  /** Patterns of models, whose beginning ends in `*`; null: any. */
  readonly models: readonly string[] | null
  /** Of LLMs, by its name. */
  readonly provider: string
  /** Its runs go by the seat of the owner's subscription, and by no key. */
  readonly usesSeat: boolean
  readonly limits: AppLimits
  /** Whether its prompts are kept, sealed, as long as their results. */
  readonly keepsPrompts: boolean
  readonly createdAt: UnixMs
  readonly revokedAt: UnixMs | null
}

interface AppReader {
  /** The active one of this name, or else the newest. */
  byName(name: string): Promise<App | undefined>
  list(): Promise<readonly App[]>
}

export interface AppStore extends AppReader {
  insert(app: App): Promise<void>
  /** All of it but its id, its name and when it was made. */
  update(app: App): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly apps: StorePort<AppReader, AppStore>
  }
}
