import { describe, expect, it } from 'vitest'
import { createSecretStreams, SEALED_PIECE_BYTES } from './secret-stream.ts'

const streams = await createSecretStreams()
const key = streams.newKey()

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = []
  // A piece is the stream's own again once the next is asked for.
  for await (const piece of source) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

const plain = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 251))
const seal = (bytes: Uint8Array, size = 1_000): Promise<Buffer> =>
  whole(streams.seal(key, inChunks(bytes, size), 'a'))
const open = (bytes: Uint8Array, { under = key, of = 'a', size = 999 } = {}): Promise<Buffer> =>
  whole(streams.open(under, inChunks(bytes, size), of))

describe('a sealed body', () => {
  it.each([
    0,
    1,
    SEALED_PIECE_BYTES - 1,
    SEALED_PIECE_BYTES,
    SEALED_PIECE_BYTES + 1,
    3 * SEALED_PIECE_BYTES + 5,
  ])('of %d bytes opens as it was, however it comes in pieces', async (length) => {
    const bytes = plain(length)
    const sealed = await seal(bytes)
    for (const size of [7_777, 1_000_000]) expect((await open(sealed, { size })).equals(bytes)).toBe(true)
    if (length > 20) expect(sealed.includes(bytes.subarray(0, 20))).toBe(false)
    expect((await seal(bytes)).equals(sealed)).toBe(false)
  })

  it('does not open with a bit changed, a piece cut off, left out, moved or added', async () => {
    const sealed = await seal(plain(3 * SEALED_PIECE_BYTES))
    const step = SEALED_PIECE_BYTES + 17
    const piece = (at: number): Buffer => sealed.subarray(24 + at * step, 24 + (at + 1) * step)
    const head = sealed.subarray(0, 24)
    const flipped = Buffer.from(sealed)
    flipped[sealed.length - 1] = (flipped.at(-1) ?? 0) ^ 1
    const broken = {
      flipped,
      'cut in a piece': sealed.subarray(0, -1),
      'cut between pieces': Buffer.concat([head, piece(0), piece(1)]),
      'one left out': Buffer.concat([head, piece(0), piece(2)]),
      moved: Buffer.concat([head, piece(1), piece(0), piece(2)]),
      added: Buffer.concat([sealed, piece(2)]),
      'no body': head,
      'no head': sealed.subarray(0, 10),
      nothing: Buffer.alloc(0),
    }
    for (const [what, bytes] of Object.entries(broken))
      await expect(open(bytes), what).rejects.toThrow('not what was stored')
  })

  it('opens with its own key, as what it is, and with no other', async () => {
    const sealed = await seal(plain(10))
    await expect(open(sealed, { under: streams.newKey() })).rejects.toThrow('not what was stored')
    await expect(open(sealed, { of: 'b' })).rejects.toThrow('not what was stored')
  })
})
