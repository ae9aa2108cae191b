import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { giveName } from './backup.ts'

const links = vi.hoisted(() => ({ refusedWith: undefined as string | undefined }))
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  const linkSync: typeof real.linkSync = (from, to) => {
    if (links.refusedWith) throw Object.assign(new Error('link'), { code: links.refusedWith })
    real.linkSync(from, to)
  }
  return { ...real, linkSync }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-names-'))
  writeFileSync(join(folder, 'draft'), 'whole')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it.each([undefined, 'EPERM', 'ENOTSUP'])(
  'a backup has its name, and writes over nothing: links %s',
  (code) => {
    links.refusedWith = code
    const [draft, name] = [join(folder, 'draft'), join(folder, 'backup.db')]
    giveName(draft, name)
    rmSync(draft, { force: true })
    expect([readdirSync(folder), readFileSync(name, 'utf8')]).toEqual([['backup.db'], 'whole'])
    writeFileSync(draft, 'another')
    expect(() => giveName(draft, name)).toThrow(/is there already/)
    expect(readFileSync(name, 'utf8')).toBe('whole')
  },
)
