import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Holds the import directions, and first proves that the check can fail: each planted breach must be found. A cruiser
 * that resolves nothing passes everything, so the number of modules is checked as well.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

interface Cruise {
  readonly summary: {
    readonly totalCruised: number
    readonly violations: readonly { rule: { name: string }; from: string; to: string }[]
  }
}

function cruise(): Cruise {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      'proxy/src',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  )
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser did not answer:\n${stdout}${stderr}`)
  return JSON.parse(stdout) as Cruise
}

const BREACHES = [
  {
    rule: 'kernel-imports-nothing',
    file: 'proxy/src/kernel/planted-breach.ts',
    imports: '../domain/audit/index.ts',
  },
  {
    rule: 'domain-audit',
    file: 'proxy/src/domain/audit/planted-breach.ts',
    imports: '../executions/index.ts',
  },
  {
    rule: 'surface-telegram',
    file: 'proxy/src/surfaces/telegram/planted-breach.ts',
    imports: '../../adapters/storage/index.ts',
  },
  {
    rule: 'contracts-import-kernel',
    file: 'proxy/src/contracts/planted-breach.ts',
    imports: '../domain/audit/index.ts',
  },
  { rule: 'composition-starts-nothing', file: 'proxy/src/compose-planted-breach.ts', imports: './daemon.ts' },
  { rule: 'not-to-dev-dependency', file: 'proxy/src/planted-breach.ts', imports: 'openai' },
  { rule: 'cli-speaks-wire-only', file: 'proxy/src/cli/planted-breach.ts', imports: '../daemon.ts' },
] as const

function provesItCanFail(): string[] {
  try {
    for (const { file, imports } of BREACHES) {
      writeFileSync(
        join(root, file),
        `import * as breach from '${imports}'\nexport const planted = breach\n`,
        { flag: 'wx' },
      )
    }
    const { violations } = cruise().summary
    return BREACHES.filter(
      ({ rule, file }) => !violations.some((found) => found.rule.name === rule && found.from === file),
    ).map(({ rule }) => rule)
  } finally {
    for (const { file } of BREACHES) rmSync(join(root, file), { force: true })
  }
}

const sources = readdirSync(join(root, 'proxy/src'), { recursive: true }).filter((name) =>
  String(name).endsWith('.ts'),
)
const missed = provesItCanFail()
const { totalCruised, violations } = cruise().summary
for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} → ${to}`)
for (const rule of missed) console.error(`planted breach of ${rule} was not found`)
if (totalCruised < sources.length)
  console.error(`only ${totalCruised} of ${sources.length} modules were read`)
const failed = violations.length > 0 || missed.length > 0 || totalCruised < sources.length
console.log(
  failed
    ? 'import directions: FAILED'
    : `import directions: ${totalCruised} modules hold, ${BREACHES.length} planted breaches found`,
)
process.exitCode = failed ? 1 : 0
