import type { AgentId, Clock, ExecutionStatus, RequestId, Tx, UnixMs } from '../../kernel/index.ts'
import type { Waker } from './waker.ts'

/** `cancelled` is missing: the agent itself did that. */
const WORTH_A_WAKE: ReadonlySet<ExecutionStatus> = new Set(['success', 'failed', 'denied', 'expired'])

/** Something that an agent asked for has changed: what of it matters to whoever wakes the agent. */
interface OutcomeEvent {
  readonly execution: {
    readonly requestId: RequestId
    readonly agentId: AgentId
    readonly status: ExecutionStatus
    /** When its agent fetched the outcome; null before. */
    readonly seenAt: UnixMs | null
  }
}

/** Lets an agent that holds a long poll fetch the outcome first; it is then not woken at all. */
const GRACE_MS = 300

/** Schedules a wake in the unit of the transition: the outcome and the duty to tell it are one. */
export function createWakeScheduler(deps: {
  readonly hasTarget: (agentId: AgentId) => boolean
  readonly clock: Clock
  readonly waker: Pick<Waker, 'nudge'>
}): (event: OutcomeEvent, tx: Tx) => Promise<void> {
  return async ({ execution }, tx) => {
    if (!WORTH_A_WAKE.has(execution.status) || execution.seenAt !== null) return
    if (!deps.hasTarget(execution.agentId)) return
    await tx.wakes.schedule(execution.requestId, execution.agentId, deps.clock.now() + GRACE_MS)
    tx.afterCommit(() => void deps.waker.nudge())
  }
}
