/**
 * Looks for secrets in the messages of a stream, and gives each on whole: one that is held back for what may follow it would keep a
 * conversation waiting for ever. Each has a byte of flags and four of length before it (gRPC over HTTP/2, Length-Prefixed-Message; so
 * have those of Connect), so what stands in place of a secret is as long as it.
 *
 * Whether the bytes are such messages only the host says, and it may say what the code wants. So heads are searched like everything
 * else, and what begins a secret at the end of a message is masked, and remembered for what follows.
 */
import type { Scrubber } from '../scrub/index.ts'

const HEAD_BYTES = 5
const PACKED = 0x01

const NOTHING: Buffer = Buffer.alloc(0)

export function createMessageSearch(scrubber: Scrubber): {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
} {
  let search = scrubber.stream({ keepLength: true })
  /** What the search was given and has not given back. */
  let held: Buffer = NOTHING
  /** Of that, what is out already: the search was given it again. */
  let again = 0
  /** Of the head of a message that has not come whole. */
  let head: Buffer = NOTHING
  let missing = 0
  /** What is packed was not asked for, and nothing in it can be found: it is masked. */
  let isPacked = false

  const give = (clean: Uint8Array, out: Uint8Array[]): void => {
    held = held.subarray(clean.length)
    const fresh = clean.subarray(Math.min(again, clean.length))
    again = Math.max(0, again - clean.length)
    out.push(isPacked ? Buffer.alloc(fresh.length, '*') : fresh)
  }

  const read = (bytes: Buffer, out: Uint8Array[]): void => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    give(search.push(bytes), out)
  }

  /** Everything that was read is out behind it. */
  const cut = (out: Uint8Array[]): void => {
    const open = Buffer.from(held.subarray(Math.max(0, held.length - scrubber.longestMatchBytes)))
    give(search.end({ truncated: true }), out)
    search = scrubber.stream({ keepLength: true })
    held = NOTHING
    again = open.length
    if (open.length > 0) read(open, [])
  }

  const takeHead = (bytes: Buffer, out: Uint8Array[]): number => {
    const taken = bytes.subarray(0, HEAD_BYTES - head.length)
    head = Buffer.concat([head, taken])
    read(taken, out)
    if (head.length < HEAD_BYTES) return taken.length
    missing = head.readUInt32BE(1)
    if (((head[0] as number) & PACKED) !== 0) {
      cut(out)
      isPacked = true
    }
    head = NOTHING
    if (missing === 0) endMessage(out)
    return taken.length
  }

  const takeMessage = (bytes: Buffer, out: Uint8Array[]): number => {
    const taken = bytes.subarray(0, missing)
    missing -= taken.length
    read(taken, out)
    if (missing === 0) endMessage(out)
    return taken.length
  }

  const endMessage = (out: Uint8Array[]): void => {
    cut(out)
    isPacked = false
  }

  return {
    push(chunk) {
      const out: Uint8Array[] = []
      let bytes: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      while (bytes.length > 0) bytes = bytes.subarray((missing > 0 ? takeMessage : takeHead)(bytes, out))
      return Buffer.concat(out)
    },
    end() {
      const out: Uint8Array[] = []
      give(search.end(), out)
      return Buffer.concat(out)
    },
  }
}
