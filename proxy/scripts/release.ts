import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommandLine, refuse } from './command-line.ts'
import { releaseNotes, versionOf, versionProblems } from './release-checks.ts'

const ROOT = join(import.meta.dirname, '../..')
const OUT = join(ROOT, '.stage')
const USAGE = {
  command: 'npm run release',
  does: `Checks that the tree is one that can be released, builds it out of the archive that would be published, and prints what
would be tagged and pushed.`,
  options: {
    'dry-run': { type: 'boolean', says: 'nothing else, which is also what happens without it' },
    publish: { type: 'boolean', says: 'tags and pushes' },
  },
} as const
const { values } = readCommandLine(USAGE)
if (values['dry-run'] && values.publish) refuse(USAGE, '--dry-run and --publish are two things')
const publish = values.publish === true

const version = versionOf(ROOT)
const tag = `v${version}`
const say = (what: string, text: string): void => console.log(`  ${what.padEnd(10)} ${text}`)
console.log(`release ${version}${publish ? '' : ' (dry run)'}`)

const notes = releaseNotes(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), version)
const problems = [...treeProblems(), ...versionProblems(ROOT, version), ...notesProblems()]
if (problems.length > 0) fail(problems)
const commit = run('git', 'rev-parse', 'HEAD').trim()
const text = 'text' in notes ? notes.text : ''
say('tree', `clean, at ${commit}`)
say('version', `${version} wherever one is named`)
say(
  'changelog',
  `${text.split('\n').length} lines${'dated' in notes && notes.dated ? '' : ', still under Unreleased'}`,
)

const archive = pack()
const problem = builds(archive)
if (problem !== undefined) fail([problem])
say('build', `the archive builds, and its oauth3 says ${version}`)
const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex')
writeFileSync(`${archive}.sha256`, `${sha256}  oauth3-${version}.tar.gz\n`)
writeFileSync(join(OUT, `notes-${version}.md`), `${text}\n`)
say('archive', `.stage/oauth3-${version}.tar.gz, ${statSync(archive).size} bytes, sha256 ${sha256}`)

if (publish) {
  run('git', 'tag', '-a', tag, '-m', `OAuth3 ${version}`, commit)
  run('git', 'push', 'origin', `refs/tags/${tag}`)
  say('tagged', `${tag}, and pushed to origin`)
  say('left', 'the release of the tag: upload the archive, its .sha256 and the notes from .stage')
} else {
  say('would tag', `${tag} at ${commit}`)
  say('would push', `${tag} to origin`)
  say('would give', `the archive, its .sha256 and notes-${version}.md to the release of the tag`)
  console.log('Nothing was tagged or pushed: that takes --publish.')
}

function treeProblems(): string[] {
  const changed = run('git', 'status', '--porcelain').trimEnd()
  const tagged = run('git', 'tag', '--list', tag).trim()
  return [
    ...(changed === '' ? [] : [`the tree is not clean:\n${changed}`]),
    ...(tagged === '' ? [] : [`${tag} is a tag already`]),
  ]
}

/** What a dry run lets pass: the day of a release is written down when there is one. */
function notesProblems(): string[] {
  if ('problem' in notes) return [notes.problem]
  if (!publish) return []
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  return [
    ...(notes.dated ? [] : [`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD"`]),
    ...(/^Status: .*unreleased/m.test(readme) ? ['README.md says that it is unreleased'] : []),
  ]
}

function pack(): string {
  mkdirSync(OUT, { recursive: true })
  const file = join(OUT, `oauth3-${version}.tar.gz`)
  run('git', 'archive', '--format=tar.gz', `--prefix=oauth3-${version}/`, '-o', file, 'HEAD')
  return file
}

/** Builds what is in the archive, not what is in the folder: a file that git ignores would be missing. */
function builds(file: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-release-'))
  try {
    run('tar', '-xzf', file, '-C', folder)
    const root = join(folder, `oauth3-${version}`)
    for (const packages of ['node_modules', 'proxy/node_modules']) {
      if (existsSync(join(ROOT, packages))) symlinkSync(join(ROOT, packages), join(root, packages))
    }
    const node = (...args: string[]): string =>
      run(
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        ...args.map((arg) => arg.replace(/^@/, `${root}/`)),
      )
    node('@proxy/scripts/compile.ts')
    node('@proxy/scripts/build-console.ts')
    node('@proxy/scripts/generate-reference.ts', '--check')
    const printed = node('@proxy/dist/main.js', '--version').trim()
    return printed === version ? undefined : `the built program says ${printed}, package.json ${version}`
  } catch (error) {
    return `the archive does not build: ${(error as Error).message}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

function fail(why: readonly string[]): never {
  for (const line of why) console.error(`  not ready  ${line}`)
  process.exit(1)
}
