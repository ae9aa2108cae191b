/**
 * Bytes that come in pieces, kept in one place: each byte is moved a bounded number of times, however small the
 * pieces are. The first piece is kept as it is, without a copy, so whoever adds it must leave it alone.
 */
export interface GrowingBytes {
  readonly length: number
  add(bytes: Uint8Array): void
  /** A view of what is kept; good until the next `add` or `clear`. */
  bytes(): Buffer
  clear(): void
}

const FIRST_SIZE = 1_024
/** A larger place is given back rather than kept for the next bytes. */
const KEPT_SIZE = 65_536

const EMPTY = Buffer.alloc(0)

export function createGrowingBytes(): GrowingBytes {
  let place: Buffer = EMPTY
  let isBorrowed = false
  let length = 0
  return {
    get length() {
      return length
    },
    add(bytes) {
      const needed = length + bytes.length
      if (length === 0 && needed > place.length) {
        place = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        isBorrowed = true
        length = needed
        return
      }
      if (needed > place.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, needed, place.length * 2))
        place.copy(grown, 0, 0, length)
        place = grown
        isBorrowed = false
      }
      place.set(bytes, length)
      length = needed
    },
    bytes: () => place.subarray(0, length),
    clear() {
      length = 0
      if (isBorrowed || place.length > KEPT_SIZE) place = EMPTY
      isBorrowed = false
    },
  }
}
