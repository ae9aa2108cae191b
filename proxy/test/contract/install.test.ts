/** What an install and an image are made of. */
import { readFileSync } from 'node:fs'
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
    expect.stringMatching(/^RUN node .*compile\.ts && rm -rf proxy\/src /),
  ])
})

it('npm does not warn of the engine: it runs on any Node, and the daemon on its own', () => {
  expect(read('.npmrc')).toMatch(/^loglevel=error$/m)
  for (const page of ['README.md', 'DEPLOYMENT.md']) expect(read(page)).toContain('npm ci --omit=dev')
})
