import { expect, test } from 'vitest'
import type { AgentId, RequestId } from '../../kernel/index.ts'
import { EXECUTION_STATES, type Execution, type ExecutionStatus } from '../executions/index.ts'
import { createWakeScheduler } from './wake-scheduler.ts'

const NOW = 1_800_000_000_000

function observe(change: Partial<Execution>, hasTarget = true) {
  const scheduled: [RequestId, AgentId, number][] = []
  let nudges = 0
  const schedule = createWakeScheduler({
    repository: { schedule: (...wake) => scheduled.push(wake) },
    hasTarget: () => hasTarget,
    clock: { now: () => NOW },
    waker: {
      async nudge() {
        nudges += 1
      },
    },
  })
  const execution = { requestId: 'req_1', agentId: 'agt_1', status: 'success', seenAt: null, ...change }
  schedule({ type: 'execution.changed', execution: execution as Execution, from: 'running' })
  return { scheduled, nudges }
}

test('schedules a wake shortly after an outcome that the agent did not cause itself, and for nothing else', () => {
  const told = EXECUTION_STATES.filter((status: ExecutionStatus) => observe({ status }).scheduled.length > 0)
  expect(told).toEqual(['success', 'failed', 'denied', 'expired'])
  expect(observe({})).toEqual({ scheduled: [['req_1', 'agt_1', NOW + 300]], nudges: 1 })
})

test('schedules nothing for an agent without a target, or one that has seen the outcome', () => {
  expect(observe({}, false)).toEqual({ scheduled: [], nudges: 0 })
  expect(observe({ seenAt: NOW })).toEqual({ scheduled: [], nudges: 0 })
})
