import type { ApprovalState } from '../../approvals/index.ts'
import type { EgressSession } from '../../egress/index.ts'
import type { Actor } from '../../identity/index.ts'
import type { AppId, RunId, Tx, UnixMs } from '../../kernel/index.ts'
import type { OwnToolAnswer, OwnToolCall, ToolRequest, ToolVerdict } from '../index.ts'
import type { ToolEffect } from './tool-policy.ts'

/** The run whose tools are asked for, as far as that matters here. */
export interface ToolRun {
  readonly runId: RunId
  readonly appId: AppId
  /** The whole prompt. Its first lines are shown while a call waits, and stored nowhere. */
  readonly prompt: string
  /** Lower-case hex, of the prompt's UTF-8 bytes. */
  readonly promptSha256: string
  /** Names of the tools that the app's token allows this run. */
  readonly tools: readonly string[]
  /** Names of the secrets that its requests may ask for; null: any. */
  readonly secrets: readonly string[] | null
  /** The run's model calls go by the owner's seat. */
  readonly usesSeat: boolean
  /** The container's way out, which reaches nothing by itself; null: it has none, and what needs one is denied. */
  readonly egress: EgressSession | null
  /** What is sent by it to a host that is not open waits, and a person is asked. */
  readonly asksForHosts: boolean
}

/** Answers the CLI's questions whether a tool may be used. */
export interface ToolCalls {
  /** Before the run's prompt is handed over. */
  begin(run: ToolRun): RunToolCalls
  /** Once, before any run: what an earlier daemon left waiting is cancelled, since its run is gone. */
  recover(): Promise<void>
  /** Closes all that is open now, of every run: everything stops. What waits is withdrawn by whoever stops it. */
  halt(): void
}

/** Of one run. Disposed when the run is over, whatever became of it; what it had open is closed then. */
export interface RunToolCalls extends Disposable {
  /**
   * Resolves when the call is allowed or denied, by the table of tools or by a person, and the answer is on disk. `signal`: the
   * run is over, or the CLI takes its question back; what waits is cancelled. Rejects where the database fails, which denies.
   */
  request(request: ToolRequest, signal: AbortSignal): Promise<ToolVerdict>
  /**
   * The daemon's own tool is called: sent is what was allowed for this use, once, if the arguments are those. Never rejects.
   */
  use(call: OwnToolCall, signal: AbortSignal): Promise<OwnToolAnswer>
  /** The tool has answered: what was opened for this call is closed. `toolUseId` as the request and the tool's result name it. */
  answered(toolUseId: string): void
  /** The run is over: what of it waits is cancelled. In the unit that ends the run. */
  ended(tx: Tx, by: Actor): Promise<void>
}

/** A call that a person was asked about. */
export interface ToolCall {
  /** `call_` and 32 hex digits. */
  readonly id: string
  readonly appId: AppId
  readonly runId: RunId
  readonly promptSha256: string
  readonly tool: string
  /** Canonical JSON of the arguments; the call that is allowed has these and no others. */
  readonly input: string
  readonly effect: ToolEffect
  readonly status: ApprovalState
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
  /** The word of the choice that a person gave; null without one. */
  readonly choice: ToolAnswer['choice'] | null
  /** For the model, of a denial. */
  readonly denyReason: string | null
  readonly endedAt: UnixMs | null
  readonly decidedBy: Actor | null
  readonly decidedByName: string | null
}

export interface ToolAnswer {
  /** `run`: the same tool with the same arguments for the rest of the run. */
  readonly choice: 'once' | 'run' | 'deny'
  /** One visible line. */
  readonly denyReason: string | null
}

interface ToolCallFilter {
  /** Left out: of any. */
  readonly appId?: AppId
  readonly runId?: RunId
  readonly which: 'waiting' | 'newest'
  readonly limit: number
}

interface ToolCallReader {
  byId(id: string): Promise<ToolCall | undefined>
  /** At most two. */
  idsBeginning(text: string): Promise<readonly string[]>
  /** The newest first. */
  list(filter: ToolCallFilter): Promise<readonly ToolCall[]>
  countWaiting(appId: AppId, now: UnixMs): Promise<number>
  /** Some that wait and are over by then. */
  overdue(now: UnixMs): Promise<readonly ToolCall[]>
}

export interface ToolCallStore extends ToolCallReader {
  insert(call: ToolCall): Promise<void>
  /** Its status and how it came to it; of one that waits. */
  settle(call: ToolCall): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly toolCalls: StorePort<ToolCallReader, ToolCallStore>
  }
}
