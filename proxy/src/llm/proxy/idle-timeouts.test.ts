import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createIdleTimeouts, IdleTimed } from './idle-timeouts.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

class Waiting extends IdleTimed {
  onIdle = vi.fn()
}

it('ends what nothing is heard of, and nothing else', () => {
  using idleTimeouts = createIdleTimeouts(1_000)
  const [dead, slow, done] = [new Waiting(), new Waiting(), new Waiting()]
  for (const each of [dead, slow, done]) idleTimeouts.begin(each)
  idleTimeouts.end(done)
  for (let second = 0; second < 5; second++) {
    slow.isAlive = true
    vi.advanceTimersByTime(1_000)
  }
  expect(dead.onIdle).toHaveBeenCalled()
  expect(slow.onIdle).not.toHaveBeenCalled()
  expect(done.onIdle).not.toHaveBeenCalled()
})

it('forgets whatever ended, in any order and more than once', () => {
  using idleTimeouts = createIdleTimeouts(1_000)
  const all = Array.from({ length: 5 }, () => new Waiting())
  for (const each of all) idleTimeouts.begin(each)
  for (const at of [2, 4, 0, 2]) idleTimeouts.end(all[at] as Waiting)
  vi.advanceTimersByTime(2_000)
  expect(all.map(({ onIdle }) => onIdle.mock.calls.length)).toEqual([0, 1, 0, 1, 0])
})

it('goes on with the others when one of them ends by being told', () => {
  using idleTimeouts = createIdleTimeouts(1_000)
  const all = Array.from({ length: 3 }, () => new Waiting())
  for (const each of all) {
    each.onIdle.mockImplementation(() => idleTimeouts.end(each))
    idleTimeouts.begin(each)
  }
  vi.advanceTimersByTime(5_000)
  expect(all.map(({ onIdle }) => onIdle.mock.calls.length)).toEqual([1, 1, 1])
})
