import type { LlmRequest, LlmResponse } from './client.ts'
import type { AnswerShape, StreamForm } from './error-form.ts'
import { HeldStream } from './held-stream.ts'

const LEFT = new Error('the client left')

/** What one exchange lends to the parts that work on its request. */
export class Exchange {
  readonly request: LlmRequest
  readonly websocket: boolean
  /** In whose shape an error is to be told, once that is known. */
  shape: AnswerShape = 'openai'
  /** Something is granted to its agent where it wants to go; false until that is known. */
  isEntitled = false
  /** Begun while the request waits for the owner; what is answered goes into it from then on. */
  stream: HeldStream | null = null
  readonly #response: LlmResponse | null
  #gone: AbortController | undefined = undefined
  #isOver = false
  #isKept = false
  readonly #holds: Disposable[] = []

  /** Without a response: a WebSocket. */
  constructor(request: LlmRequest, response: LlmResponse | null) {
    this.request = request
    this.websocket = response === null
    this.#response = response
  }

  /** Begins the answer as a stream of events, once; null where there is nobody to answer any more, or an answer already. */
  beginStream(form: StreamForm): HeldStream | null {
    if (this.stream !== null || this.#isOver) return this.stream
    if (this.#response === null || this.#response.headersSent) return null
    this.stream = new HeldStream(this.#response, form)
    return this.stream
  }

  /** Aborted when the client is gone; made when it is first asked for. */
  gone(): AbortSignal {
    this.#gone ??= new AbortController()
    if (this.#isOver) this.#gone.abort(LEFT)
    return this.#gone.signal
  }

  /** Is given back when the exchange is over. */
  keep(hold: Disposable): void {
    if (this.#isOver) hold[Symbol.dispose]()
    else this.#holds.push(hold)
  }

  /** What was lent stays lent until `release`, also when the client leaves before. */
  retain(): void {
    this.#isKept = true
  }

  release(): void {
    this.#isKept = false
    if (this.#isOver) this.end()
  }

  end(): void {
    this.#isOver = true
    this.#gone?.abort(LEFT)
    if (this.#isKept) return
    for (const hold of this.#holds) hold[Symbol.dispose]()
  }
}
