import { onBehalfOf } from '../../kernel/index.ts'
import { inLaterTurn } from '../../scrub/index.ts'
import type { BodyFilter, BodySearch } from '../index.ts'

/** What a body goes through on its way: the search for secrets, and what reads it behind that. */
export interface BodyWay {
  readonly search: BodySearch | null
  readonly behind: BodyFilter | null
  /** Whose turn it takes: a connection that owners share does not tell. */
  readonly owner: string
}

interface BodyTaker {
  /** Bytes that may be given on, in order. */
  take(bytes: Uint8Array): void
  /** All that was written has been read. */
  ready(): void
  /** Nobody wants what is left. */
  readonly isGone: boolean
  /** The rest cannot be read. */
  breakOff(): void
}

const NO_BYTES = new Uint8Array(0)
/**
 * Taken in before an upstream is held up: of one that answers early and closes, what is left in the socket is lost with
 * the first write that it refuses (RFC 9112, 9.6).
 */
const MAX_UNREAD_BYTES = 128 * 1_024

/** Reads a body as its turns of the event loop allow. What is not read yet is given to nobody. */
export class SearchedBody {
  readonly #way: BodyWay
  readonly #taker: BodyTaker
  #isWaiting = false
  /** What came since all was read. */
  #unreadBytes = 0
  #ended: (() => void) | undefined = undefined

  constructor(way: BodyWay, taker: BodyTaker) {
    this.#way = way
    this.#taker = taker
  }

  /** Something that was written is not read yet; `ready` is called once it is. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** So much is not read yet that no more should come until `ready`. */
  get isFull(): boolean {
    return this.#isWaiting && this.#unreadBytes > MAX_UNREAD_BYTES
  }

  write(chunk: Uint8Array): void {
    const { search } = this.#way
    if (search === null) {
      this.#give(chunk)
      return
    }
    const out: Uint8Array[] = []
    const isRead = search.read(chunk, out)
    for (const piece of out) this.#give(piece)
    this.#unreadBytes = isRead ? 0 : this.#unreadBytes + chunk.length
    if (!isRead) this.#wait()
  }

  /** Nothing follows; calls back when the last byte was given. */
  end(ended: () => void): void {
    this.#ended = ended
    if (!this.#isWaiting) this.#finish(ended)
  }

  #wait(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    onBehalfOf(this.#way.owner, () => inLaterTurn(() => this.#goOn()))
  }

  #goOn(): void {
    this.#isWaiting = false
    if (this.#taker.isGone) return
    try {
      this.write(NO_BYTES)
      if (this.#isWaiting) return
      if (this.#ended === undefined) this.#taker.ready()
      else this.#finish(this.#ended)
    } catch {
      this.#taker.breakOff()
    }
  }

  #finish(ended: () => void): void {
    const { search, behind } = this.#way
    if (search !== null) this.#give(search.end())
    if (behind !== null) this.#take(behind.end())
    ended()
  }

  #give(bytes: Uint8Array): void {
    const { behind } = this.#way
    this.#take(behind === null || bytes.length === 0 ? bytes : behind.push(bytes))
  }

  #take(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#taker.take(bytes)
  }
}
