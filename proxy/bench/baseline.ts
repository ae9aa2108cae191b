import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from './support.ts'

/** What "today's build" of the goals is: the last commit before them that the history has. */
const BASELINE_COMMIT = 'ac05cb87'

/** The sources of the baseline, below the folder, with the packages of this checkout. Throws where git does not have it. */
export function baselineCheckout(folder: string): string {
  const root = join(folder, 'baseline')
  mkdirSync(root)
  const archive = execFileSync(
    'git',
    [
      'archive',
      BASELINE_COMMIT,
      'package.json',
      'proxy/package.json',
      'proxy/src',
      'proxy/scripts',
      'sandbox-images',
    ],
    { cwd: repositoryRoot, maxBuffer: 256 << 20 },
  )
  execFileSync('tar', ['-x', '-C', root], { input: archive })
  linkPackages(root)
  return root
}

/** A folder with the packages, and what `npm run build` makes of the sources of a checkout. */
export function installationOf(checkout: string, folder: string): string {
  const to = join(folder, 'proxy/dist')
  mkdirSync(to, { recursive: true })
  for (const file of ['package.json', 'proxy/package.json']) cpSync(join(checkout, file), join(folder, file))
  symlinkSync(join(checkout, 'sandbox-images'), join(folder, 'sandbox-images'))
  linkPackages(folder)
  const script = join(checkout, 'proxy/scripts/compile.ts')
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', script, to])
  const main = join(to, 'main.js')
  // An earlier script writes beside its sources, wherever it is told to.
  return existsSync(main) ? main : join(checkout, 'proxy/dist/main.js')
}

function linkPackages(root: string): void {
  for (const path of ['node_modules', 'proxy/node_modules']) {
    if (existsSync(join(repositoryRoot, path))) symlinkSync(join(repositoryRoot, path), join(root, path))
  }
}
