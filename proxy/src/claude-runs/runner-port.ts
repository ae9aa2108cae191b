import type { Socket } from 'node:net'
import type { EgressSession } from '../egress/index.ts'

/** A file of a run as it is placed into the working folder; `open` is called once. */
export interface RunFile {
  /** One name without folders; the runner refuses any other. */
  readonly name: string
  readonly bytes: number
  open(): AsyncIterable<Uint8Array>
}

export interface RunSession {
  /** What an earlier run of the conversation left, as `RunOutcome.sessionTranscript` gave it; null begins a new one. */
  readonly transcript: AsyncIterable<Uint8Array> | null
  /** The CLI's id of that conversation (`RunOutcome.sessionId`); null exactly when there is no transcript. */
  readonly id: string | null
  /** The conversation goes on under a new id; the old transcript stays what it was. */
  readonly fork: boolean
  /** Whether the outcome shall hold the transcript. */
  readonly keep: boolean
}

/** One prompt, exactly as the app gave it and its limits allow. */
export interface RunOrder {
  readonly runId: string
  readonly prompt: string
  /** A model's id or one of the CLI's names for one (`opus`, `sonnet`, `haiku`). */
  readonly model: string
  /** In place of the CLI's own system prompt; null leaves that. */
  readonly system: string | null
  /** Behind the system prompt; null for nothing. */
  readonly appendSystem: string | null
  readonly files: readonly RunFile[]
  /** Names of the CLI's tools that the model may know; none by default. Each use is asked of `onToolRequest`, whichever it is. */
  readonly tools: readonly string[]
  /** A JSON Schema that the result has to meet; `SchemaChecker.check` of claude-runs/schema says beforehand whether it is one. Null for none. */
  readonly schema: unknown
  /** Null keeps nothing of the conversation. */
  readonly session: RunSession | null
  readonly timeoutMs: number
  /** The run ends as `silent` when neither the model nor a tool gave a sign for so long. Time in which a person is asked does not count. */
  readonly silenceMs: number
  readonly maxTurns: number | null
  /** Most tokens of one answer (CLAUDE_CODE_MAX_OUTPUT_TOKENS), so that a small budget can still be reserved; null leaves the CLI's own. */
  readonly maxOutputTokens: number | null
  /** Of all text that the run gives; beyond it the run ends as `output_limit`. */
  readonly maxOutputBytes: number
  /** The way out for tools; null for none at all. */
  readonly egress: EgressSession | null
  /** What commands send to a host that is not open waits, as long as a person needs to answer. */
  readonly asksForHosts: boolean
}

export interface RunTokens {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
}

/** What the run tells while it goes on, in order. */
export type RunEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'tool_result'; readonly id: string; readonly isError: boolean; readonly text: string }
  | { readonly type: 'turn_end'; readonly turn: number; readonly stopReason: string | null }
  /** Sums so far, as the model's answers told them; what is charged is counted at the model's end. */
  | { readonly type: 'usage'; readonly usage: RunTokens }
  /** The result did not meet the schema; the model is told why, once. */
  | { readonly type: 'repair'; readonly problems: readonly string[] }

/** The CLI asks whether a tool may be used. */
export interface ToolRequest {
  /** Of the question. */
  readonly id: string
  /** Of the use that it is about, as `tool_use` and `tool_result` of `RunEvent` name it; null where the CLI does not tell. */
  readonly toolUseId: string | null
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

export type ToolVerdict =
  | { readonly behavior: 'allow'; readonly updatedInput?: Readonly<Record<string, unknown>> }
  | { readonly behavior: 'deny'; readonly message: string }

/** A call of the daemon's own tool, once the CLI was told that it may. */
export interface OwnToolCall {
  /** As the question about it named it; null where the CLI does not tell. */
  readonly toolUseId: string | null
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

/** For the model. */
export interface OwnToolAnswer {
  readonly text: string
  readonly isError: boolean
}

/** How the model endpoint of this one container is served. Whoever connects there is this run. */
export interface ModelConnections {
  connection(socket: Socket): void
  /** Why the last call was refused for good, where it was; read when the run has ended. */
  refusal(): { readonly code: string; readonly message: string } | null
}

export interface RunHooks {
  /** Called once, right before the prompt is handed over: from here on the run counts as started. */
  onStarted(): void
  onEvent(event: RunEvent): void
  /** `signal` is aborted when the run ends first or the CLI takes its question back. A throw denies. */
  onToolRequest(request: ToolRequest, signal: AbortSignal): Promise<ToolVerdict>
  /** Never throws; what was not allowed before is answered with an error. */
  onOwnTool(call: OwnToolCall, signal: AbortSignal): Promise<OwnToolAnswer>
  /** The use of a tool has its result, be it a subagent's, of which no event tells. */
  onToolAnswered(toolUseId: string): void
  readonly model: ModelConnections
}

export const RUN_CODES = [
  'ok',
  /** The model declined to answer (stop reason `refusal`). */
  'model_refused',
  'budget_exceeded',
  'schema_not_met',
  /** The prompt, files, session and tools together do not fit into the model's window, or the CLI refused the input. */
  'input_refused',
  /** The model's end refused or failed for good. */
  'upstream_error',
  'max_turns',
  /** The model ran into its own limit of output tokens. */
  'max_tokens',
  'output_limit',
  'silent',
  'timeout',
  'cancelled',
  'session_unknown',
  'cli_crashed',
  'memory_limit',
  'sandbox_lost',
] as const
export type RunCode = (typeof RUN_CODES)[number]

export interface ToolDenial {
  readonly tool: string
  readonly message: string
}

export interface RunOutcome {
  readonly code: RunCode
  /** Text of the last answer; of a run that failed, as far as it came. */
  readonly text: string
  /** `text` without code fences and parsed where it is JSON, else the string; of a schema, the valid value. Null unless `code` is `ok`. */
  readonly result: unknown
  readonly stopReason: string | null
  /** As far as the CLI told; zeros where it told nothing. */
  readonly usage: RunTokens
  readonly turns: number
  /** Null unless it was to be kept and the run came to an end of its own. */
  readonly sessionTranscript: Uint8Array | null
  readonly sessionId: string | null
  readonly durationMs: number
  /** From the hand-over to the first piece of text, thinking or tool use; null when none came. */
  readonly firstByteMs: number | null
  readonly denials: readonly ToolDenial[]
  /** For a person, of every code but `ok`; empty there. */
  readonly message: string
}

export interface RunnerStatus {
  /** Version of the CLI in the image; null when the image is missing or the engine does not answer. */
  readonly version: string | null
  readonly available: boolean
  /** Why it is not available, for a person; empty when all is well. */
  readonly notes: readonly string[]
  /** Containers whose CLI waits for a prompt. */
  readonly warm: number
  readonly running: number
}

/**
 * Runs prompts, each in a container of its own. `run` throws RunnerUnavailable only if the prompt was not handed over, so the caller
 * may try again; any ending after `onStarted` is a RunOutcome, and so is `input_refused` for files that no model can be given. It has no queue: what it is given it runs.
 */
export interface RunRunner extends AsyncDisposable {
  /** Removes what an earlier, crashed daemon left behind; resolves to how many things it removed. */
  sweep(): Promise<number>
  /** Begins to fill the warm pool; returns at once. */
  start(): void
  /** A view a few seconds old at most; never throws. */
  status(): Promise<RunnerStatus>
  /** An abort of `signal` ends the container and gives `cancelled`. */
  run(order: RunOrder, hooks: RunHooks, signal: AbortSignal): Promise<RunOutcome>
}

/** Why nothing could be started: `not_started` where it is neither of the others. */
export type UnavailableReason = 'image_missing' | 'engine_away' | 'not_started'

/** Nothing was started; `message` says why, for a person. */
export class RunnerUnavailable extends Error {
  readonly reason: UnavailableReason

  constructor(message: string, reason: UnavailableReason = 'not_started', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RunnerUnavailable'
    this.reason = reason
  }
}
