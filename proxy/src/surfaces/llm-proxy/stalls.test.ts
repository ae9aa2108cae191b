import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createStalls } from './stalls.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const request = () => ({ destroy: vi.fn() }) as unknown as IncomingMessage

it('ends a body that does not go on, and no other', () => {
  using stalls = createStalls(1_000)
  const [dead, slow, done] = [request(), request(), request()]
  for (const each of [dead, slow, done]) stalls.begin(each)
  stalls.end(done)
  for (let second = 0; second < 5; second++) {
    stalls.came(slow)
    vi.advanceTimersByTime(1_000)
  }
  expect(dead.destroy).toHaveBeenCalled()
  expect(slow.destroy).not.toHaveBeenCalled()
  expect(done.destroy).not.toHaveBeenCalled()
})
