import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { onEndStream } from './http2-end.ts'
import type { UpstreamRequest } from './upstream-pool.ts'

/** What an exchange needs of its connection. */
export interface Http2Carrier {
  open(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream
  /** The exchange came to its end on both sides, or never began: the connection is free for the next one. */
  free(): void
  /** The answer is whole and the stream is about to close. */
  ending(): void
  destroy(): void
}

/**
 * One request over HTTP/2 and its answer, in the form of undici's dispatchers. What is broken off by either side, in whatever order,
 * takes its connection with it, and is reset with an error first: Node (24.21) waits with a reset without one until all is sent, and
 * works without an end for a stream that is destroyed before that, as soon as its data may be sent.
 */
export class Http2Exchange implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  rawHeaders: string[] = []
  /** Undefined once it is another request's, or nobody's. */
  #carrier: Http2Carrier | undefined
  readonly #handler: Dispatcher.DispatchHandler
  readonly #body: Readable | Buffer | null
  #stream: ClientHttp2Stream | undefined = undefined
  #trailers: Record<string, string | string[] | undefined> = {}
  /** Came before the head was told, or while the handler takes nothing. */
  #held: Buffer[] = []
  #isAnswered = false
  /** The answer has come to its end, whatever becomes of its stream and its connection now. */
  #isWhole = false
  #isOver = false

  constructor(carrier: Http2Carrier, request: UpstreamRequest, handler: Dispatcher.DispatchHandler) {
    this.#carrier = carrier
    this.#handler = handler
    this.#body = request.body
  }

  start(headers: OutgoingHttpHeaders): void {
    const carrier = this.#carrier
    this.#guarded(() => this.#handler.onRequestStart?.(this, {}))
    if (this.#isOver || carrier === undefined) return
    const body = this.#body
    if (body !== null && 'destroyed' in body && body.destroyed) {
      this.abort(new Error('the request was broken off'))
      return
    }
    let stream: ClientHttp2Stream
    try {
      stream = carrier.open(headers, body === null)
    } catch (error) {
      this.abort(error as Error)
      return
    }
    this.#stream = stream
    onEndStream(stream, () => this.#ended(stream))
    stream.on('error', (error) => {
      if (!this.#isWhole) this.abort(error)
    })
    stream.on('data', (chunk: Buffer) => {
      this.#held.push(chunk)
      this.#deliver()
    })
    stream.once('response', (answer, _flags, raw: string[]) => this.#answer(answer[':status'], raw))
    stream.once('trailers', (trailers) => {
      this.#trailers = { ...trailers }
    })
    stream.once('close', () => this.#closed(stream))
    if (body !== null) this.#send(stream, body)
  }

  abort(reason: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.aborted = true
    this.reason = reason
    this.#breakOff()
    this.#handler.onResponseError?.(this, reason)
  }

  pause(): void {
    this.paused = true
    if (!this.#isWhole) this.#stream?.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#deliver()
    if (!this.paused && !this.#isWhole) this.#stream?.resume()
  }

  #answer(status: number | undefined, raw: readonly string[]): void {
    if (this.#isOver) return
    this.#isAnswered = true
    this.rawHeaders = fieldsIn(raw)
    this.#guarded(() => this.#handler.onResponseStart?.(this, status ?? 0, {}))
    this.#deliver()
  }

  /** In the turn in which it is said, all that came is taken: a stream or a connection that ends after that takes it away. */
  #ended(stream: ClientHttp2Stream): void {
    this.#isWhole = true
    while (stream.read() !== null);
    // Head and trailers are told by then.
    process.nextTick(() => this.#deliver())
  }

  #deliver(): void {
    while (this.#isAnswered && !this.paused && !this.#isOver) {
      const chunk = this.#held.shift()
      if (chunk === undefined) break
      this.#guarded(() => this.#handler.onResponseData?.(this, chunk))
    }
    if (this.#isWhole && this.#held.length === 0) this.#finish()
  }

  #finish(): void {
    if (this.#isOver || this.paused || !this.#isAnswered) return
    this.#isOver = true
    const stream = this.#stream
    // Nobody waits for the rest of a request that was answered already.
    if (stream === undefined || !stream.writableFinished) this.#breakOff()
    else this.#carrier?.ending()
    this.#guarded(() => this.#handler.onResponseEnd?.(this, this.#trailers))
  }

  /** Both sides have ended, or one of them has reset it. */
  #closed(stream: ClientHttp2Stream): void {
    const carrier = this.#carrier
    this.#carrier = undefined
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR && this.#isWhole && stream.writableFinished) {
      carrier?.free()
      return
    }
    carrier?.destroy()
    if (!this.#isWhole || !this.#isAnswered)
      this.abort(new Error('The stream was closed before its answer was whole.'))
  }

  /** Only here a stream is reset. Never without an error; see above. */
  #breakOff(): void {
    this.#held = []
    const stream = this.#stream
    const carrier = this.#carrier
    this.#carrier = undefined
    if (stream === undefined) carrier?.free()
    else {
      stream.close(constants.NGHTTP2_CANCEL)
      carrier?.destroy()
    }
    if (this.#body !== null && 'destroy' in this.#body) this.#body.destroy()
  }

  #send(stream: ClientHttp2Stream, body: Readable | Buffer): void {
    if (Buffer.isBuffer(body)) {
      stream.end(body)
      return
    }
    body.on('data', (chunk: Buffer) => {
      if (!this.#isOver && !stream.closed && !stream.write(chunk)) body.pause()
    })
    stream.on('drain', () => body.resume())
    body.once('end', () => {
      if (!this.#isOver && !stream.closed) stream.end()
    })
    body.once('error', (error) => this.abort(error))
    body.once('close', () => {
      if (!body.readableEnded) this.abort(new Error('the request was broken off'))
    })
  }

  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.abort(error as Error)
    }
  }
}

function fieldsIn(raw: readonly string[]): string[] {
  const fields: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [raw[at] as string, raw[at + 1] as string]
    if (!name.startsWith(':')) fields.push(name, value)
  }
  return fields
}
