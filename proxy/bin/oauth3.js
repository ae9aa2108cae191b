#!/usr/bin/env node
// Runs on any Node from 18 on: finds the Node 24 that this package pins and starts the program under it. Plain
// JavaScript, since an older Node reads this file itself.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const source = join(here, '..', 'src', 'main.ts')
const bundle = join(here, '..', 'dist', 'main.js')
// A checkout runs its sources as they are; an installation what `npm run build` made of them, where it was run.
const isCheckout = existsSync(join(here, '..', '..', '.git'))
const main = existsSync(source) && (isCheckout || !existsSync(bundle)) ? source : bundle
const WANTED_MAJOR = 24

function pinnedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    const name = process.platform === 'win32' ? 'node.exe' : 'node'
    const binary = join(dirname(manifest), 'bin', name)
    if (existsSync(binary)) return binary
  } catch {
    // Not installed: the Node at hand may do.
  }
  return Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR ? process.execPath : undefined
}

const node = pinnedNode()
if (node === undefined) {
  console.error(`oauth3: Node ${WANTED_MAJOR} is not installed here; run npm ci in the folder of oauth3.`)
  process.exit(1)
}

// As docs/systemd/oauth3.service starts it: a heap that is kept small, and not collected before it has been loaded, and memory that is freed goes back to the system. Pretenuring: docs/decisions/0010-llm-proxy.md.
const isDaemon = process.argv[2] === 'daemon'
const child = spawn(
  node,
  [
    ...(isDaemon
      ? [
          '--max-semi-space-size=16',
          '--initial-old-space-size=64',
          '--heap-growing-percent=30',
          '--no-allocation-site-pretenuring',
          '--no-parallel-scavenge',
          '--bytecode-old-age=2',
          '--expose-gc',
        ]
      : []),
    main,
    ...process.argv.slice(2),
  ],
  {
    stdio: 'inherit',
    env: isDaemon ? { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072', ...process.env } : process.env,
  },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    // A terminal sends these to the whole foreground group, so the child has its own already.
    if (process.stdin.isTTY && signal !== 'SIGTERM') return
    child.kill(signal)
  })
}
child.on('error', (error) => {
  console.error(`oauth3: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0))
})
