import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/**
 * A repository of its own with the files of this one as they are now, committed: for what changes sources or looks at what git says.
 * Packages are those of this checkout. Throws where this is no checkout of git.
 */
export function copyCheckout(to: string): void {
  const files = git(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')
  for (const file of files) {
    if (file === '' || !existsSync(join(ROOT, file))) continue
    mkdirSync(dirname(join(to, file)), { recursive: true })
    cpSync(join(ROOT, file), join(to, file))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'))
  git(to, 'init', '-q', '-b', 'main')
  // A link is no folder to the pattern of .gitignore.
  appendFileSync(join(to, '.git/info/exclude'), 'node_modules\n')
  git(to, 'add', '-A')
  git(to, ...AS_NOBODY, 'commit', '-q', '-m', 'as it is')
}

const AS_NOBODY = [
  '-c',
  'user.name=nobody',
  '-c',
  'user.email=nobody@example.com',
  '-c',
  'commit.gpgsign=false',
]

function git(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout
}
