import { expect, test } from 'vitest'
import { createBodyPace } from './body-pace.ts'

const MIB = 1_048_576

test('large bodies of one agent come at a pace, after one at once, and hold up no other agent', () => {
  let now = 0
  const pace = createBodyPace(() => now)
  expect(pace.took('busy', 32 * MIB)).toBe(0)
  expect(pace.took('busy', 8 * MIB)).toBe(1_000)
  expect(pace.took('other', 31 * MIB)).toBe(0)
  now = 1_000
  expect(pace.took('busy', 0)).toBe(0)
  expect(pace.took('busy', MIB)).toBe(125)
  now = 3_600_000
  expect(pace.took('busy', 32 * MIB)).toBe(0)
  expect(pace.took('busy', MIB)).toBe(125)
})
