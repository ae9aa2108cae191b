import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: 120_000 },
})

/** Four projects: unit tests beside the source; the rest by what they need and prove. */
export default defineConfig({
  test: {
    // Real containers and sockets share two cores on small machines.
    maxWorkers: 2,
    projects: [
      project('unit', ['proxy/src/**/*.test.ts'], 20_000),
      project('contract', ['proxy/test/contract/**/*.test.ts'], 60_000),
      project('integration', ['proxy/test/integration/**/*.test.ts'], 90_000),
      project('adversarial', ['proxy/test/adversarial/**/*.test.ts'], 90_000),
    ],
  },
})
