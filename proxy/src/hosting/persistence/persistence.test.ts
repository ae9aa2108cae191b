import { expect, it } from 'vitest'
import { tortureSleeps } from '../../../test/torture/sleep-torture.ts'

it('keeps every file through sleeps and wakes, and raises none, whatever the store does', async () => {
  const report = await tortureSleeps({ cycles: 30, seed: 7, percent: 12 })
  expect(report.broken).toEqual([])
  expect(report.kills).toBeGreaterThan(3)
  expect(report.refusals).toBeGreaterThan(8)
})
