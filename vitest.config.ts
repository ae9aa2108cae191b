import { defineConfig } from 'vitest/config'
import { measurePace } from './proxy/scripts/machine-pace.ts'
import { filesThatMock } from './proxy/test/support/mocking-files.ts'
import { withoutPostgres } from './proxy/test/support/postgres-binaries.ts'
import { ON_POSTGRES } from './proxy/test/support/postgres-files.ts'

/** Limits say that something hangs; on a machine that is busy with other work everything takes longer. */
const pace = Number(process.env.TEST_PACE) || measurePace()

const project = (
  name: string,
  include: string[],
  testTimeout: number,
  env = {},
  setups: readonly string[] = [],
  tests: { isolate?: boolean; exclude?: string[]; sequence?: { groupOrder: number } } = {},
) => ({
  test: {
    name,
    env,
    include,
    sequence: { groupOrder: 1 },
    ...tests,
    globalSetup: [
      'proxy/test/support/postgres-server.ts',
      'proxy/test/support/sqlite-template.ts',
      ...setups,
    ],
    testTimeout: testTimeout * pace,
    hookTimeout: 120_000 * pace,
    expect: { poll: { timeout: 10_000 * pace } },
  },
})

const kindsOf = (names: readonly string[]): string[] => names.map((name) => `proxy/test/${name}.test.ts`)

/** Of `vi.mock`: a module that another file has loaded already would not be replaced. */
const mocking = filesThatMock(['proxy/src/**/*.test.ts'])

/**
 * Unit tests beside the source; the rest by what they need and prove. `postgres` has those again that say most of what is stored and
 * who wins, on the other engine.
 */
export default defineConfig({
  test: {
    // Real containers and sockets share two cores on small machines.
    maxWorkers: 2,
    env: { TEST_PACE: String(pace) },
    projects: [
      // A worker's files share what they import, which costs more than most of these tests. Before all others, since it goes on with the
      // next file only where that is of the same project.
      project('unit', ['proxy/src/**/*.test.ts'], 20_000, {}, [], {
        isolate: false,
        exclude: mocking,
        sequence: { groupOrder: 0 },
      }),
      project('mocks', mocking, 20_000),
      project('contract', ['proxy/test/contract/**/*.test.ts'], 60_000),
      project('integration', ['proxy/test/integration/**/*.test.ts'], 90_000),
      project('adversarial', ['proxy/test/adversarial/**/*.test.ts'], 90_000),
      project('browser', ['proxy/test/browser/**/*.test.ts'], 90_000, {}, [
        'proxy/test/support/console-build.ts',
      ]),
      ...(withoutPostgres() === undefined
        ? [project('postgres', kindsOf(ON_POSTGRES), 90_000, { TEST_ENGINE: 'postgres' })]
        : []),
    ],
  },
})
