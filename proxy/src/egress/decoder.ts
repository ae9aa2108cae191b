import { Transform, type TransformCallback } from 'node:stream'
import type { Zlib } from 'node:zlib'

export interface Unpacking {
  /** Given the first bytes of what is to be unpacked, two at least unless there are no more. */
  decompressor(first: Uint8Array): Decompressor
  /** Behind one packed member another may follow, which Node's does not read; elsewhere what follows is dropped. */
  readonly joins?: boolean
}

type Decompressor = Transform & Pick<Zlib, 'bytesWritten'>

const SNIFFED_BYTES = 2

/**
 * Takes one coding off. Unlike Node's own it takes no body at all for an empty one, and reads on where one packed
 * member follows another. The first one of a body tells the limit what came.
 */
export const createDecoder = (unpacking: Unpacking, limit: ExpansionLimit, isFirst: boolean): Transform =>
  new Decoder(unpacking, limit, isFirst)

class Decoder extends Transform {
  readonly #unpacking: Unpacking
  readonly #limit: ExpansionLimit
  readonly #isFirst: boolean
  #inner: Decompressor | undefined = undefined
  /** Too few to choose by. */
  #early: Buffer = Buffer.alloc(0)
  #isOver = false

  constructor(unpacking: Unpacking, limit: ExpansionLimit, isFirst: boolean) {
    super()
    this.#unpacking = unpacking
    this.#limit = limit
    this.#isFirst = isFirst
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#isFirst) this.#limit.received(chunk.length)
    this.#take(chunk, done)
  }

  #take(chunk: Buffer, done: TransformCallback): void {
    if (this.#isOver) done()
    else if (this.#inner !== undefined) this.#feed(this.#inner, chunk, done)
    else {
      this.#early = Buffer.concat([this.#early, chunk])
      if (this.#early.length < SNIFFED_BYTES) done()
      else this.#begin(done)
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#inner !== undefined) this.#finish(this.#inner, done)
    else if (this.#early.length > 0) this.#begin(() => this._flush(done))
    else done()
  }

  override _read(size: number): void {
    this.#inner?.resume()
    super._read(size)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner?.destroy()
    super._destroy(error, done)
  }

  #begin(done: TransformCallback): void {
    const first = this.#early
    this.#early = Buffer.alloc(0)
    const inner = this.#unpacking.decompressor(first)
    this.#inner = inner
    inner.on('error', (error) => this.destroy(error))
    inner.on('data', (piece: Buffer) => {
      if (!this.#limit.allows(piece.length))
        return void this.destroy(new Error('a body that unpacks to too much'))
      if (!this.push(piece)) inner.pause()
    })
    this.#feed(inner, first, done)
  }

  #finish(inner: Decompressor, done: TransformCallback): void {
    if (inner.readableEnded) done()
    else {
      inner.once('end', () => done())
      inner.end()
    }
  }

  #feed(inner: Decompressor, chunk: Buffer, done: TransformCallback): void {
    const before = inner.bytesWritten
    inner.write(chunk, () => {
      const taken = inner.bytesWritten - before
      if (taken === chunk.length) {
        done()
        return
      }
      // The member came to its end within this chunk.
      const goOn = (): void => {
        this.#inner = undefined
        this.#isOver = this.#unpacking.joins !== true
        this.#take(chunk.subarray(taken), done)
      }
      if (inner.readableEnded) goOn()
      else inner.once('end', goOn)
    })
  }
}

/** Far beyond text that compresses well, and below what is made to fill memory. */
const MAX_EXPANSION = 100
const FREE_BYTES = 64 * 1_048_576

/** Against decompression bombs (zip bombs): bounds what a packed body may unpack to, over all of its codings, by the bytes that came of it. */
export class ExpansionLimit {
  #packed = 0
  #unpacked = 0

  received(bytes: number): void {
    this.#packed += bytes
  }

  /** Whether so many more may come out. */
  allows(bytes: number): boolean {
    this.#unpacked += bytes
    return this.#unpacked <= FREE_BYTES + MAX_EXPANSION * this.#packed
  }
}
