import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { setup } from '../support/postgres-server.ts'

afterEach(() => vi.unstubAllEnvs())

it('a run of tests that a test starts leaves the server of the outer run alone', () => {
  const outer = mkdtempSync(join(tmpdir(), 'oauth3-postgres-outer-'))
  vi.stubEnv('TEST_POSTGRES_FOLDER', outer)
  vi.stubEnv('TEST_POSTGRES_RUN', String(process.ppid))
  const teardown = setup()
  const own = process.env.TEST_POSTGRES_FOLDER
  setup()
  expect(process.env.TEST_POSTGRES_FOLDER).toBe(own)
  teardown()
  expect(existsSync(outer)).toBe(true)
  rmSync(outer, { recursive: true })
})
