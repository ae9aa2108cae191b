import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createStalls } from './stalls.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const heard = () => ({ isAlive: true, silent: vi.fn() })

it('ends what nothing is heard of, and nothing else', () => {
  using stalls = createStalls(1_000)
  const [dead, slow, done] = [heard(), heard(), heard()]
  for (const each of [dead, slow, done]) stalls.begin(each)
  stalls.end(done)
  for (let second = 0; second < 5; second++) {
    slow.isAlive = true
    vi.advanceTimersByTime(1_000)
  }
  expect(dead.silent).toHaveBeenCalled()
  expect(slow.silent).not.toHaveBeenCalled()
  expect(done.silent).not.toHaveBeenCalled()
})
