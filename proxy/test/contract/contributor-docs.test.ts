import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'

/** Pages for contributors name files and functions; each of them is there. Commands and links: docs.test.ts. */
const ROOT = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const list = (folder: string): string[] =>
  readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md'))
const DECISIONS = list('docs/decisions').filter((name) => name !== 'README.md')
/** `npm test` hands its options on to Vitest. */
const TAKES_NO_OPTIONS = new Set([
  'proxy/scripts/run-tests.ts',
  'proxy/scripts/check-imports.ts',
  'proxy/scripts/screenshots.ts',
])
const RECIPES = list('docs/recipes').map((name) => `docs/recipes/${name}`)
const PAGES = ['docs/architecture.md', 'AGENTS.md', 'CONTRIBUTING.md', 'SECURITY.md', ...RECIPES]

/** Pages for users, whose code spans name files of other programs as well. */
const USER_PAGES = [
  'README.md',
  'DEPLOYMENT.md',
  'CHANGELOG.md',
  ...list('docs').map((name) => `docs/${name}`),
  ...list('docs/clients').map((name) => `docs/clients/${name}`),
]

test.each(USER_PAGES)('%s names source files that are there', (page) => {
  const names = [...read(page).matchAll(/`(?:[\w./-]+\/)?([\w-]+(?:\.test)?\.ts)`/g)].map(
    (match) => match[1] ?? '',
  )
  expect(names.filter((name) => !FILES.has(name) && !OF_READERS.has(name))).toEqual([])
})

describe.each(PAGES)('%s', (page) => {
  const spans = [...read(page).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')

  it('names files and folders that are there', () => {
    const paths = [...spans, ...blocksOf(read(page))].flatMap(
      (text) =>
        text.match(/(?<![\w./-])(?:proxy|docs|sandbox-images|\.ci|findings)\/[\w./-]*[\w-]|\.[\w-]+\.cjs/g) ??
        [],
    )
    expect(paths.filter((path) => !BUILT.has(path) && !existsSync(join(ROOT, path)))).toEqual([])
  })

  it('names modules that are there', () => {
    const modules = spans.filter((span) => MODULE_PATH.test(span))
    expect(modules.filter((module) => !existsSync(join(ROOT, 'proxy/src', module)))).toEqual([])
  })

  it('names files by their last part that are somewhere', () => {
    const names = spans.filter((span) => /^[\w.-]+\.(?:ts|js|mjs|py|json)$/.test(span))
    expect(names.filter((name) => !FILES.has(name) && !existsSync(join(ROOT, name)))).toEqual([])
  })

  it('names functions, types and constants of the sources', () => {
    const names = spans.filter((span) => /^(?:[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+|[A-Z]+_[A-Z_]+)$/.test(span))
    expect(names.filter((name) => !WORDS.has(name))).toEqual([])
  })
})

const OWN_COMMANDS = Object.entries(
  (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts,
).flatMap(([name, line]) => {
  const [, file] = /^(?:exec )?node (proxy\/(?:scripts|bench|test)\/\S+\.ts)$/.exec(line) ?? []
  return file === undefined || TAKES_NO_OPTIONS.has(file) ? [] : [[name, file] as const]
})

describe('a command of the project', () => {
  it.each(OWN_COMMANDS)('%s begins nothing when it is told what it does not know', (_name, file) => {
    const { status, stderr } = spawnSync(process.execPath, [file, '--no-such-option'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([2, expect.stringContaining('-- --help')])
  })

  it('says what it does and takes', () => {
    const { status, stdout } = spawnSync(process.execPath, ['proxy/test/torture/main.ts', '--help'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(stdout).toMatch(/--kills N +how often it is killed \(200\)/)
  })
})

const SOURCES = ['proxy/src', 'proxy/console/src', 'proxy/scripts', 'proxy/test'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:tsx?|py|js|json)$/.test(name) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`),
)
/** By hand, in the languages of the project. */
const WRITTEN = ['proxy', 'sandbox-images', 'integrations', 'findings'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => /\.(?:tsx?|[cm]?js|css|sh|py)$/.test(name) && !/(?:^|\/)(?:node_modules|dist)\//.test(name),
    )
    .map((name) => `${folder}/${name}`),
)
const MODULE_PATH = new RegExp(
  `^(?:${readdirSync(join(ROOT, 'proxy/src'))
    .filter((name) => !name.endsWith('.ts'))
    .join('|')})/[\\w/.-]*$`,
)
/** What `npm run build` makes. */
const BUILT = new Set(['proxy/dist'])
/** Programs that a page has its reader write. */
const OF_READERS = new Set(['skill.ts'])
const FILES = new Set(SOURCES.map((path) => path.split('/').at(-1)))
const WORDS = new Set(
  SOURCES.filter((path) => path.endsWith('.ts')).flatMap((path) => read(path).match(/\w+/g) ?? []),
)

it('comments name headings of pages that are there', () => {
  const cited = WRITTEN.flatMap((path) =>
    [...read(path).matchAll(/\b((?:docs\/[\w./-]+|[A-Z]{4,})\.md)(?:,| says under) "([^"\n]+)"/g)].map(
      ([, page = '', heading = '']) => ({ path, page, heading }),
    ),
  )
  expect(cited.length).toBeGreaterThan(2)
  const headingsOf = (page: string): string[] =>
    existsSync(join(ROOT, page)) ? [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text) : []
  expect(cited.filter(({ page, heading }) => !headingsOf(page).includes(heading))).toEqual([])
})

it('findings/README.md names every finding, once', () => {
  const scripts = readdirSync(join(ROOT, 'findings')).filter((name) => name.endsWith('.sh'))
  const named = [...read('findings/README.md').matchAll(/\]\(([\w-]+\.sh)\)/g)].map(([, name]) => name)
  expect(scripts.length).toBeGreaterThan(20)
  expect(named.toSorted()).toEqual(scripts.toSorted())
})

describe('AGENTS.md', () => {
  it('is one page: at most 150 lines', () => {
    expect(read('AGENTS.md').split('\n').length).toBeLessThanOrEqual(151)
  })

  it('bounds files of source, which have 400 lines at most', () => {
    const lengths = WRITTEN.map((path) => [path, read(path).split('\n').length - 1] as const)
    expect(lengths.length).toBeGreaterThan(1_000)
    expect(lengths.filter(([, lines]) => lines > 400)).toEqual([])
  })

  it('cites invariants that docs/security.md has', () => {
    const numbers = [...read('docs/security.md').matchAll(/^\| (\d+) \|/gm)].map((match) => match[1])
    const cited = [...read('AGENTS.md').matchAll(/\| ((?:\d+, )*\d+) \|$/gm)].flatMap((match) =>
      match[1]?.split(', '),
    )
    expect(cited.length).toBeGreaterThan(20)
    expect(cited.filter((number) => !numbers.includes(number))).toEqual([])
  })

  it('has a line for every folder at the top of proxy/src', () => {
    const folders = readdirSync(join(ROOT, 'proxy/src'), { withFileTypes: true }).filter((one) =>
      one.isDirectory(),
    )
    const page = read('AGENTS.md')
    const left = folders.filter(({ name }) => !page.includes(`proxy/src/${name}`))
    expect(left.map(({ name }) => name)).toEqual([])
  })

  it('has the scripts of package.json that contributors run', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const page = read('AGENTS.md')
    const left = Object.keys(scripts).filter((name) => !/^(?:start|demo|build|check:\w+)$/.test(name))
    expect(
      left.filter((name) => !page.includes(`npm run ${name}`) && !page.includes(`\`npm ${name}\``)),
    ).toEqual([])
  })
})

describe('a decision', () => {
  const statusOf = (name: string): string =>
    /^\*\*Status\.\*\* (.+)$/m.exec(read(`docs/decisions/${name}`))?.[1] ?? ''

  it.each(DECISIONS)('%s says whether it holds, and is in the list with that', (name) => {
    const status = statusOf(name)
    expect(status).toMatch(/^(?:Accepted|Superseded by \[\d{4}\])/)
    const row = read('docs/decisions/README.md')
      .split('\n')
      .find((line) => line.includes(`](${name}) | `))
    expect(row).toBeDefined()
    expect(row?.includes('superseded by')).toBe(status.includes('Superseded by'))
    expect(row?.includes('| superseded')).toBe(status.startsWith('Superseded'))
  })

  it('that supersedes another is named there, and names it', () => {
    for (const name of DECISIONS) {
      for (const [, by = ''] of statusOf(name).matchAll(/Superseded by \[\d{4}\]\(([^)]+)\)/g)) {
        expect(statusOf(by), `${by} supersedes ${name}`).toMatch(/Supersedes/)
        expect(statusOf(by)).toContain(`](${name})`)
      }
    }
  })
})

function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
}
