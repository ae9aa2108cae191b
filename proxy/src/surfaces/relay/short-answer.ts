import type { BodySearch } from '../../domain/egress/index.ts'
import type { Answer, AnswerSink } from './answer.ts'
import { type Flushing, flushAtTurnEnd } from './turn-end.ts'

/** Of an answer that is held whole: head and body leave together, in one write, after one look at it. */
export class ShortAnswer implements Answer, Flushing {
  readonly #response: AnswerSink
  readonly #status: number
  readonly #headers: string[]
  readonly #clean: (body: Uint8Array) => Uint8Array
  readonly #behind: BodySearch | null
  readonly #parts: Uint8Array[] = []
  #body: Uint8Array | undefined = undefined

  constructor(
    response: AnswerSink,
    head: { readonly status: number; readonly headers: string[] },
    clean: (body: Uint8Array) => Uint8Array,
    behind: BodySearch | null,
  ) {
    this.#response = response
    this.#status = head.status
    this.#headers = head.headers
    this.#clean = clean
    this.#behind = behind
  }

  write(chunk: Uint8Array): boolean {
    this.#parts.push(chunk)
    return true
  }

  end(): void {
    const parts = this.#parts
    let body = this.#clean(parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts))
    if (this.#behind !== null) {
      body = this.#behind.push(body)
      const rest = this.#behind.end()
      if (rest.length > 0) body = Buffer.concat([body, rest])
    }
    this.#body = body
    flushAtTurnEnd(this)
  }

  /** Nothing of it is given before its end. */
  stop(): boolean {
    return false
  }

  /** It is short: it is held whole, and looked through at its end. */
  abandon(): void {}

  breakOff(): void {
    this.#response.destroy()
  }

  flush(): void {
    const response = this.#response
    const body = this.#body
    if (response.destroyed || body === undefined) return
    this.#headers.push('content-length', String(body.length))
    response.sendDate = false
    response.writeHead(this.#status, this.#headers)
    response.end(body)
  }
}
