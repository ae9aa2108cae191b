import type { BodyFilter, ShortBody } from '../index.ts'
import type { Answer, AnswerSink } from './answer.ts'
import { SearchedBody } from './searched-body.ts'
import { type Flushing, flushSoon } from './turn-end.ts'

interface ShortHead {
  readonly status: number
  readonly headers: string[]
  readonly short: ShortBody
  readonly behind: BodyFilter | null
  readonly owner: string
}

/** Of an answer that is held whole: head and body leave together, in one write, after one look at it. */
export class ShortAnswer implements Answer, Flushing {
  readonly #response: AnswerSink
  readonly #head: ShortHead
  #parts: Uint8Array[] = []
  #isEnded = false

  constructor(response: AnswerSink, head: ShortHead) {
    this.#response = response
    this.#head = head
  }

  write(chunk: Uint8Array): boolean {
    this.#parts.push(chunk)
    return true
  }

  end(read: () => void): void {
    const { short, behind, owner } = this.#head
    const whole = joined(this.#parts)
    this.#parts = []
    const body = new SearchedBody(
      { search: short.isClean(whole) ? null : short.searchOfBody(), behind, owner },
      this,
    )
    body.write(whole)
    body.end(() => {
      this.#isEnded = true
      flushSoon(this)
      read()
    })
  }

  /** Nothing of it is given before its end. */
  stop(): boolean {
    return false
  }

  take(bytes: Uint8Array): void {
    this.#parts.push(bytes)
  }

  ready(): void {}

  readonly isGone = false

  /** It is short: it is held whole, and looked through at its end. */
  abandon(): void {}

  breakOff(): void {
    this.#response.destroy()
  }

  flush(): void {
    const response = this.#response
    if (response.destroyed || !this.#isEnded) return
    const { status, headers } = this.#head
    const body = joined(this.#parts)
    headers.push('content-length', String(body.length))
    response.sendDate = false
    response.writeHead(status, headers)
    response.end(body)
  }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
