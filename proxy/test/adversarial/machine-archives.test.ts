import { describe, expect, it } from 'vitest'
import { admit, type Entry, readArchive, writeArchive } from '../../src/hosting/persistence/archive/index.ts'
import { file, folder, packed, type Volume, type VolumeFile } from '../support/machine-volumes.ts'

describe('an archive of files', () => {
  const link = (target: string, kind: VolumeFile['kind'] = 'symlink'): VolumeFile => ({
    ...folder(),
    kind,
    target,
  })
  const admitted = async (source: AsyncIterable<Uint8Array>): Promise<string[]> => {
    const names: string[] = []
    const { entries } = admit(readArchive(source), 'home', { bytes: 10_000, files: 100 })
    for await (const { name } of entries) names.push(name)
    return names
  }
  async function* entries(all: readonly (readonly [string, VolumeFile])[]): AsyncGenerator<Entry> {
    for (const [name, { content, ...head }] of all) {
      const pieces = (async function* () {
        yield content
      })()
      yield { ...head, name, bytes: content.length, content: pieces }
    }
  }

  it.each<[string, readonly (readonly [string, VolumeFile])[]]>([
    [
      'beside its folder',
      [
        ['home', folder()],
        ['elsewhere', file('x')],
      ],
    ],
    [
      'above it',
      [
        ['home', folder()],
        ['home/../up', file('x')],
      ],
    ],
    [
      'at the root',
      [
        ['home', folder()],
        ['/etc', folder()],
        ['/etc/passwd', file('x')],
      ],
    ],
    [
      'behind a symlink',
      [
        ['home', folder()],
        ['home/a', link('/etc')],
        ['home/a/passwd', file('x')],
      ],
    ],
    [
      'behind a file',
      [
        ['home', folder()],
        ['home/a', file('')],
        ['home/a/b', file('x')],
      ],
    ],
    [
      'twice',
      [
        ['home', folder()],
        ['home/a', link('/etc')],
        ['home/a', folder()],
      ],
    ],
    [
      'in a folder that does not come',
      [
        ['home', folder()],
        ['home/a/b', file('x')],
      ],
    ],
    ['where its own folder is a link', [['home', link('/etc')]]],
    [
      'as a hard link out of it',
      [
        ['home', folder()],
        ['home/a', link('../etc/passwd', 'hardlink')],
      ],
    ],
    [
      'as a hard link to a folder',
      [
        ['home', folder()],
        ['home/b', folder()],
        ['home/a', link('home/b', 'hardlink')],
      ],
    ],
    [
      'as a hard link to what comes later',
      [
        ['home', folder()],
        ['home/a', link('home/b', 'hardlink')],
        ['home/b', file('')],
      ],
    ],
    [
      'with a name too long',
      [
        ['home', folder()],
        [`home/${'n'.repeat(256)}`, file('')],
      ],
    ],
    [
      'with an empty part',
      [
        ['home', folder()],
        ['home//a', file('')],
      ],
    ],
    [
      'as a dot',
      [
        ['home', folder()],
        ['home/.', folder()],
      ],
    ],
  ])('with one %s is refused', async (_what, all) => {
    await expect(admitted(writeArchive(entries(all)))).rejects.toThrow('refused')
  })

  it('that is cut, or has a byte changed in a header, is refused', async () => {
    const volume: Volume = new Map([
      ['home', folder()],
      [`home/${'long'.repeat(50)}`, file('x'.repeat(700))],
    ])
    const pieces: Uint8Array[] = []
    for await (const piece of packed(volume, 'home')) pieces.push(piece)
    const whole = Buffer.concat(pieces)
    const one = async function* (bytes: Buffer): AsyncGenerator<Uint8Array> {
      yield bytes
    }
    expect(await admitted(one(whole))).toHaveLength(2)
    for (const length of [1, 511, 512, 600, 1_024, 1_600, whole.length - 1_200, whole.length - 1_024])
      await expect(admitted(one(whole.subarray(0, length))), `${length}`).rejects.toThrow('broken')
    for (const at of [0, 100, 124, 148, 156, 512, 524, 1_024]) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(admitted(one(changed)), `${at}`).rejects.toThrow(/broken|refused/)
    }
  })

  it('with a device leaves it out', async () => {
    const pieces: Uint8Array[] = []
    for await (const piece of packed(
      new Map([
        ['home', folder()],
        ['home/a', file('')],
        ['home/b', file('b')],
      ]),
      'home',
    ))
      pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    bytes[512 + 156] = 0x33
    bytes[512 + 153] = (bytes[512 + 153] ?? 0) + 3
    const one = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes
    }
    expect(await admitted(one())).toEqual(['home', 'home/b'])
  })
})
