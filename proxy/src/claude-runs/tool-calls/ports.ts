import type { ApprovalState } from '../../approvals/index.ts'
import type { EgressSession } from '../../egress/index.ts'
import type { Actor } from '../../identity/index.ts'
import type { AppId, ConsentHash, RunId, Tx, UnixMs } from '../../kernel/index.ts'
import type { ToolRequest, ToolVerdict } from '../runner-port.ts'

/** The run whose tools are asked for, as far as that matters here. */
export interface ToolRun {
  readonly runId: RunId
  readonly appId: AppId
  /** The whole prompt. Its first lines are shown while the call waits and stored nowhere. */
  readonly prompt: string
  /** Lower-case hex, of the prompt's UTF-8 bytes. */
  readonly promptSha256: string
  /** Names of tools that the app's token allows this run. */
  readonly tools: readonly string[]
  /** The container's way out, which reaches nothing by itself; null: it has none, and what needs one is denied. */
  readonly egress: EgressSession | null
}

/** Answers the CLI's questions whether a tool may be used. */
export interface ToolCalls {
  /**
   * Resolves when the call is allowed or denied, by the table of tools or by a person; never rejects for what a person decides.
   * `signal`: the run is over, or the CLI takes the question back; what waits is cancelled then.
   */
  request(run: ToolRun, request: ToolRequest, signal: AbortSignal): Promise<ToolVerdict>
  /** The tool has answered: what was opened for this call is closed. `toolUseId` is the `id` of the request. */
  answered(runId: RunId, toolUseId: string): void
  /** The run is over: what it has open is closed, what of it waits is cancelled. In the unit that ends it. */
  runEnded(tx: Tx, runId: RunId, by: Actor): Promise<void>
  /** Before the first run: what an earlier daemon left waiting is cancelled, since its run is gone. */
  recover(): Promise<void>
}

/** A tool call that a person was asked about. */
export interface ToolCall {
  /** `call_` and 32 hex digits. */
  readonly id: string
  readonly appId: AppId
  readonly runId: RunId
  readonly promptSha256: string
  readonly tool: string
  /** Canonical JSON of the arguments; the call that is allowed has these and no others. */
  readonly input: string
  /** What a yes opens, as host patterns; empty: nothing. */
  readonly hosts: readonly string[]
  /** Of app, run, prompt, tool, input and hosts. */
  readonly contentHash: ConsentHash
  readonly status: ApprovalState
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
  /** The word of the choice; null without one. */
  readonly answer: ToolAnswer['choice'] | null
  /** For the model, of a denial. */
  readonly denyReason: string | null
  readonly decidedAt: UnixMs | null
  readonly decidedBy: Actor | null
  readonly decidedByName: string | null
}

export interface ToolAnswer {
  /** `run`: the same tool with the same arguments for the rest of the run. */
  readonly choice: 'once' | 'run' | 'deny'
  readonly denyReason: string | null
}

interface ToolCallReader {
  byId(id: string): Promise<ToolCall | undefined>
  /** At most two. */
  idsBeginning(text: string): Promise<readonly string[]>
  list(filter: {
    /** Left out: of any. */
    readonly appId?: AppId
    readonly runId?: RunId
    readonly which: 'waiting' | 'newest'
    readonly limit: number
  }): Promise<readonly ToolCall[]>
  countWaiting(appId: AppId, now: UnixMs): Promise<number>
  overdue(now: UnixMs): Promise<readonly ToolCall[]>
}

export interface ToolCallStore extends ToolCallReader {
  insert(call: ToolCall): Promise<void>
  /** Status, answer and who gave it. */
  settle(call: ToolCall): Promise<void>
}
