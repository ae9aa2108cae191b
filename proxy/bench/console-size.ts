import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { capture, printGoal, repositoryRoot } from './support.ts'

const GOAL_KB = 40

/** Consoles of other daemons, from npm: what their page asks for before it shows anything. */
const PEERS = [
  { package: '@bull-board/ui@9.10.2', folder: 'dist', page: 'index.ejs', files: null },
  // Its server writes the page, with these files (`manifestFiles` of @verdaccio/middleware).
  {
    package: '@verdaccio/ui-theme@3.4.1',
    folder: 'static',
    page: null,
    files: /^(?:runtime|vendors|main)\.[0-9a-f]+\.(?:js|css)$/,
  },
] as const

/** JavaScript and CSS of the first screen, in brotli; peers are fetched into a temporary folder. */
export async function benchConsoleSize(): Promise<void> {
  const dist = join(repositoryRoot, 'proxy/console/dist')
  const ours = brotliBytes(dist, namedIn(readFileSync(join(dist, 'index.html'), 'utf8'), '/console/'))
  printGoal(
    `first screen: ${(ours / 1_000).toFixed(1)} kB in brotli`,
    `at most ${GOAL_KB}`,
    ours <= GOAL_KB * 1_000,
  )
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-consoles-'))
  try {
    for (const peer of PEERS) {
      const own = join(folder, peer.package.replace(/[^a-z0-9]+/g, '-'))
      mkdirSync(own)
      const packed = await capture('npm', ['pack', '--silent', peer.package], { cwd: own })
      await capture('tar', ['-xzf', packed.trim()], { cwd: own })
      const root = join(own, 'package', peer.folder)
      const names =
        peer.page === null
          ? readdirSync(root).filter((name) => peer.files.test(name))
          : namedIn(readFileSync(join(root, peer.page), 'utf8'), '')
      const bytes = brotliBytes(root, names)
      console.log(
        `  ${peer.package}: ${(bytes / 1_000).toFixed(1)} kB, ${(bytes / ours).toFixed(1)} times ours`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const namedIn = (html: string, base: string): string[] =>
  [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)]
    .map(([, path = '']) => path)
    .filter((path) => !path.includes('://'))
    .map((path) => path.slice(base.length))

const brotliBytes = (root: string, names: readonly string[]): number => {
  if (names.length === 0) throw new Error(`no files of a first screen in ${root}`)
  return names.reduce((sum, name) => sum + brotliCompressSync(readFileSync(join(root, name))).length, 0)
}
