import type { AgentId, Clock } from '../../kernel/index.ts'
import type { ExecutionObserver, ExecutionStatus } from '../executions/index.ts'
import type { WakeRepository } from './ports.ts'

/** `cancelled` is missing: the agent itself did that. */
const WORTH_A_WAKE: ReadonlySet<ExecutionStatus> = new Set(['success', 'failed', 'denied', 'expired'])

/** Lets an agent that holds a long poll fetch the outcome first; it is then not woken at all. */
const GRACE_MS = 300

/** Schedules a wake in the transaction of the transition: the outcome and the duty to tell it are one. */
export function createWakeObserver(deps: {
  readonly repository: Pick<WakeRepository, 'schedule'>
  readonly hasTarget: (agentId: AgentId) => boolean
  readonly clock: Clock
  /** Called inside the transaction: the pump's `nudge`, so that it looks at its rows again. */
  readonly onScheduled?: () => void
}): ExecutionObserver {
  return {
    transitioned(execution) {
      if (!WORTH_A_WAKE.has(execution.status) || execution.seenAt !== null) return
      if (!deps.hasTarget(execution.agentId)) return
      deps.repository.schedule(execution.requestId, execution.agentId, deps.clock.now() + GRACE_MS)
      deps.onScheduled?.()
    },
  }
}
