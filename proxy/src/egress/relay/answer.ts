import { type BodyWay, SearchedBody } from './searched-body.ts'
import { type Flushing, flushAtTurnEnd } from './turn-end.ts'

/** Where an answer goes: a client's response, or what stands in its place. */
export interface AnswerSink {
  readonly headersSent: boolean
  readonly destroyed: boolean
  readonly writableEnded: boolean
  /** All of it was taken off the process's hands. */
  readonly writableFinished: boolean
  sendDate: boolean
  writeHead(status: number, headers: string[]): unknown
  flushHeaders(): void
  /** False when no more should come until `drain`. */
  write(piece: Uint8Array | string): boolean
  end(last?: Uint8Array | string): unknown
  destroy(): unknown
  on(event: 'close', listener: () => void): unknown
  once(event: 'close' | 'drain' | 'finish', listener: () => void): unknown
  /** Flat name, value …, before `end`; absent where the client could take none. */
  giveTrailers?(trailers: string[]): void
}

/** Writes one answer to the code. What comes in one turn of the event loop goes out in one piece. */
export interface Answer {
  /** False when no more should come until `ready`. */
  write(chunk: Uint8Array): boolean
  /** Calls back when all was read through. */
  end(read: () => void): void
  /**
   * Ends it before its end with what `lastWords` puts behind the last bytes that were given on; what is still held is dropped.
   * False, and nothing is done, where that is nothing or cannot be put there.
   */
  stop(lastWords: (tail: Uint8Array) => string | null): boolean
  /** Nobody is there to take it: what still comes goes through the searches and is dropped. */
  abandon(): void
}

export interface AnswerHead {
  readonly status: number
  readonly headers: string[]
  /** What the body goes through. */
  readonly way: BodyWay
  /** The request was no HEAD, so a body may be given a length. */
  readonly mayHaveBody: boolean
}

const MAX_HELD_BYTES = 64 * 1_024
/** As many as tell whether an event is whole. */
const TAIL_BYTES = 4
/** A client that takes no last words in is not waited for. */
const LAST_WORDS_MS = 2_000

/**
 * A short answer is whole in the turn in which it begins: it leaves with its length, in one write. Of a long one the
 * pieces of a turn leave together, the head with the first of them.
 */
export function createAnswer(response: AnswerSink, head: AnswerHead, ready: () => void): Answer {
  const answer = new WrittenAnswer(response, head, ready)
  flushAtTurnEnd(answer)
  return answer
}

const NOTHING = new Uint8Array(0)

class WrittenAnswer implements Answer, Flushing {
  readonly #response: AnswerSink
  readonly #head: AnswerHead
  readonly #ready: () => void
  readonly #body: SearchedBody
  #held: Uint8Array[] = []
  #heldBytes = 0
  #isBegun = false
  #isEnded = false
  #isScheduled = true
  #isBlocked = false
  #isAbandoned = false
  /** What was written last. */
  #last: Uint8Array = NOTHING

  constructor(response: AnswerSink, head: AnswerHead, ready: () => void) {
    this.#response = response
    this.#head = head
    this.#ready = ready
    this.#body = new SearchedBody(head.way, this)
  }

  write(chunk: Uint8Array): boolean {
    this.#body.write(chunk)
    this.#given()
    return !this.#isBlocked && !this.#body.isFull
  }

  take(bytes: Uint8Array): void {
    if (this.#isAbandoned) return
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
  }

  ready(): void {
    this.#given()
    if (!this.#isBlocked) this.#ready()
  }

  get isGone(): boolean {
    const { destroyed, writableEnded } = this.#response
    return (destroyed || writableEnded) && !this.#isAbandoned
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#take()
    if (this.#isBlocked) this.#resume()
  }

  end(read: () => void): void {
    this.#body.end(() => {
      this.#isEnded = true
      this.#schedule()
      read()
    })
  }

  /** What was read leaves at the end of the turn, before the rest is. */
  #given(): void {
    if (this.#isAbandoned) return
    if (this.#heldBytes > 0) this.#schedule()
    if (this.#heldBytes >= MAX_HELD_BYTES) this.#isBlocked = true
  }

  stop(lastWords: (tail: Uint8Array) => string | null): boolean {
    const response = this.#response
    if (response.destroyed || response.writableEnded || hasLength(this.#head.headers)) return false
    const words = lastWords(this.#last)
    if (words === null) return false
    this.#take()
    this.#begin()
    response.end(words)
    const closeTimer = setTimeout(() => response.destroy(), LAST_WORDS_MS)
    response.once('close', () => clearTimeout(closeTimer))
    return true
  }

  flush(): void {
    this.#isScheduled = false
    if (this.#response.destroyed || this.#response.writableEnded) return
    if (this.#isEnded) {
      this.#finish()
      return
    }
    this.#begin()
    if (this.#heldBytes === 0) {
      this.#response.flushHeaders()
      return
    }
    if (this.#writeHeld()) {
      if (this.#isBlocked) this.#resume()
    } else {
      this.#isBlocked = true
      this.#response.once('drain', () => this.#resume())
    }
  }

  breakOff(): void {
    this.#response.destroy()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    flushAtTurnEnd(this)
  }

  #take(): Uint8Array[] {
    const all = this.#held
    this.#held = []
    this.#heldBytes = 0
    return all
  }

  #begin(): void {
    if (this.#isBegun) return
    this.#isBegun = true
    this.#response.sendDate = false
    this.#response.writeHead(this.#head.status, this.#head.headers)
  }

  /** Writes of one turn leave the socket together, so the pieces need not be copied into one first. */
  #writeHeld(): boolean {
    let isRoom = true
    for (const piece of this.#take()) {
      isRoom = this.#response.write(piece)
      this.#last =
        piece.length >= TAIL_BYTES || this.#last.length === 0
          ? piece
          : Buffer.concat([this.#last.slice(-TAIL_BYTES), piece])
    }
    return isRoom
  }

  #finish(): void {
    const { headers, mayHaveBody } = this.#head
    if (!this.#isBegun && mayHaveBody && !hasLength(headers)) {
      headers.push('content-length', String(this.#heldBytes))
    }
    this.#begin()
    const held = this.#take()
    this.#response.end(held.length === 1 ? held[0] : Buffer.concat(held))
  }

  #resume(): void {
    this.#isBlocked = false
    if (!this.#body.isFull) this.#ready()
  }
}

const hasLength = (headers: readonly string[]): boolean =>
  headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length')
