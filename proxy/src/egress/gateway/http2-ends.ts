import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2'
import { Readable, Writable } from 'node:stream'
import type { CodeRequest, CodeResponse } from './exchange.ts'

/** The request of one stream of HTTP/2, in the form that those of HTTP/1.1 have. */
export class Http2Request extends Readable implements CodeRequest {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly #stream: ServerHttp2Stream
  complete = false

  constructor(stream: ServerHttp2Stream, rawHeaders: readonly string[]) {
    super()
    this.#stream = stream
    const { pseudo, fields } = fieldsOf(rawHeaders, stream.endAfterHeaders)
    this.method = pseudo.get(':method') ?? ''
    this.url = pseudo.get(':path') ?? ''
    this.rawHeaders = fields
    this.on('error', () => {})
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.once('end', () => {
      // A stream that was reset ends as well.
      if (stream.aborted) return
      this.complete = true
      this.push(null)
    })
    stream.once('aborted', () => this.destroy())
    stream.once('close', () => {
      if (!this.complete) this.destroy()
    })
  }

  setTimeout(ms: number, callback?: () => void): this {
    this.#stream.setTimeout(ms, callback)
    return this
  }

  override _read(): void {
    this.#stream.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.complete) this.#stream.close(constants.NGHTTP2_CANCEL)
    done(error)
  }
}

/** Flat name, value … as HTTP/1.1 would have said it: the host by its field, a body without a length in chunks. */
function fieldsOf(
  rawHeaders: readonly string[],
  isBodyless: boolean,
): { readonly pseudo: ReadonlyMap<string, string>; readonly fields: string[] } {
  const pseudo = new Map<string, string>()
  const fields: string[] = []
  const cookies: string[] = []
  let hasLength = false
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at] as string, rawHeaders[at + 1] as string]
    if (name.startsWith(':')) pseudo.set(name, value)
    // In crumbs (RFC 9113, 8.2.3); what is one field to everybody else is evaluated as one.
    else if (name === 'cookie') cookies.push(value)
    else if (name !== 'host' || value !== pseudo.get(':authority')) {
      fields.push(name, value)
      hasLength ||= name === 'content-length'
    }
  }
  const authority = pseudo.get(':authority')
  if (authority !== undefined) fields.unshift('host', authority)
  if (cookies.length > 0) fields.push('cookie', cookies.join('; '))
  if (!isBodyless && !hasLength) fields.push('transfer-encoding', 'chunked')
  return { pseudo, fields }
}

/** The answer to it. */
export class Http2Response extends Writable implements CodeResponse {
  readonly #stream: ServerHttp2Stream
  sendDate = false
  #status = 0
  #headers: string[] = []
  #trailers: string[] = []
  #isBegun = false

  constructor(stream: ServerHttp2Stream) {
    super()
    this.#stream = stream
    this.on('error', () => {})
    stream.once('close', () => this.destroy())
    // Without any it ends likewise.
    stream.once('wantTrailers', () => this.#send(() => stream.sendTrailers(recordOf(this.#trailers))))
  }

  get headersSent(): boolean {
    return this.#status !== 0
  }

  writeHead(status: number, phraseOrHeaders: string | string[], headers?: string[]): this {
    this.#status = status
    this.#headers = typeof phraseOrHeaders === 'string' ? (headers ?? []) : phraseOrHeaders
    return this
  }

  writeContinue(): void {
    if (!this.#stream.closed) this.#stream.additionalHeaders({ ':status': 100 })
  }

  flushHeaders(): void {
    this.#begin()
  }

  giveTrailers(trailers: string[]): void {
    this.#trailers = trailers
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (chunk.length === 0) {
      done()
      return
    }
    this.#begin()
    this.#stream.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    // Clients of gRPC take an error from an answer without a body, and none from an empty one.
    if (!this.#isBegun && this.#trailers.length === 0) {
      this.#begin({ endStream: true })
      done()
      return
    }
    this.#begin()
    this.#stream.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    done(error)
  }

  #begin(options: ServerStreamResponseOptions = { waitForTrailers: true }): void {
    if (this.#isBegun || this.#stream.closed) return
    this.#isBegun = true
    const head = { ...recordOf(this.#headers), ':status': statusFor(this.#status) }
    // Nothing of what came with it is given, so it has no length either (RFC 9110, 15.3.6).
    if (this.#status === RESET_CONTENT) Reflect.deleteProperty(head, 'content-length')
    this.#send(() => this.#stream.respond(head, options))
  }

  /** Node throws for fields that it takes for a mistake of its own caller. They are the host's, so what breaks is this answer. */
  #send(send: () => void): void {
    try {
      send()
    } catch {
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    }
  }
}

const RESET_CONTENT = 205
const LAST_STATUS = 599

/** Of a status that there is not a client reads the class of 5xx (RFC 9110, 15); Node sends none of those. */
const statusFor = (status: number): number => (status > LAST_STATUS ? 502 : status)

/** Of this protocol no field belongs to the connection. */
const NOT_IN_HTTP2 = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade'])

function recordOf(flat: readonly string[]): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = Object.create(null)
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name, value] = [(flat[at] as string).toLowerCase(), flat[at + 1] as string]
    if (NOT_IN_HTTP2.has(name)) continue
    const known = record[name]
    record[name] = known === undefined ? value : [known, value].flat()
  }
  return record
}
