import type { BodyFilter } from '../../egress/index.ts'

const EMPTY = Buffer.alloc(0)
/** Error objects of the vendors are far shorter. */
const KEPT_BYTES = 8_192

/** Keeps the beginning of a body that passes as it is. */
export class BodyBeginning implements BodyFilter {
  readonly #parts: Buffer[] = []
  #bytes = 0

  push(chunk: Uint8Array): Uint8Array {
    if (this.#bytes < KEPT_BYTES) {
      const part = Buffer.from(chunk.subarray(0, KEPT_BYTES - this.#bytes))
      this.#parts.push(part)
      this.#bytes += part.length
    }
    return chunk
  }

  end(): Uint8Array {
    return EMPTY
  }

  text(): string {
    return Buffer.concat(this.#parts).toString('utf8')
  }
}
