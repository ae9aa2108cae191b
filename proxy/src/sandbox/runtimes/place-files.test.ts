import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { placeFiles } from './place-files.ts'

describe('files placed for a sandbox', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-place-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const bytes = Buffer.from('demo')

  it('stand where they are named, for all to read and for nobody to write, whatever the umask', async () => {
    const umask = process.umask(0o077)
    await placeFiles(join(folder, 'imports'), new Map([['a/b/c.js', bytes]])).finally(() =>
      process.umask(umask),
    )
    expect(readFileSync(join(folder, 'imports/a/b/c.js'), 'utf8')).toBe('demo')
    const modes = ['imports', 'imports/a', 'imports/a/b', 'imports/a/b/c.js'].map(
      (path) => statSync(join(folder, path)).mode & 0o777,
    )
    expect(modes).toEqual([0o755, 0o755, 0o755, 0o444])
  })

  it('are never written over', async () => {
    await expect(placeFiles(join(folder, 'imports'), new Map([['a/b/c.js', bytes]]))).rejects.toThrow(
      'EEXIST',
    )
  })

  it.each(['../x', 'a/../../x', '/etc/x', 'a//b', './x', 'a/.', '', 'a\\..\\x', 'a\0b'])(
    'refuses the path %j before anything is written',
    async (path) => {
      const fresh = join(folder, 'fresh')
      await expect(
        placeFiles(
          fresh,
          new Map([
            ['ok', bytes],
            [path, bytes],
          ]),
        ),
      ).rejects.toThrow('plain relative')
      expect(() => statSync(fresh)).toThrow('ENOENT')
    },
  )
})
