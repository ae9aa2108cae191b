import type { RunEnding, RunState } from '../../contracts/claude-runs/index.ts'
import type { AppId, RunId, UnixMs } from '../../kernel/index.ts'
import type { App } from '../apps/index.ts'
import type { ModelConnections, RunTokens } from '../index.ts'

/** A run as it is stored: what is counted of it, and no text. */
export interface Run extends RunTokens {
  readonly id: RunId
  readonly appId: AppId
  readonly state: RunState
  /** Null until it is over. */
  readonly code: RunEnding | null
  /** Why it failed, in words of the daemon's own; null for a run that is not over, and for one that did not. */
  readonly message: string | null
  readonly model: string
  readonly promptSha256: string
  readonly promptChars: number
  readonly resultChars: number | null
  /** Whether it goes on when its caller leaves. */
  readonly isDetached: boolean
  readonly sessionId: string | null
  readonly stopReason: string | null
  /** Calls of the model. */
  readonly requests: number
  /** Null where no price is known. */
  readonly microUsd: number | null
  readonly createdAt: UnixMs
  readonly startedAt: UnixMs | null
  readonly finishedAt: UnixMs | null
  readonly firstByteMs: number | null
  readonly idempotencyKey: string | null
  readonly bodySha256: string
  /** Result, partial text and, by choice, the prompt; null: there is none, or its time is over. */
  readonly blob: { readonly id: string; readonly key: string; readonly until: UnixMs } | null
}

export interface RunFilter {
  readonly appId?: AppId | undefined
  readonly states?: readonly RunState[] | undefined
  readonly code?: RunEnding | undefined
  /** Older than this one. */
  readonly before?: Pick<Run, 'createdAt' | 'id'> | undefined
  readonly limit: number
}

interface RunReader {
  byId(id: RunId): Promise<Run | undefined>
  byKey(appId: AppId, idempotencyKey: string): Promise<Run | undefined>
  /** The newest first. */
  list(filter: RunFilter): Promise<readonly Run[]>
  /** Those that are not over. */
  open(limit: number): Promise<readonly Run[]>
  countSince(appId: AppId, since: UnixMs): Promise<number>
  withBlobUntil(before: UnixMs, limit: number): Promise<readonly Run[]>
  blobs(): Promise<readonly { readonly id: RunId; readonly blob: string; readonly blobKey: string }[]>
}

export interface RunStore extends RunReader {
  insert(run: Run): Promise<void>
  /** What of it changes while it goes on and when it ends. */
  update(run: Run): Promise<void>
  setBlobKey(id: RunId, blobKey: string): Promise<void>
  /** Deletes the oldest of those that ended before and keep no body; how many. */
  deleteEnded(before: UnixMs, limit: number): Promise<number>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly claudeRuns: StorePort<RunReader, RunStore>
  }
}

/** Null: no limit of its own. */
export interface RunBudget {
  readonly microUsd: number | null
  readonly tokens: number | null
  readonly requests: number | null
}

export interface ModelUsage extends RunTokens {
  readonly requests: number
  readonly microUsd: number | null
}

/** The model's end of one run: whoever connects there is this run, and its budget holds before each call. */
export interface RunModel extends ModelConnections {
  /** Most tokens of one answer, so that the budget can reserve it; null leaves the CLI's own. */
  readonly maxOutputTokens: number | null
  /** So far; what is charged, also of a call that was left. */
  usage(): ModelUsage
  /**
   * The run is over: no connection is taken any more. `cut` breaks off what is under way, which then counts with all that was
   * reserved for it. Resolves when no figure is to come any more.
   */
  end(how: 'read_on' | 'cut'): Promise<ModelUsage>
}

/** Where runs reach models. */
export interface ModelAccess {
  /** Throws AppError where the app's provider cannot be used at all. */
  bind(run: { readonly runId: RunId; readonly app: App; readonly budget: RunBudget }): RunModel
}
