/** What an install and an image are made of. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const steps = read('proxy/Dockerfile')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => /^(?:FROM|COPY|RUN) /.test(line))

it('the layer of packages is made of package files alone, and of production packages', () => {
  const at = steps.findIndex((step) => step.startsWith('RUN npm ci '))
  expect(steps[at]).toContain(' --omit=dev ')
  const copied = steps.slice(0, at).filter((step) => step.startsWith('COPY '))
  expect(copied).toEqual([
    'COPY package.json package-lock.json .npmrc ./',
    'COPY proxy/package.json proxy/',
    'COPY proxy/bin proxy/bin',
  ])
})

it('what changes with every commit comes last, and no stage is made of it', () => {
  const source = steps.findIndex((step) => step.startsWith('COPY proxy/src '))
  expect(source).toBeGreaterThan(steps.findLastIndex((step) => step.startsWith('FROM ')))
  expect(steps.slice(source + 1)).toEqual([
    expect.stringMatching(/^RUN node .*compile\.ts && node .*build-console\.ts && rm -rf proxy\/src /),
  ])
})

it('npm does not warn of the engine: it runs on any Node, and the daemon on its own', () => {
  expect(read('.npmrc')).toMatch(/^loglevel=error$/m)
  for (const page of ['README.md', 'DEPLOYMENT.md']) expect(read(page)).toContain('npm ci --omit=dev')
})

it('what builds the web console is installed without what only tests need', () => {
  const { dependencies } = JSON.parse(read('proxy/package.json')) as { dependencies: Record<string, string> }
  const folder = join(ROOT, 'proxy/console')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^(?:src\/.*\.tsx?|vite\.config\.ts)$/.test(name))
    .map((name) => join('proxy/console', name))
  const packages = [...files, 'proxy/scripts/build-console.ts']
    .flatMap((file) => [
      ...read(file).matchAll(/(?:^(?:import|export|\})[^'\n]* from |^import |import\()'([^'./][^']*)'/gm),
    ])
    .map(([, name = '']) => name)
    .filter((name) => !/^(?:node|virtual):/.test(name))
    .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
  expect([...new Set(packages)]).toContain('preact')
  expect(packages.filter((name) => !Object.hasOwn(dependencies, name))).toEqual([])
})

it('npm ci builds the console, and has nothing to build in the layer of packages', () => {
  expect(JSON.parse(read('package.json')).scripts.prepare).toMatch(/ proxy\/bin\/prepare\.js$/)
  const alone = mkdtempSync(join(tmpdir(), 'oauth3-packages-'))
  try {
    mkdirSync(join(alone, 'bin'))
    cpSync(join(ROOT, 'proxy/bin/prepare.js'), join(alone, 'bin/prepare.js'))
    writeFileSync(join(alone, 'package.json'), '{ "type": "module" }')
    const { status, stderr } = spawnSync(process.execPath, [join(alone, 'bin/prepare.js')], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  } finally {
    rmSync(alone, { recursive: true, force: true })
  }
})
