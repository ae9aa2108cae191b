import { FORBIDDEN, problemOfTrailers, readRequestHead, readResponseHead } from './head.ts'
import { KnownHead } from './known-head.ts'
import { type MessageHead, type MessageProblem, type MessageSink, statusOf } from './message.ts'

/** As Node's own server takes, and as undici was told to take of vendors. */
const MAX_HEAD_BYTES = { request: 16 * 1_024, response: 64 * 1_024 }
/** Behind a message that is not answered yet. Sockets give 64 KiB at once, and are paused meanwhile. */
const MAX_WAITING_BYTES = 256 * 1_024
const MAX_INFORMATIONAL = 32
/** Digits of a chunk's size: what they say is a whole number to us, below 2^53. */
const MAX_SIZE_DIGITS = 13
/** Pieces up to this are put together rather than told one by one, as the tokens of a stream. */
const SMALL_BYTES = 4_096
const CR = 0x0d
const LF = 0x0a
const HEAD_END = Buffer.from('\r\n\r\n')
const EMPTY: Buffer = Buffer.alloc(0)

/** Where in a message the next byte stands; in the rest none is read. */
type Place = 'head' | 'length' | 'close' | 'size' | 'data' | 'data-end' | 'trailers' | Rest
type Rest = 'done' | 'handover' | 'ended' | 'failed'

/**
 * Reads the messages of one direction of a connection (RFC 9112), strictly: what it takes, llhttp and nginx take and read as the
 * same; all else is refused. A byte is looked at and copied a few times at most, however the bytes are cut.
 */
export class MessageReader {
  readonly #role: keyof typeof MAX_HEAD_BYTES
  readonly #sink: MessageSink
  #place: Place = 'head'
  /** Unread bytes are those from #at to #end. */
  #bytes = EMPTY
  #at = 0
  #end = 0
  /** #bytes has room behind #end that is nobody else's. */
  #isOwn = false
  /** Unread bytes that were searched for the end of a head. */
  #searched = 0
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0
  #digits = 0
  /** Data of chunks that was not told yet: a part of #bytes. */
  #pieceStart = 0
  #pieceEnd = 0
  #informational = 0
  #hasSkippedLine = false
  /** Of requests: the head before this one. */
  #known: KnownHead | null = null
  #keepAlive = true
  #isRunning = false
  #hasEnded = false

  constructor(role: keyof typeof MAX_HEAD_BYTES, sink: MessageSink) {
    this.#sink = sink
    this.#role = role
  }

  /** `idle`: between two messages, and no byte of the next one has come. `done`: waits for `next`. */
  get state(): 'idle' | 'head' | 'body' | Rest {
    const place = this.#place
    if (place === 'head') return this.held === 0 ? 'idle' : 'head'
    return place === 'done' || place === 'handover' || place === 'ended' || place === 'failed'
      ? place
      : 'body'
  }

  /** Bytes that came and were not read. */
  get held(): number {
    return this.#end - this.#at
  }

  /** What came on the connection. The bytes are the reader's from then on, and may be moved within their buffer. */
  push(bytes: Buffer): void {
    if (this.#isOver() || bytes.length === 0) return
    if (this.held === 0) this.#hold(bytes, bytes.length, false)
    else this.#append(bytes)
    this.#run()
    if (this.#place === 'done' && this.held > MAX_WAITING_BYTES) this.#fail('pipelined')
  }

  /** Begins the next message with what has come; after one that ends its connection (RFC 9112, 9.6) nothing is read any more. */
  next(): void {
    if (this.#place !== 'done') return
    this.#place = 'head'
    this.#informational = 0
    this.#hasSkippedLine = false
    if (this.#keepAlive) this.#run()
    else this.stop()
  }

  /** The peer sends no more. Ends a body that is framed by that; a message that is cut off is an error (RFC 9112, 8). */
  finish(): void {
    this.#hasEnded = true
    if (!this.#isRunning) this.#atEnd()
  }

  /** Reads and tells nothing more. */
  stop(): void {
    if (!this.#isOver()) this.#place = 'ended'
    this.#hold(EMPTY, 0, false)
  }

  /** Gives back all unread bytes: after `handover`, or an error in a head, they begin with that head. The reader is at its end. */
  release(): Buffer {
    const unread = this.#bytes.subarray(this.#at, this.#end)
    this.stop()
    return unread
  }

  #isOver(): boolean {
    return this.#place === 'ended' || this.#place === 'failed'
  }

  #hold(bytes: Buffer, end: number, isOwn: boolean): void {
    this.#bytes = bytes
    this.#at = 0
    this.#end = end
    this.#isOwn = isOwn
  }

  /** Room doubles, so that a byte is copied a few times at most. What was told stays where it is, since sinks hold it. */
  #append(bytes: Buffer): void {
    const { held } = this
    if (!this.#isOwn || this.#end + bytes.length > this.#bytes.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(512, 2 * (held + bytes.length)))
      this.#bytes.copy(room, 0, this.#at, this.#end)
      this.#hold(room, held, true)
    }
    bytes.copy(this.#bytes, this.#end)
    this.#end += bytes.length
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#at < this.#end && this.#step());
    this.#tellPiece()
    this.#isRunning = false
    if (this.held === 0 || this.#place === 'ended') this.#hold(EMPTY, 0, false)
    if (this.#hasEnded) this.#atEnd()
  }

  /** Reads on where there is a byte; false when it takes more of them, or none. */
  #step(): boolean {
    switch (this.#place) {
      case 'head':
        return this.#readHead()
      case 'length':
      case 'close':
        return this.#readBody()
      case 'data':
        return this.#readData()
      case 'trailers':
        return this.#readTrailers()
      case 'size':
        return this.#readSize()
      case 'data-end':
        if (!this.#skipLineEnd('chunk')) return false
        this.#place = 'size'
        return true
      default:
        return false
    }
  }

  /** RFC 9112, 2.1 and 2.2. One empty line before a request is skipped: old clients send it behind a body. */
  #readHead(): boolean {
    if (this.#role === 'request' && !this.#hasSkippedLine && this.#bytes[this.#at] === CR) {
      this.#hasSkippedLine = this.held > 1
      return this.#skipLineEnd('bytes')
    }
    const length = this.#sectionLength()
    if (length === 0) return false
    const again = this.#known?.again(this.#bytes, this.#at, length) ?? null
    if (again !== null) return this.#begin(again, length)
    const text = this.#bytes.toString('latin1', this.#at, this.#at + length - 2)
    const head = this.#role === 'request' ? readRequestHead(text) : readResponseHead(text)
    if (typeof head === 'string') return this.#fail(head)
    if (this.#role === 'request') this.#known = KnownHead.of(head, this.#bytes, this.#at, length)
    if (this.#role === 'request' || head.status >= 200) return this.#begin(head, length)
    // RFC 9110, 15.2: any number of them may come before the final response; so many never do.
    if (++this.#informational > MAX_INFORMATIONAL) return this.#fail('informational')
    this.#at += length
    this.#sink.onInformational?.(head)
    return true
  }

  /** RFC 9112, 6.3: where the body of this message ends. The head is read once the sink takes it. */
  #begin(head: MessageHead, headBytes: number): boolean {
    const { framing } = head
    this.#keepAlive = head.keepAlive
    this.#left = head.length
    this.#digits = 0
    this.#place = framing === 'chunked' ? 'size' : framing === 'close' ? 'close' : 'length'
    const expectation = this.#sink.onHead(head)
    if (this.#isOver()) return false
    if (expectation === 'handover') {
      this.#place = 'handover'
      return false
    }
    if (head.isUpgrade) return this.#fail('upgrade')
    this.#at += headBytes
    return framing === 'none' || (expectation === 'none' && this.#role === 'response')
      ? this.#complete()
      : true
  }

  /** Over a CRLF (RFC 9112, 2.2); false while it has not come, or when it is none. */
  #skipLineEnd(problem: MessageProblem): boolean {
    if (this.#bytes[this.#at] !== CR) return this.#fail(problem)
    if (this.held === 1) return false
    if (this.#bytes[this.#at + 1] !== LF) return this.#fail(problem)
    this.#at += 2
    return true
  }

  /**
   * The length of the lines from here to an empty one, with it (RFC 9112, 2.1); 0 when it has not come, or was refused. What is not
   * complete is looked at for what no line holds, so that an end that never comes is not waited for.
   */
  #sectionLength(): number {
    const bytes = this.#end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#end)
    const found = bytes.indexOf(HEAD_END, this.#at + Math.max(0, this.#searched - 3))
    const length = found === -1 ? this.held : found + HEAD_END.length - this.#at
    const from = this.#at + Math.max(0, this.#searched - 1)
    this.#searched = found === -1 ? length : 0
    if (length > MAX_HEAD_BYTES[this.#role] || (found === -1 && length === MAX_HEAD_BYTES[this.#role]))
      this.#fail('head-too-large')
    else if (found !== -1) return length
    else if (FORBIDDEN.test(bytes.toString('latin1', from, this.#end))) this.#fail('bytes')
    return 0
  }

  /** RFC 9112, 6.2 and 6.3 (8): so many bytes, or all there are. */
  #readBody(): boolean {
    const start = this.#at
    const taken = this.#place === 'length' ? Math.min(this.#left, this.held) : this.held
    this.#at += taken
    this.#left -= taken
    this.#sink.onBody(taken === this.#bytes.length ? this.#bytes : this.#bytes.subarray(start, start + taken))
    return this.#place === 'length' && this.#left === 0 ? this.#complete() : true
  }

  /** RFC 9112, 7.1: `1*HEXDIG CRLF` before each chunk, CRLF behind it. No extension is known, so none is skipped (7.1.1). */
  #readSize(): boolean {
    const digit = hexDigit(this.#bytes[this.#at] as number)
    if (digit >= 0 && this.#digits < MAX_SIZE_DIGITS) {
      this.#left = this.#left * 16 + digit
      this.#digits += 1
      this.#at += 1
      return true
    }
    if (this.#digits === 0) return this.#fail('chunk')
    if (!this.#skipLineEnd('chunk')) return false
    this.#place = this.#left > 0 ? 'data' : 'trailers'
    this.#digits = 0
    return true
  }

  /** RFC 9112, 7.1. Small pieces of one read move together, over the lines between them that were read. */
  #readData(): boolean {
    const start = this.#at
    const taken = Math.min(this.#left, this.held)
    this.#at += taken
    this.#left -= taken
    if (this.#left === 0) this.#place = 'data-end'
    if (this.#pieceEnd > this.#pieceStart && taken <= SMALL_BYTES)
      this.#bytes.copyWithin(this.#pieceEnd, start, this.#at)
    else {
      this.#tellPiece()
      this.#pieceStart = this.#pieceEnd = start
    }
    this.#pieceEnd += taken
    return true
  }

  #tellPiece(): void {
    if (this.#pieceEnd === this.#pieceStart) return
    const piece = this.#bytes.subarray(this.#pieceStart, this.#pieceEnd)
    this.#pieceStart = this.#pieceEnd = 0
    if (!this.#isOver()) this.#sink.onBody(piece)
  }

  /** RFC 9112, 7.1.2. Those of a request are refused, since no client needs them; a vendor's are read and dropped. */
  #readTrailers(): boolean {
    if (this.#bytes[this.#at] === CR) {
      if (!this.#skipLineEnd('bytes')) return false
    } else {
      if (this.#role === 'request') return this.#fail('trailers')
      const length = this.#sectionLength()
      if (length === 0) return false
      const problem = problemOfTrailers(this.#bytes.toString('latin1', this.#at, this.#at + length - 2))
      if (problem !== undefined) return this.#fail(problem)
      this.#at += length
    }
    this.#tellPiece()
    return this.#place === 'trailers' ? this.#complete() : true
  }

  #complete(): true {
    this.#place = 'done'
    this.#sink.onEnd()
    return true
  }

  /** RFC 9112, 8: what an end of the connection means here. */
  #atEnd(): void {
    if (this.#place === 'close') this.#complete()
    else if (this.state === 'idle') this.#place = 'ended'
    else if (this.state === 'head' || this.state === 'body') this.#fail('truncated')
  }

  #fail(problem: MessageProblem): false {
    this.#tellPiece()
    if (this.#isOver()) return false
    this.#place = 'failed'
    this.#sink.onError(problem, this.#role === 'request' ? statusOf(problem) : 502)
    return false
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
