const FIRST_SIZE = 1_024
/** A larger place is given back rather than kept for the next bytes. */
const KEPT_SIZE = 65_536

const EMPTY = Buffer.alloc(0)

/**
 * Bytes that come in pieces, kept in one place: each byte is moved a bounded number of times, however small the
 * pieces are. The first piece is kept as it is, without a copy, so whoever adds it must leave it alone.
 */
export class GrowingBytes {
  length = 0
  #place: Buffer = EMPTY
  #isBorrowed = false

  add(bytes: Uint8Array): void {
    const needed = this.length + bytes.length
    if (this.length === 0 && needed > this.#place.length) {
      this.#place = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#isBorrowed = true
    } else {
      if (needed > this.#place.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, needed, this.#place.length * 2))
        this.#place.copy(grown, 0, 0, this.length)
        this.#place = grown
        this.#isBorrowed = false
      }
      this.#place.set(bytes, this.length)
    }
    this.length = needed
  }

  /** A view of what is kept; good until the next `add` or `clear`. */
  bytes(): Buffer {
    return this.#place.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
    if (this.#isBorrowed || this.#place.length > KEPT_SIZE) this.#place = EMPTY
    this.#isBorrowed = false
  }
}
