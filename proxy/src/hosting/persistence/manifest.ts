/** What a snapshot is made of: its chunks in their order, each a part of a pack. A pack is one object with many chunks, so that a small file costs no request. */
import { canonicalJson } from '../../kernel/index.ts'
import { altered } from './sealing.ts'

export interface Pack {
  /** Of the attempt that wrote it: `<number>-<random>`. */
  readonly attempt: string
  /** Its place among those of the attempt. */
  readonly index: number
  readonly bytes: number
}

export interface ChunkRef {
  /** By its content: `Sealing.nameOf`. */
  readonly name: string
  /** Index into `packs`. */
  readonly pack: number
  readonly offset: number
  readonly sealedBytes: number
  readonly plainBytes: number
}

export interface Manifest {
  readonly packs: readonly Pack[]
  readonly chunks: readonly ChunkRef[]
}

const VERSION = 1
const NAME_BYTES = 32
const FIELDS = 4

export function encodeManifest({ packs, chunks }: Manifest): Buffer {
  const names = Buffer.concat(chunks.map(({ name }) => Buffer.from(name, 'base64url')))
  return Buffer.from(
    canonicalJson({
      v: VERSION,
      packs: packs.map(({ attempt, index, bytes }) => [attempt, index, bytes]),
      chunks: chunks.flatMap((of) => [of.pack, of.offset, of.sealedBytes, of.plainBytes]),
      names: names.toString('base64'),
    }),
  )
}

/** Throws `internal` where it is none. It was sealed by this daemon: what is checked is that it is whole. */
export function decodeManifest(bytes: Buffer): Manifest {
  const { v, packs, chunks, names } = JSON.parse(bytes.toString()) as {
    v: number
    packs: [string, number, number][]
    chunks: number[]
    names: string
  }
  const all = Buffer.from(names, 'base64')
  if (v !== VERSION || chunks.length % FIELDS !== 0 || all.length * FIELDS !== chunks.length * NAME_BYTES)
    throw altered()
  const field = (at: number): number => {
    const value = chunks[at]
    if (!Number.isSafeInteger(value) || value === undefined || value < 0) throw altered()
    return value
  }
  return {
    packs: packs.map(([attempt, index, size]) => ({ attempt, index, bytes: size })),
    chunks: Array.from({ length: chunks.length / FIELDS }, (_, at) => {
      const pack = field(at * FIELDS)
      if (pack >= packs.length) throw altered()
      return {
        name: all.toString('base64url', at * NAME_BYTES, (at + 1) * NAME_BYTES),
        pack,
        offset: field(at * FIELDS + 1),
        sealedBytes: field(at * FIELDS + 2),
        plainBytes: field(at * FIELDS + 3),
      }
    }),
  }
}
