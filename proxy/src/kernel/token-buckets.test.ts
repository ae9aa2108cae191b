import { expect, test } from 'vitest'
import { createTokenBuckets } from './token-buckets.ts'

test('an owner takes at a pace, after a burst, and holds up no other owner', () => {
  let now = 0
  const buckets = createTokenBuckets({ perSecond: 8, burst: 32 }, () => now)
  expect(buckets.take('busy', 32)).toBe(0)
  expect(buckets.isOverdrawn('busy')).toBe(false)
  expect(buckets.take('busy', 8)).toBe(1_000)
  expect(buckets.isOverdrawn('busy')).toBe(true)
  expect(buckets.isOverdrawn('other')).toBe(false)
  expect(buckets.take('other', 31)).toBe(0)
  now = 1_000
  expect(buckets.take('busy', 0)).toBe(0)
  expect(buckets.take('busy', 1)).toBe(125)
  now = 3_600_000
  expect(buckets.take('busy', 32)).toBe(0)
  expect(buckets.take('busy', 1)).toBe(125)
})
