import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutPostgres } from '../test/support/postgres-binaries.ts'
import { measurePace } from './machine-pace.ts'

/**
 * `npm test`: every test that this machine can carry, then what was skipped and why. A test says why by pushing a
 * line into the file that OAUTH3_SKIP_REPORT names (see test/support/docker.ts).
 */
const pace = measurePace()
if (pace > 1.2)
  console.log(`This machine takes ${pace.toFixed(1)} times as long as usual: limits are stretched.`)

const root = join(fileURLToPath(import.meta.url), '../../..')
const folder = mkdtempSync(join(tmpdir(), 'oauth3-tests-'))
const resultFile = join(folder, 'result.json')
try {
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--reporter=${join(root, 'proxy/test/support/failure-reporter.ts')}`,
      `--outputFile.json=${resultFile}`,
      ...process.argv.slice(2),
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      // Daemons and commands that tests start are compiled once: half of what their starts take.
      env: {
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node-compile'),
        ...process.env,
        TEST_PACE: String(pace),
      },
    },
  )
  report(resultFile)
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { status: string; fullName: string }[]
  }[]
}

function report(file: string): void {
  let result: VitestReport
  try {
    result = JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    console.error('The test runner ended without a report.')
    return
  }
  const skipped = result.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'pending' || status === 'skipped' || status === 'todo')
      .map(({ fullName }) => `${name.replace(`${root}/`, '')}: ${fullName}`),
  )
  if (skipped.length > 0) {
    console.log(`\nSkipped on this machine (${skipped.length}); the reason stands in brackets:`)
    for (const line of skipped) console.log(`  ${line}`)
  }
  const missing = withoutPostgres()
  if (missing !== undefined) console.log(`\nThe project postgres was left out: ${missing}`)
  console.log(
    `\n${result.numPassedTests} passed, ${result.numFailedTests} failed, ${result.numPendingTests} skipped`,
  )
}
