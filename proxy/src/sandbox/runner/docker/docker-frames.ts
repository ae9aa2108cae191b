/** Takes apart the stream of an attached container: 8 bytes of header (stream, length), then the bytes. */
import type { OutputStream } from '../../index.ts'

const HEADER_BYTES = 8
const STDERR = 2

export function createFrameReader(
  onBytes: (stream: OutputStream, bytes: Buffer) => void,
): (chunk: Buffer) => void {
  let header = Buffer.alloc(0)
  let stream: OutputStream = 'stdout'
  let left = 0
  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (left > 0) {
        const bytes = chunk.subarray(at, at + left)
        left -= bytes.length
        at += bytes.length
        onBytes(stream, bytes)
        continue
      }
      const missing = HEADER_BYTES - header.length
      header = Buffer.concat([header, chunk.subarray(at, at + missing)])
      at += missing
      if (header.length < HEADER_BYTES) return
      stream = header[0] === STDERR ? 'stderr' : 'stdout'
      left = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
  }
}
