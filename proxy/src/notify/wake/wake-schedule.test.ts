import { expect, test } from 'vitest'
import { isHopeless, remindAfterMs, retryAfterMs } from './wake-schedule.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

test('reminds after 1, 5 and 15 minutes, 1, 3, 6 and 12 hours, and waits 12 more before it gives up', () => {
  const minutes = [0, 1, 2, 3, 4, 5, 6, 7].map((before) => remindAfterMs(before) / MINUTE_MS)
  expect(minutes).toEqual([1, 5, 15, 60, 180, 360, 720, 720])
  expect(isHopeless({ delivered: 7, createdAt: 0 }, DAY_MS)).toBe(false)
  expect(isHopeless({ delivered: 8, createdAt: 0 }, DAY_MS)).toBe(true)
})

test('gives up a wake that no target took for a week', () => {
  expect(isHopeless({ delivered: 0, createdAt: 0 }, 7 * DAY_MS)).toBe(false)
  expect(isHopeless({ delivered: 0, createdAt: 0 }, 7 * DAY_MS + 1)).toBe(true)
})

test('backs off from a target that does not answer, up to five minutes', () => {
  const failed = { delivered: false, message: '' } as const
  expect(retryAfterMs(failed, 0)).toBeLessThanOrEqual(1_000)
  expect(retryAfterMs(failed, 3)).toBeGreaterThanOrEqual(4_000)
  expect(retryAfterMs(failed, 40)).toBeLessThanOrEqual(5 * MINUTE_MS)
})

test('keeps to a pause that the target asks for, between a second and an hour', () => {
  const asked = (retryAfter: number) =>
    retryAfterMs({ delivered: false, message: '', retryAfterMs: retryAfter }, 0)
  expect(asked(60_000)).toBe(60_000)
  expect(asked(0)).toBe(1_000)
  expect(asked(DAY_MS)).toBe(60 * MINUTE_MS)
})

test('comes back to a target that refuses every 15 minutes', () => {
  expect(retryAfterMs({ delivered: false, message: '', permanent: true }, 0)).toBe(15 * MINUTE_MS)
})
