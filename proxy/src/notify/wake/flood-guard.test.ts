import { expect, test } from 'vitest'
import { createFloodGuard } from './flood-guard.ts'

const NOW = 1_800_000_000_000

test('lets four wakes through in any 60 seconds and opens again when the first of them is that old', () => {
  const guard = createFloodGuard()
  for (const offset of [0, 10_000, 20_000, 30_000]) {
    expect(guard.opensAt('t', NOW + offset)).toBe(NOW + offset)
    guard.take('t', NOW + offset)
  }
  expect(guard.opensAt('t', NOW + 30_001)).toBe(NOW + 60_000)
  guard.take('t', NOW + 60_000)
  expect(guard.opensAt('t', NOW + 60_001)).toBe(NOW + 70_000)
})

test('counts each target by itself', () => {
  const guard = createFloodGuard()
  for (let i = 0; i < 4; i += 1) guard.take('a', NOW)
  expect(guard.opensAt('a', NOW)).toBe(NOW + 60_000)
  expect(guard.opensAt('b', NOW)).toBe(NOW)
})

test('does not count a wake that was given back', () => {
  const guard = createFloodGuard()
  for (let i = 0; i < 3; i += 1) guard.take('t', NOW)
  guard.take('t', NOW)()
  expect(guard.opensAt('t', NOW)).toBe(NOW)
})

test('does not close a target for long when the clock was set back', () => {
  const guard = createFloodGuard()
  for (let i = 0; i < 4; i += 1) guard.take('t', NOW)
  expect(guard.opensAt('t', NOW - 3_600_000)).toBe(NOW - 3_600_000)
})
