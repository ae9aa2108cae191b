import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MAX_BYTES, type Manifest, SHOTS } from '../../scripts/screenshots/shots.ts'

const ROOT = join(import.meta.dirname, '../../..')
const IMAGES = join(ROOT, 'docs/images')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const manifest = JSON.parse(read('docs/images/console.json')) as Manifest

it('the pictures of the console are those that the script takes, each of a size to load, and each is shown', () => {
  expect(manifest.shots, 'run `npm run screenshots`').toEqual(SHOTS)
  const files = SHOTS.map(({ name }) => `console-${name}.png`)
  expect(
    readdirSync(IMAGES)
      .filter((name) => name.endsWith('.png'))
      .toSorted(),
  ).toEqual(files.toSorted())
  const texts = read('README.md') + read('docs/console.md')
  for (const file of files) {
    expect(existsSync(join(IMAGES, file)) && statSync(join(IMAGES, file)).size, file).toBeLessThan(MAX_BYTES)
    expect(texts, 'shown nowhere').toContain(`images/${file}`)
  }
})

it('the pictures of the console are of its present pages: run `npm run screenshots` after a change of the navigation', () => {
  const table = read('proxy/console/src/pages/table.ts')
  const pages = [...table.matchAll(/path: '([^']+)',\s*title: '([^']+)',\s*(nav: (?!.*phone: 'only'))?/g)]
  expect(pages.length).toBeGreaterThan(9)
  expect(manifest.navigation).toEqual(pages.flatMap(([, , title, nav]) => (nav ? [title] : [])))
  const paths = pages.map(([, path]) => path)
  expect(SHOTS.filter(({ page }) => !paths.includes(page))).toEqual([])
})
