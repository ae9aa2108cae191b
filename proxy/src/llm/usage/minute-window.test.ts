import { expect, it } from 'vitest'
import { createMinuteWindow } from './minute-window.ts'

const START = Date.UTC(2030, 0, 1)

it('counts each request for a minute', () => {
  const minute = createMinuteWindow()
  minute.add(START)
  minute.add(START + 30_000)
  minute.add(START + 30_000)
  expect(minute.count(START + 59_999)).toBe(3)
  expect(minute.count(START + 61_000)).toBe(2)
  expect(minute.count(START + 91_000)).toBe(0)
  expect(minute.count(START + 10_000_000)).toBe(0)
})

it.each([0, 1, 500, 999])(
  'counts a request %i ms into its second for a minute, and for no second more',
  (ms) => {
    const minute = createMinuteWindow()
    minute.add(START + ms)
    expect(minute.count(START + ms + 59_999)).toBe(1)
    expect(minute.count(START + ms + 60_000)).toBe(1)
    expect(minute.count(START + ms + 61_000)).toBe(0)
  },
)

it('says when there is room again', () => {
  const minute = createMinuteWindow()
  for (const second of [0, 10, 10, 20]) minute.add(START + second * 1_000)
  const now = START + 25_000
  expect(minute.secondsUntilBelow(4, now)).toBe(36)
  expect(minute.secondsUntilBelow(3, now)).toBe(46)
  expect(minute.secondsUntilBelow(1, now)).toBe(56)
  expect(minute.secondsUntilBelow(0, now)).toBe(61)
  for (const [limit, seconds] of [
    [4, 36],
    [3, 46],
    [1, 56],
  ] as const) {
    expect(minute.count(now + (seconds - 1) * 1_000)).toBeGreaterThanOrEqual(limit)
    expect(minute.count(now + seconds * 1_000)).toBeLessThan(limit)
  }
})

it('takes a request back, once, and only while it counts', () => {
  const minute = createMinuteWindow()
  minute.add(START)
  minute.remove(START, START + 5_000)
  minute.remove(START, START + 5_000)
  expect(minute.count(START + 5_000)).toBe(0)
  const later = START + 10_000
  minute.add(later)
  minute.add(later + 61_000)
  minute.remove(later, later + 61_000)
  expect(minute.count(later + 61_000)).toBe(1)
})

it('bears a clock that is set back', () => {
  const minute = createMinuteWindow()
  minute.add(START)
  minute.add(START - 2_000)
  expect(minute.count(START)).toBe(2)
  expect(minute.count(START - 3_600_000)).toBe(0)
})
