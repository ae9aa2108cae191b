import { defineConfig } from 'vitest/config'
import { measurePace } from './proxy/scripts/machine-pace.ts'

/** Limits say that something hangs; on a machine that is busy with other work everything takes longer. */
const pace = Number(process.env.TEST_PACE) || measurePace()

const project = (name: string, include: string[], testTimeout: number) => ({
  test: {
    name,
    include,
    testTimeout: testTimeout * pace,
    hookTimeout: 120_000 * pace,
    expect: { poll: { timeout: 10_000 * pace } },
  },
})

/** Four projects: unit tests beside the source; the rest by what they need and prove. */
export default defineConfig({
  test: {
    // Real containers and sockets share two cores on small machines.
    maxWorkers: 2,
    env: { TEST_PACE: String(pace) },
    projects: [
      project('unit', ['proxy/src/**/*.test.ts'], 20_000),
      project('contract', ['proxy/test/contract/**/*.test.ts'], 60_000),
      project('integration', ['proxy/test/integration/**/*.test.ts'], 90_000),
      project('adversarial', ['proxy/test/adversarial/**/*.test.ts'], 90_000),
    ],
  },
})
