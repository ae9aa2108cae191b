import { expect, it } from 'vitest'
import { patience } from '../support/pace.ts'
import { tortureWithKills } from '../torture/kill-torture.ts'

it(
  'keeps every promise over kills at random moments under load (npm run torture: 200 of them)',
  async () => {
    const report = await tortureWithKills({ kills: 8, sandbox: 'embedded', log: () => {} })
    expect(report.broken).toEqual([])
    expect(report.byStatus.success ?? 0).toBeGreaterThan(0)
  },
  patience(300_000),
)
