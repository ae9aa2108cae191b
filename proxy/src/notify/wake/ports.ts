import type { WakeTarget } from '../../identity/agents/index.ts'
import type { AgentId, ExecutionStatus, RequestId, UnixMs } from '../../kernel/index.ts'

/** An outcome that its agent has not fetched yet. */
export interface PendingWake {
  readonly requestId: RequestId
  readonly agentId: AgentId
  readonly skillId: string
  readonly status: ExecutionStatus
  /** How many wakes for it a target has accepted. */
  readonly delivered: number
  /** Why the newest attempt was not accepted; null when it was, or when there was none. */
  readonly lastError: string | null
  readonly createdAt: UnixMs
}

/** The durable rows. Nothing here is offered once the agent has fetched or acknowledged the outcome. */
interface WakeReader {
  /** Agents with a due wake, the one that waits longest first. */
  dueAgents(now: UnixMs): Promise<readonly AgentId[]>
  /** Due wakes of an agent, the one that waits longest first. */
  due(agentId: AgentId, now: UnixMs, limit: number): Promise<readonly PendingWake[]>
  /** The earliest due time after `after`. */
  nextDueAt(after: UnixMs): Promise<UnixMs | undefined>
}

export interface WakeStore extends WakeReader {
  /** Adds or renews the wake of a request. */
  schedule(requestId: RequestId, agentId: AgentId, dueAt: UnixMs): Promise<void>
  /** A target accepted a wake for it; `remindAt` is when to wake again. */
  delivered(requestId: RequestId, remindAt: UnixMs): Promise<void>
  /** No target accepted it; `nextAt` is when to try again. */
  postpone(requestId: RequestId, nextAt: UnixMs, error: string): Promise<void>
  /** Makes every wake that failed due now. */
  retryFailed(now: UnixMs): Promise<void>
  /** No more wakes for it. */
  close(requestId: RequestId): Promise<void>
  closeOfAgent(agentId: AgentId): Promise<void>
  /** Drops the wakes of outcomes that were fetched. */
  closeSeen(): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly wakes: StorePort<WakeReader, WakeStore>
  }
}

export interface WakeMessage {
  /** Names requests and their states; never output of code. */
  readonly text: string
  /** Empty in the owner's test of a target. */
  readonly requests: readonly { readonly requestId: RequestId; readonly status: ExecutionStatus }[]
  readonly sessionKey: string | null
}

export type WakeReceipt =
  | { readonly delivered: true; readonly message: string }
  /** `retryAfterMs` when the target asked for a pause; `permanent` when a repeat cannot help. */
  | {
      readonly delivered: false
      readonly message: string
      readonly retryAfterMs?: number
      readonly permanent?: boolean
    }

/** One way to tell an agent; never throws for what the target answers. */
export interface WakeChannel {
  deliver(
    target: WakeTarget,
    token: string | null,
    message: WakeMessage,
    signal: AbortSignal,
  ): Promise<WakeReceipt>
}
