import { describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { patience } from '../support/pace.ts'
import { tortureClaudeRuns } from '../torture/claude-torture.ts'
import { tortureWithKills } from '../torture/kill-torture.ts'

const availability = await dockerOrSkip({ images: ['claude'] })

it(
  'keeps every promise over kills at random moments under load (npm run torture: 200 of them)',
  async () => {
    const report = await tortureWithKills({ kills: 5, sandbox: 'embedded', log: () => {} })
    expect(report.broken).toEqual([])
    expect(report.byStatus.success ?? 0).toBeGreaterThan(0)
  },
  patience(300_000),
)

describe.skipIf(!availability.available)('prompts of apps', () => {
  it(
    'hands no prompt over twice, and leaves nothing (npm run torture -- --of claude-runs)',
    async () => {
      const report = await tortureClaudeRuns({ kills: 2, log: () => {} })
      expect(report.broken).toEqual([])
      expect(report.byStatus.ok ?? 0).toBeGreaterThan(0)
    },
    patience(300_000),
  )
})
