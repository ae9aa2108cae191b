/** What the build of the web console leaves, as a browser gets it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ADMIN_ROUTES } from '../../src/contracts/admin/index.ts'
import { buildConsole } from '../support/console-build.ts'

const DIST = mkdtempSync(join(tmpdir(), 'oauth3-console-'))
const read = (name: string): string => readFileSync(join(DIST, name), 'utf8')
const filesOf = (): string[] =>
  readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(DIST.length + 1))

beforeAll(() => buildConsole(DIST))
afterAll(() => rmSync(DIST, { recursive: true, force: true }))

/** What the first page asks for before it can be used. */
const firstFiles = (): string[] =>
  [...read('index.html').matchAll(/(?:src|href)="\/console\/([^"]+\.(?:js|css))"/g)].map(
    ([, name = '']) => name,
  )

it('the first screen is at most 40 KB of scripts and styles, by brotli', () => {
  const files = firstFiles()
  expect(new Set(files.map((name) => name.split('.').at(-1)))).toEqual(new Set(['css', 'js']))
  const bytes = files.map((name) => statSync(join(DIST, `${name}.br`)).size)
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(40_000)
})

it('nothing stands inline in the page, and what it asks for is of its own origin', () => {
  const html = read('index.html')
  expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)[^>]*>|\sstyle=|\son\w+=|https?:|\/\/(?=\w)/)
  const styles = filesOf().filter((name) => name.endsWith('.css'))
  for (const name of styles) expect(read(name)).not.toMatch(/url\(|@import/)
})

it('each text has its brotli and gzip beside it, which are it', () => {
  const texts = filesOf().filter((name) => /\.(?:html|js|css|svg)$/.test(name))
  expect(texts.length).toBeGreaterThan(4)
  for (const name of texts) {
    const content = readFileSync(join(DIST, name))
    expect(brotliDecompressSync(readFileSync(join(DIST, `${name}.br`))).equals(content)).toBe(true)
    expect(gunzipSync(readFileSync(join(DIST, `${name}.gz`))).equals(content)).toBe(true)
  }
})

it('the page knows every route of the owner’s table by its path, and holds no schema', () => {
  const scripts = filesOf()
    .filter((name) => name.endsWith('.js'))
    .map(read)
    .join('\n')
  const paths = Object.values(ADMIN_ROUTES).map(({ path }) => path)
  expect(paths.filter((path) => !scripts.includes(path))).toEqual([])
  // Nor anything of this machine: NODE_ENV of whoever builds it makes no other page.
  const alien = ['ZodError', 'new Function(', 'eval(', 'fileName:', join(import.meta.dirname, '../../..')]
  expect(alien.filter((text) => scripts.includes(text))).toEqual([])
})
