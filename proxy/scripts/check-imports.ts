import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LEVELS, PROVEN_RULES } from './import-levels.ts'

/**
 * Holds the import directions, and first proves that each rule can fail: every import of its planted breach must be found. A
 * cruiser that resolves nothing passes everything, so the number of modules is checked as well, and that every folder with an
 * `index.ts` stands in the table: one that does not would be bound by nothing.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const src = join(root, 'proxy/src')

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

const planted = PROVEN_RULES.flatMap(({ rule, breach, beside = {} }) =>
  Object.entries({ ...breach, ...beside }).map(([file, imports]) => ({
    rule: rule.name,
    file: `proxy/src/${file}`,
    imports,
    isExpected: Object.hasOwn(breach, file),
  })),
)

function provesItCanFail(): string[] {
  try {
    for (const { file, imports } of planted) {
      const lines = imports.map((path, at) => `import * as breach${at} from '${path}'\n`)
      const used = `export const planted = [${imports.map((_, at) => `breach${at}`).join(', ')}]\n`
      writeFileSync(join(root, file), [...lines, used].join(''), { flag: 'wx' })
    }
    const { violations } = cruise().summary
    return planted.flatMap(({ rule, file, imports, isExpected }) => {
      if (!isExpected) return []
      const found = new Set(
        violations.filter((one) => one.rule.name === rule && one.from === file).map(({ to }) => to),
      )
      const missing = imports.length - found.size
      return missing > 0 ? [`${rule}: ${missing} of ${imports.length} imports of ${file}`] : []
    })
  } finally {
    for (const { file } of planted) rmSync(join(root, file), { force: true })
  }
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const modules = new Set(Object.values(LEVELS).flat())
/** Parts of one module, which have an index of their own for its other files. */
const INSIDE =
  /^(?:contracts\/(?:accounts|admin|agent|claude-runs|console|registry)|executions\/facts\/text|executions\/reading\/\w+|storage\/(?:lock|migrations\/\w+))$/
const unlisted = files
  .filter((name) => name.endsWith('/index.ts'))
  .map((name) => dirname(name))
  .filter((name) => !modules.has(name) && !INSIDE.test(name) && !/^(?:cli|demo|init|compose)$/.test(name))
const withoutIndex = [...modules].filter((name) => !files.includes(`${name}/index.ts`))

const missed = provesItCanFail()
const { totalCruised, violations } = cruise().summary
const failures = [
  ...violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  ...missed.map((text) => `planted breach was not found: ${text}`),
  ...unlisted.map((name) => `proxy/src/${name} has an index.ts and stands on no level of import-levels.ts`),
  ...withoutIndex.map((name) => `proxy/src/${name} stands on a level and has no index.ts`),
  ...PROVEN_RULES.filter(({ breach }) => Object.values(breach).flat().length === 0).map(
    ({ rule }) => `${rule.name}: nothing proves it`,
  ),
  ...(totalCruised < files.length ? [`only ${totalCruised} of ${files.length} modules were read`] : []),
]
for (const failure of failures) console.error(failure)
console.log(
  failures.length > 0
    ? 'import directions: FAILED'
    : `import directions: ${totalCruised} files hold, all breaches of ${PROVEN_RULES.length} rules found`,
)
process.exitCode = failures.length > 0 ? 1 : 0
