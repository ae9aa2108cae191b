import { expect, test } from 'vitest'
import type { AgentId, RequestId } from '../kernel/index.ts'
import type { RunKind, SandboxClaim } from '../sandbox/sandbox-port.ts'
import { holdRun } from './held-run.ts'
import { createRunPlaces } from './run-places.ts'

const RUN = { agentId: 'agent' as AgentId, requestId: 'req_1' as RequestId }
const KIND = {} as RunKind

function world(claims = 1) {
  const lane = createRunPlaces(2).open(async () => {})
  let left = claims
  const claim = (): SandboxClaim | undefined => {
    if (left === 0) return undefined
    left -= 1
    return {
      run: () => Promise.reject(new Error('not in this test')),
      [Symbol.dispose]() {
        left += 1
      },
    }
  }
  return { lane, hold: () => holdRun(lane, { claim }, RUN, KIND), free: () => left }
}

test('what is held for a unit that is undone is free again, once, and is started by nothing that comes later', () => {
  const { lane, hold, free } = world()
  const held = hold()
  expect([lane.active.size, free()]).toEqual([1, 0])
  held?.release()
  held?.release()
  expect([lane.active.size, free()]).toEqual([0, 1])
  // PostgreSQL may say of a commit that got no answer that it was made after all.
  expect(held?.start(() => expect.unreachable())).toBe(false)
  expect([lane.active.size, free()]).toEqual([0, 1])
})

test('a run that was started keeps both to its end, whatever becomes of its unit afterwards', async () => {
  const { lane, hold, free } = world()
  const held = hold()
  const { promise, resolve } = Promise.withResolvers<void>()
  expect(held?.start(() => promise)).toBe(true)
  held?.release()
  expect([lane.active.size, free(), held?.start(() => expect.unreachable())]).toEqual([1, 0, false])
  resolve()
  await lane.active.get(RUN.requestId)?.ended
  expect([lane.active.size, free()]).toEqual([0, 1])
})

test('without a sandbox that waits no place is kept', () => {
  const { lane, hold } = world(0)
  expect(hold()).toBeUndefined()
  expect(lane.active.size).toBe(0)
})
