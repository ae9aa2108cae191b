import { expect, it } from 'vitest'
import { createMinuteWindow } from './minute-window.ts'

const START = Date.UTC(2030, 0, 1)

it('counts each request for a minute', () => {
  const minute = createMinuteWindow()
  minute.add(START)
  minute.add(START + 30_000)
  minute.add(START + 30_000)
  expect(minute.count(START + 59_999)).toBe(3)
  expect(minute.count(START + 60_000)).toBe(2)
  expect(minute.count(START + 90_000)).toBe(0)
  expect(minute.count(START + 10_000_000)).toBe(0)
})

it('says when there is room again', () => {
  const minute = createMinuteWindow()
  for (const second of [0, 10, 10, 20]) minute.add(START + second * 1_000)
  const now = START + 25_000
  expect(minute.secondsUntilBelow(4, now)).toBe(35)
  expect(minute.secondsUntilBelow(3, now)).toBe(45)
  expect(minute.secondsUntilBelow(1, now)).toBe(55)
  expect(minute.secondsUntilBelow(0, now)).toBe(60)
  for (const [limit, seconds] of [
    [4, 35],
    [3, 45],
    [1, 55],
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
  minute.add(later + 60_000)
  minute.remove(later, later + 60_000)
  expect(minute.count(later + 60_000)).toBe(1)
})

it('bears a clock that is set back', () => {
  const minute = createMinuteWindow()
  minute.add(START)
  minute.add(START - 2_000)
  expect(minute.count(START)).toBe(2)
  expect(minute.count(START - 3_600_000)).toBe(0)
})
