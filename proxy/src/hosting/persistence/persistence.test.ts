import { expect, it } from 'vitest'
import { tortureSleeps } from '../../../test/torture/sleep-torture.ts'

it('keeps every file through sleeps and wakes, and raises none, whatever the store does', async () => {
  const atLeast = { refusals: 9, kills: 4 }
  const report = await tortureSleeps({ cycles: 30, atLeast, seed: 7, percent: 12 })
  expect(report.broken).toEqual([])
  expect(report.kills).toBeGreaterThanOrEqual(atLeast.kills)
  expect(report.refusals).toBeGreaterThanOrEqual(atLeast.refusals)
})
