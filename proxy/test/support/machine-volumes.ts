/** Volumes of machines in memory, behind the port that a container engine stands behind. What it unpacks it checks as an engine does. */
import { type Entry, readArchive, writeArchive } from '../../src/hosting/persistence/archive/index.ts'
import type { FilesRef, MachineFiles } from '../../src/hosting/persistence/index.ts'

export interface VolumeFile {
  readonly kind: Entry['kind']
  readonly target: string
  readonly mode: number
  readonly modifiedAt: number
  readonly content: Buffer
}
/** By path from the root of the volume; folders before what is in them. */
export type Volume = Map<string, VolumeFile>

export interface Volumes extends MachineFiles {
  of(machine: string): Volume
  purge(machine: string): void
  /** The next archives are unpacked to that many bytes of contents, and no further. */
  spaceBytes: number
}

export const folder = (): VolumeFile => ({
  kind: 'folder',
  target: '',
  mode: 0o755,
  modifiedAt: 1_700_000_000,
  content: Buffer.alloc(0),
})
export const file = (content: Buffer | string, mode = 0o644): VolumeFile => ({
  ...folder(),
  kind: 'file',
  mode,
  content: Buffer.from(content),
})

export function createVolumes(): Volumes {
  const volumes = new Map<string, Volume>()
  const of = (machine: string): Volume => {
    const volume = volumes.get(machine) ?? new Map<string, VolumeFile>()
    volumes.set(machine, volume)
    return volume
  }
  const self: Volumes = {
    of,
    purge: (machine) => void volumes.delete(machine),
    spaceBytes: Number.POSITIVE_INFINITY,
    async read({ machine }: FilesRef, name: string) {
      const volume = of(machine)
      return volume.has(name) ? packed(volume, name) : undefined
    },
    async write({ machine }, archive) {
      const volume = of(machine)
      let left = self.spaceBytes
      for await (const entry of readArchive(archive)) {
        const pieces: Buffer[] = []
        for await (const piece of entry.content) {
          left -= piece.length
          if (left < 0) throw new Error('no space left on device')
          pieces.push(Buffer.from(piece))
        }
        const { name, kind, target, mode, modifiedAt } = entry
        const parent = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : undefined
        if (parent !== undefined && volume.get(parent)?.kind !== 'folder') throw new Error('breakout')
        volume.set(name, { kind, target, mode, modifiedAt, content: Buffer.concat(pieces) })
      }
    },
  }
  return self
}

/** In the order of the paths, as an engine walks them. */
export async function* packed(volume: Volume, root: string): AsyncGenerator<Uint8Array> {
  const inside = [...volume].filter(([name]) => name === root || name.startsWith(`${root}/`))
  inside.sort(([a], [b]) => (a.replaceAll('/', '\0') < b.replaceAll('/', '\0') ? -1 : 1))
  const entries = async function* (): AsyncGenerator<Entry> {
    for (const [name, { content, ...head }] of inside) {
      const pieces = (async function* () {
        for (let at = 0; at < content.length; at += 30_000) yield content.subarray(at, at + 30_000)
      })()
      yield { ...head, name, bytes: content.length, content: pieces }
    }
  }
  yield* writeArchive(entries())
}

/** What has to be the same after a sleep; `home` alone is the machine's. */
export const treeOf = (volume: Volume): Record<string, string> =>
  Object.fromEntries(
    [...volume]
      .filter(([name]) => name === 'home' || name.startsWith('home/'))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { kind, target, mode, modifiedAt, content }]) => [
        name,
        [kind, target, mode, modifiedAt, content.toString('base64')].join(' '),
      ]),
  )
