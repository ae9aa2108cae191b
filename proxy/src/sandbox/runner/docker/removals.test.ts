import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSlots } from '../slots.ts'
import { createRemovals } from './removals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function removalsOf() {
  const closing = new AbortController()
  const removals = createRemovals(createSlots(2), closing.signal)
  const removed: string[] = []
  const remove = (name: string) => async () => void removed.push(name)
  return { removals, removed, remove, closing }
}

test('what has ended is removed with others, and never later than soon', async () => {
  const { removals, removed, remove } = removalsOf()
  const all = ['a', 'b', 'c'].map((name) => removals.later(remove(name)))
  await vi.advanceTimersByTimeAsync(499)
  expect(removed).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(removed).toEqual(['a', 'b', 'c'])
  await Promise.all(all)
  await Promise.all(['d', 'e', 'f', 'g'].map((name) => removals.later(remove(name))))
  expect(removed).toHaveLength(7)
})

test('what still runs, and all when the sandbox closes, is not kept waiting', async () => {
  const { removals, removed, remove, closing } = removalsOf()
  const waiting = removals.later(remove('ended'))
  await removals.now(remove('running'))
  expect(removed).toEqual(['running'])
  closing.abort()
  await waiting
  await removals.later(remove('late'))
  expect(removed).toEqual(['running', 'ended', 'late'])
})
