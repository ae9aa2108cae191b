import type { AgentId, Clock } from '../../kernel/index.ts'
import type { ExecutionEvent, ExecutionStatus } from '../executions/index.ts'
import type { WakeRepository } from './ports.ts'
import type { Waker } from './waker.ts'

/** `cancelled` is missing: the agent itself did that. */
const WORTH_A_WAKE: ReadonlySet<ExecutionStatus> = new Set(['success', 'failed', 'denied', 'expired'])

/** Lets an agent that holds a long poll fetch the outcome first; it is then not woken at all. */
const GRACE_MS = 300

/** Schedules a wake in the transaction of the transition: the outcome and the duty to tell it are one. */
export function createWakeScheduler(deps: {
  readonly repository: Pick<WakeRepository, 'schedule'>
  readonly hasTarget: (agentId: AgentId) => boolean
  readonly clock: Clock
  readonly waker: Pick<Waker, 'nudge'>
}): (event: ExecutionEvent) => void {
  return ({ execution }) => {
    if (!WORTH_A_WAKE.has(execution.status) || execution.seenAt !== null) return
    if (!deps.hasTarget(execution.agentId)) return
    deps.repository.schedule(execution.requestId, execution.agentId, deps.clock.now() + GRACE_MS)
    void deps.waker.nudge()
  }
}
