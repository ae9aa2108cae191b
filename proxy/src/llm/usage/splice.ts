import type { ByteRange } from './body-scan.ts'

/** A range of a body that other text takes the place of; an empty range is an insertion. */
export interface Splice extends ByteRange {
  readonly text: string
}

/** The body with these in it, as pieces that share its memory; every other byte as it was. Their ranges do not overlap. */
export function splicedPieces(body: Buffer, splices: readonly Splice[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (const { start, end, text } of splices.toSorted((a, b) => a.start - b.start)) {
    pieces.push(body.subarray(at, start), Buffer.from(text))
    at = end
  }
  pieces.push(body.subarray(at))
  return pieces
}
