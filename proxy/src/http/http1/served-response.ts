import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { fieldLines } from './field-lines.ts'
import { Listeners } from './listeners.ts'
import type { ServedRequest } from './served-request.ts'

/** The connection that an answer goes out on. */
export interface ResponseCarrier {
  readonly socket: Socket
  /** It ends with this answer. */
  readonly isLast: boolean
  /** All of the answer is with the system. */
  responseWritten(): void
}

/** RFC 9112, 4. */
const PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/
/** What is no longer is copied behind its head, and leaves with it in one write. */
const COPIED_BYTES = 16 * 1_024
const KEEP_ALIVE = 'connection: keep-alive\r\nkeep-alive: timeout='
const NO_BYTES = Buffer.alloc(0)

/** An answer, in the form of node:http as far as it goes. More or fewer bytes than its length says end the connection. */
export class ServedResponse extends Listeners {
  readonly req: ServedRequest
  sendDate = true
  headersSent = false
  destroyed = false
  writableEnded = false
  writableFinished = false
  readonly #carrier: ResponseCarrier
  readonly #keepAliveSeconds: number
  /** Written with the first of the body. */
  #head = ''
  #framing: 'none' | 'length' | 'chunked' = 'none'
  /** Bytes that are still to come, where that was said. */
  #left = 0

  constructor(request: ServedRequest, carrier: ResponseCarrier, keepAliveSeconds: number) {
    super()
    this.req = request
    this.#carrier = carrier
    this.#keepAliveSeconds = keepAliveSeconds
  }

  /** Throws TypeError for a field that no head may hold, and a second time. */
  writeHead(status: number, ...rest: readonly [string[]] | readonly [string, string[]]): this {
    if (this.headersSent) throw new TypeError('a head was written already')
    const [phrase, headers] = rest.length === 2 ? rest : [STATUS_CODES[status] ?? 'Unknown', rest[0]]
    if (!(status >= 200 && status <= 599 && Number.isInteger(status)) || !PHRASE.test(phrase))
      throw new TypeError('the status line cannot be written')
    const { text, length } = fieldLines(headers)
    let head = `HTTP/1.1 ${status} ${phrase}\r\n${text}`
    if (this.sendDate) head += `date: ${new Date().toUTCString()}\r\n`
    // RFC 9110, 6.4.1: there is no body, whatever the head says of its length.
    const hasBody = this.req.method !== 'HEAD' && status !== 204 && status !== 304
    if (!hasBody) this.#framing = 'none'
    else if (length >= 0) {
      this.#framing = 'length'
      this.#left = length
    } else {
      this.#framing = 'chunked'
      head += 'transfer-encoding: chunked\r\n'
    }
    head += this.#carrier.isLast
      ? 'connection: close\r\n\r\n'
      : `${KEEP_ALIVE}${this.#keepAliveSeconds}\r\n\r\n`
    this.#head = head
    this.headersSent = true
    return this
  }

  flushHeaders(): void {
    if (this.#head === '' || this.destroyed) return
    this.#carrier.socket.write(this.#head, 'latin1')
    this.#head = ''
  }

  /** False when no more should come until `drain`. */
  write(piece: Uint8Array | string): boolean {
    if (this.destroyed || this.writableEnded) return false
    if (!this.headersSent) this.writeHead(200, [])
    return this.#send(bytesOf(piece), '')
  }

  end(piece: Uint8Array | string = NO_BYTES): this {
    if (this.destroyed || this.writableEnded) return this
    if (!this.headersSent) this.writeHead(200, [])
    this.writableEnded = true
    this.#send(bytesOf(piece), this.#framing === 'chunked' ? '0\r\n\r\n' : '', this.#written)
    if (this.#framing === 'length' && this.#left > 0) this.destroy()
    return this
  }

  /** With its connection, unless all of it was written: that is the next one's by then. */
  destroy(): this {
    if (!this.writableFinished) this.#carrier.socket.destroy()
    this.destroyed = true
    return this
  }

  /** The connection is gone. An answer that was written before all of its request had come has told its end already. */
  lost(): void {
    if (this.writableFinished) return
    this.destroyed = true
    this.emit('close')
  }

  drained(): void {
    this.emit('drain')
  }

  #written = (error?: Error | null): void => {
    if (error || this.destroyed) return
    this.writableFinished = true
    this.emit('finish')
    this.destroyed = true
    this.emit('close')
    this.#carrier.responseWritten()
  }

  #send(body: Uint8Array, tail: string, written?: (error?: Error | null) => void): boolean {
    const { socket } = this.#carrier
    let [head, end] = [this.#head, tail]
    this.#head = ''
    let bytes = body
    if (this.#framing === 'none') bytes = NO_BYTES
    else if (this.#framing === 'length') {
      this.#left -= body.length
      if (this.#left < 0) {
        this.destroy()
        return false
      }
    } else if (body.length > 0) {
      head += `${body.length.toString(16)}\r\n`
      end = `\r\n${tail}`
    }
    if (bytes.length > COPIED_BYTES) {
      socket.cork()
      if (head !== '') socket.write(head, 'latin1')
      let isRoom = socket.write(bytes, end === '' ? written : undefined)
      if (end !== '') isRoom = socket.write(end, 'latin1', written)
      socket.uncork()
      return isRoom
    }
    if (bytes.length === 0) return socket.write(head + end, 'latin1', written)
    const all = Buffer.allocUnsafe(head.length + bytes.length + end.length)
    all.write(head, 0, 'latin1')
    all.set(bytes, head.length)
    if (end !== '') all.write(end, head.length + bytes.length, 'latin1')
    return socket.write(all, written)
  }
}

const bytesOf = (piece: Uint8Array | string): Uint8Array =>
  typeof piece === 'string' ? Buffer.from(piece) : piece
