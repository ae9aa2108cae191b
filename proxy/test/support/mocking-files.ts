import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')

/** Of the test files that match: those that replace modules (`vi.mock`), which a worker of their own has to load. */
export const filesThatMock = (patterns: readonly string[]): string[] =>
  globSync(patterns, { cwd: ROOT }).filter((file) =>
    readFileSync(join(ROOT, file), 'utf8').includes('vi.mock('),
  )
