import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createTimeLimit } from './time-limit.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('ends each when its own time has passed, and none that was done before', async () => {
  const limit = createTimeLimit(1_000)
  const over: string[] = []
  const begin = (name: string) => limit.begin(() => over.push(name))
  begin('first')
  await vi.advanceTimersByTimeAsync(600)
  begin('second')
  const done = begin('done')
  await vi.advanceTimersByTimeAsync(399)
  expect(over).toEqual([])
  await vi.advanceTimersByTimeAsync(2)
  expect(over).toEqual(['first'])
  done()
  await vi.advanceTimersByTimeAsync(598)
  expect(over).toEqual(['first'])
  await vi.advanceTimersByTimeAsync(2)
  expect(over).toEqual(['first', 'second'])
  await vi.advanceTimersByTimeAsync(5_000)
  begin('later')
  await vi.advanceTimersByTimeAsync(1_001)
  expect(over).toEqual(['first', 'second', 'later'])
})

it('has one timer, however many there are', () => {
  const limit = createTimeLimit(1_000)
  for (let index = 0; index < 50; index++) limit.begin(() => {})()
  limit.begin(() => {})
  expect(vi.getTimerCount()).toBe(1)
})
