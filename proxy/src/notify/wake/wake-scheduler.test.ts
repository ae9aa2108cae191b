import { expect, test } from 'vitest'
import {
  type AgentId,
  EXECUTION_STATES,
  type ExecutionStatus,
  type RequestId,
  type Tx,
} from '../../kernel/index.ts'
import { createWakeScheduler } from './wake-scheduler.ts'

const NOW = 1_800_000_000_000

async function observe(
  change: { readonly status?: ExecutionStatus; readonly seenAt?: number },
  hasTarget = true,
) {
  const scheduled: [RequestId, AgentId, number][] = []
  const effects: (() => void)[] = []
  let nudges = 0
  const schedule = createWakeScheduler({
    hasTarget: () => hasTarget,
    clock: { now: () => NOW },
    waker: {
      async nudge() {
        nudges += 1
      },
    },
  })
  const tx = {
    wakes: { schedule: async (...wake: [RequestId, AgentId, number]) => void scheduled.push(wake) },
    afterCommit: (work: () => void) => void effects.push(work),
  }
  const execution = { requestId: 'req_1', agentId: 'agt_1', status: 'success', seenAt: null, ...change }
  await schedule({ execution } as Parameters<typeof schedule>[0], tx as unknown as Tx)
  const nudgesInside = nudges
  for (const effect of effects) effect()
  return { scheduled, nudgesInside, nudges }
}

test('schedules a wake shortly after an outcome that the agent did not cause itself, and for nothing else', async () => {
  const told: ExecutionStatus[] = []
  for (const status of EXECUTION_STATES)
    if ((await observe({ status })).scheduled.length > 0) told.push(status)
  expect(told).toEqual(['success', 'failed', 'denied', 'expired'])
  expect((await observe({})).scheduled).toEqual([['req_1', 'agt_1', NOW + 300]])
})

test('nudges the waker once the unit is committed, and not inside it', async () => {
  expect(await observe({})).toMatchObject({ nudgesInside: 0, nudges: 1 })
})

test('schedules nothing for an agent without a target, or one that has seen the outcome', async () => {
  expect(await observe({}, false)).toMatchObject({ scheduled: [], nudges: 0 })
  expect(await observe({ seenAt: NOW })).toMatchObject({ scheduled: [], nudges: 0 })
})
