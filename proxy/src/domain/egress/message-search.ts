/**
 * Looks for secrets in the messages of a stream, each for itself: one that is held back for what may follow it would keep a
 * conversation waiting for ever. Each has a byte of flags and four of length before it (gRPC over HTTP/2, Length-Prefixed-Message; so
 * have those of Connect), so what stands in place of a secret is as long as it.
 */
import type { Scrubber } from '../scrub/index.ts'

const HEAD_BYTES = 5
const PACKED = 0x01

export function createMessageSearch(scrubber: Scrubber): {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
} {
  /** Of the head of a message that has not come whole. */
  let head: Buffer = Buffer.alloc(0)
  let missing = 0
  let search: { push(chunk: Uint8Array): Uint8Array; end(): Uint8Array } | null = null

  const takeHead = (bytes: Buffer, out: Uint8Array[]): number => {
    const taken = bytes.subarray(0, HEAD_BYTES - head.length)
    head = Buffer.concat([head, taken])
    if (head.length < HEAD_BYTES) return taken.length
    missing = head.readUInt32BE(1)
    // What is packed was not asked for, and nothing in it can be searched.
    const isPacked = ((head[0] as number) & PACKED) !== 0
    search = isPacked ? MASKING : scrubber.stream({ keepLength: true })
    out.push(head)
    head = Buffer.alloc(0)
    return taken.length
  }

  const takeMessage = (bytes: Buffer, out: Uint8Array[]): number => {
    const taken = bytes.subarray(0, missing)
    missing -= taken.length
    if (search !== null && taken.length > 0) out.push(search.push(taken))
    if (search !== null && missing === 0) {
      out.push(search.end())
      search = null
    }
    return taken.length
  }

  return {
    push(chunk) {
      const out: Uint8Array[] = []
      let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      while (bytes.length > 0) {
        bytes = bytes.subarray(search === null ? takeHead(bytes, out) : takeMessage(bytes, out))
        // An empty message is over with its head.
        if (search !== null && missing === 0) takeMessage(bytes, out)
      }
      return Buffer.concat(out)
    },
    end() {
      const rest = search === null ? head : search.end()
      head = Buffer.alloc(0)
      return rest
    },
  }
}

const MASKING = {
  push: (chunk: Uint8Array): Uint8Array => Buffer.alloc(chunk.length, '*'),
  end: (): Uint8Array => Buffer.alloc(0),
}
