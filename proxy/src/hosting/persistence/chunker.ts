/** How long a chunk is: the shorter, the less is sent again for a small change, and the more objects there are. */
export interface ChunkSizes {
  readonly min: number
  readonly max: number
  /** A boundary stands where so many bits of the rolling hash are zero: the mean is `min` and 2 to that power. */
  readonly bits: number
}

/** Measured: docs/decisions/0027-files-of-machines.md. */
const CHUNK_SIZES: ChunkSizes = { min: 8_192, max: 131_072, bits: 15 }

/**
 * Cuts a stream where its content says so (a gear hash over the last 32 bytes), so that what is put in or taken out early moves no
 * later boundary. The table is secret: lengths of chunks tell nobody which known files are among them.
 */
export async function* cutChunks(
  source: AsyncIterable<Uint8Array>,
  gear: Uint32Array,
  sizes: ChunkSizes = CHUNK_SIZES,
): AsyncGenerator<Buffer> {
  const { min, max } = sizes
  // The upper bits: those that the most bytes have gone into.
  const mask = (-1 << (32 - sizes.bits)) | 0
  const held = Buffer.allocUnsafe(max)
  let filled = 0
  let hash = 0
  for await (const piece of source) {
    for (let from = 0; from < piece.length; ) {
      const end = Math.min(piece.length, from + max - filled)
      let at = from
      let isCut = false
      while (at < end && !isCut) {
        hash = ((hash << 1) + (gear[piece[at] ?? 0] ?? 0)) | 0
        at += 1
        isCut = (hash & mask) === 0 && filled + at - from >= min
      }
      held.set(piece.subarray(from, at), filled)
      filled += at - from
      from = at
      if (!isCut && filled < max) continue
      yield Buffer.from(held.subarray(0, filled))
      filled = 0
      hash = 0
    }
  }
  if (filled > 0) yield Buffer.from(held.subarray(0, filled))
}

/** 256 numbers out of 1,024 random bytes. */
export const gearTable = (random: Uint8Array): Uint32Array => {
  const view = new DataView(random.buffer, random.byteOffset, 1_024)
  return Uint32Array.from({ length: 256 }, (_, at) => view.getUint32(at * 4))
}
