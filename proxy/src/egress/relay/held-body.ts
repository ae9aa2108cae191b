import { Readable } from 'node:stream'

/** Small enough to be encrypted and written in one turn of the event loop beside everything else. */
const PIECE_BYTES = 65_536

/** A body that is in memory whole and goes out piece by piece, as fast as it is taken. */
export class HeldBody extends Readable {
  /** From the end, so that the next one is taken without moving the others. */
  readonly #pieces: Buffer[]
  #at = 0

  constructor(pieces: readonly Buffer[]) {
    super({ highWaterMark: PIECE_BYTES })
    this.#pieces = pieces.filter(({ length }) => length > 0).reverse()
    // Whoever takes it hears of its end by the answer.
    this.on('error', () => {})
  }

  override _read(): void {
    const piece = this.#pieces.at(-1)
    if (piece === undefined) {
      this.push(null)
      return
    }
    const part = piece.subarray(this.#at, this.#at + PIECE_BYTES)
    this.#at += part.length
    if (this.#at >= piece.length) {
      this.#pieces.pop()
      this.#at = 0
    }
    this.push(part)
  }
}
