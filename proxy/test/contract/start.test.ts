/** However the daemon is started, Node and the allocator are told the same. */
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const FLAG =
  /--(?:(?:max-semi-space-size|initial-old-space-size|heap-growing-percent|bytecode-old-age)=[0-9]+|no-allocation-site-pretenuring|no-parallel-scavenge|expose-gc)/g
const SETTING = /(MALLOC_[A-Z_]+?_?)(?:=|: ')([0-9]+)/g

it.each([
  'package.json',
  'proxy/Dockerfile',
  'proxy/bin/oauth3.js',
  'docs/systemd/oauth3.service',
  'proxy/bench/support.ts',
])('%s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const settings = [...text.matchAll(SETTING)].map(([, name, value]) => `${name}=${value}`)
  expect([...new Set([...(text.match(FLAG) ?? []), ...settings])].sort()).toEqual([
    '--bytecode-old-age=2',
    '--expose-gc',
    '--heap-growing-percent=30',
    '--initial-old-space-size=64',
    '--max-semi-space-size=16',
    '--no-allocation-site-pretenuring',
    '--no-parallel-scavenge',
    'MALLOC_ARENA_MAX=2',
    'MALLOC_TRIM_THRESHOLD_=131072',
  ])
})

it('a checkout has a command that can be executed', () => {
  accessSync(join(ROOT, 'proxy/bin/oauth3.js'), constants.X_OK)
})
