import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { LEVELS } from '../../scripts/import-levels.ts'
import { EXIT, noPrograms, runCli } from '../../src/cli/index.ts'
import { SETTINGS } from '../../src/config/index.ts'
import { ERROR_TABLE } from '../../src/kernel/index.ts'

/** What the documents say, held against the code. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const PAGES = markdownFiles(ROOT)
/** Read by docker-compose, not by the daemon. */
const COMPOSE_ONLY = ['DOCKER_GID']
/** Read by clients, tests and tools, not by the daemon. */
const CLIENT_ONLY = [
  'CLAWDFORGE_TOKEN',
  'OAUTH3_URL',
  'OAUTH3_TOKEN',
  'OAUTH3_SOCKET',
  'OAUTH3_TENANT',
  'OAUTH3_ARGS',
  'OAUTH3_REQUIRE_BOTOCORE',
  'OAUTH3_REQUIRE_CHROMIUM',
  'OAUTH3_REQUIRE_DOCKER',
]

describe('links in the documents', () => {
  it.each(PAGES)('of %s lead to files and headings that are there', (page) => {
    const broken = linksOf(read(page)).filter((link) => !leadsSomewhere(page, link))
    expect(broken).toEqual([])
  })
})

describe('environment variables', () => {
  it('of .env.example are the settings of the daemon, all of them and no others', () => {
    const named = [...read('.env.example').matchAll(/^([A-Z0-9_]+)=/gm)].map((match) => match[1] ?? '')
    expect(named.toSorted()).toEqual([...Object.keys(SETTINGS), ...COMPOSE_ONLY].sort())
  })

  it.each(PAGES)('that %s names exist', (page) => {
    const named =
      read(page).match(
        /\b(?:OAUTH3|CLAWDFORGE|TELEGRAM|OPENCLAW)_[A-Z0-9_]*[A-Z0-9]\b(?!_)|\bDB_PATH\b|\bLOG_LEVEL\b/g,
      ) ?? []
    const known = new Set<string>([...Object.keys(SETTINGS), ...COMPOSE_ONLY, ...CLIENT_ONLY])
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })
})

it('docs/architecture.md names each module that has a level', () => {
  const page = read('docs/architecture.md')
  const modules = Object.values(LEVELS).flat()
  expect(modules.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\`${name}/\``))).toEqual(
    [],
  )
})

describe('the invariants of docs/security.md', () => {
  const CALL =
    /\b(?:it|test)(?<how>(?:\.\w+)*)(?:\([^\n]*?\))?\(\s*(?<quote>['"`])(?<title>(?:\\.|(?!\k<quote>).)+)\k<quote>/g
  /** A table over several lines ends with a bracket below the beginning of its call. */
  const CALL_WITH_TABLE =
    /^(?<indent> *)(?:it|test)(?<how>(?:\.\w+)*)(?:<[^\n]*>)?\(\[\n[\s\S]*?^\k<indent>\][^\n]*?\)\(\s*(?<quote>['"`])(?<title>(?:\\.|(?!\k<quote>).)+)\k<quote>/gm
  const rows = [
    ...read('docs/security.md').matchAll(/^\| (\d+) \| .+ \| `([^`]+\.test\.ts)`: "(.+)" \|$/gm),
  ].map(([, number = '', file = '', title = '']) => ({ number, file, title }))

  it('are numbered from 1 without a gap, and every row of the table names a test', () => {
    const allRows = read('docs/security.md').match(/^\| \d+ \|.*$/gm) ?? []
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.map(({ number }) => number)).toEqual(allRows.map((_row, index) => String(index + 1)))
  })

  it.each(rows)(
    'number $number: "$title" is a test of $file that is not skipped for good',
    ({ file, title }) => {
      const source = read(file)
      const call = [...source.matchAll(CALL), ...source.matchAll(CALL_WITH_TABLE)].find(
        ({ groups }) => groups?.title?.replaceAll(/\\(.)/g, '$1') === title,
      )
      expect(call, `no such test in ${file}`).toBeDefined()
      expect(call?.groups?.how).not.toMatch(/\.(skip|todo)/)
    },
  )
})

describe('commands in the documents', () => {
  const pages = PAGES.filter((page) => !page.startsWith('docs/openclaw-skill'))

  it('of oauth3 are commands of the program, with options that it has', async () => {
    const help = new Map<string, string>()
    const helpOf = async (path: readonly string[]): Promise<string> => {
      const key = path.join(' ')
      const known = help.get(key)
      if (known !== undefined) return known
      const text = await run([...path, '--help'])
      help.set(key, text)
      return text
    }
    const problems: string[] = []
    for (const page of pages) {
      for (const line of commandsOf(read(page))) {
        const problem = await problemOf(line, helpOf)
        if (problem !== undefined) problems.push(`${page}: "oauth3 ${line}": ${problem}`)
      }
    }
    expect(problems).toEqual([])
    expect(help.size).toBeGreaterThan(8)
  })

  it('of npm are scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const unknown = pages.flatMap((page) =>
      [...read(page).matchAll(/\bnpm (?:run ([\w:]+)|(test|start))\b/g)]
        .map((match) => match[1] ?? match[2] ?? '')
        .filter((name) => scripts[name] === undefined)
        .map((name) => `${page}: ${name}`),
    )
    expect(unknown).toEqual([])
  })
})

it('DEPLOYMENT.md says what to do about every error code', () => {
  const page = read('DEPLOYMENT.md')
  const left = Object.keys(ERROR_TABLE).filter(
    (code) => !page.includes(`\`${code}\``) && !['not_found', 'method_not_allowed'].includes(code),
  )
  expect(left).toEqual([])
})

const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).status === 0
it.runIf(hasAnalyzer)('the systemd unit is one that systemd takes', () => {
  // Its program is not installed here; nothing else may be complained of.
  const { stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', join(ROOT, 'docs/systemd/oauth3.service')],
    {
      encoding: 'utf8',
    },
  )
  const complaints = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.includes('oauth3.service') && !line.includes('/opt/oauth3/'))
  expect(complaints).toEqual([])
})

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.') || entry.name === 'dist') return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return markdownFiles(path)
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : []
  })
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

function linksOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return false
  return heading === undefined || headingsOf(read(target)).includes(heading)
}

/** Headings as anchors, the way that GitHub makes them. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** What stands behind `oauth3` in code: lines of shell blocks, and whole inline spans. */
function commandsOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].flatMap((match) =>
    (match[1] ?? '').split('\n'),
  )
  const spans = [...markdown.matchAll(/`(oauth3 [^`\n]+)`/g)].map((match) => match[1] ?? '')
  return [...blocks, ...spans].flatMap((line) => {
    const bare = line.replace(/\s#.*$/, '').trim()
    const found = /(?:^|\/\.bin\/|npx |exec (?:-T )?oauth3 )oauth3 (.+)$/.exec(bare)
    const rest = found?.[1]?.replace(/[<>|].*$/, '').trim()
    return rest === undefined || rest === '…' ? [] : [rest]
  })
}

async function problemOf(
  line: string,
  helpOf: (path: readonly string[]) => Promise<string>,
): Promise<string | undefined> {
  const words = line.split(/\s+/)
  const path: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--socket') {
      at += 1
      continue
    }
    const help = await helpOf(path)
    if (word.startsWith('--')) {
      if (!new RegExp(`${word}(?![\\w-])`).test(help)) return `no option ${word}`
      continue
    }
    if (subcommands(help).includes(word)) path.push(word)
    else if (path.length === 0) return `no command ${word}`
    else if (subcommands(help).length > 0) return `no command ${word}`
  }
  return undefined
}

function subcommands(help: string): string[] {
  const section = /^Commands:\n((?: {2}.*\n?)+)/m.exec(help)?.[1] ?? ''
  return [...section.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? '')
}

async function run(argv: readonly string[]): Promise<string> {
  let text = ''
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const around = { stdin: process.stdin, stdout: sink, stderr: sink, env: {}, cwd: '/' }
  const code = await runCli(argv, around as never, noPrograms('0'))
  expect(code, `${argv.join(' ')}:\n${text}`).toBe(EXIT.done)
  return text
}
