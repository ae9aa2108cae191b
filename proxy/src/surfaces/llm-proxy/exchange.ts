import type { IncomingMessage } from 'node:http'
import type { ErrorShape } from '../../domain/providers/index.ts'

const LEFT = new Error('the client left')

/** What one exchange lends to the parts that work on its request. */
export class Exchange {
  readonly request: IncomingMessage
  readonly websocket: boolean
  /** In whose shape an error is to be told, once that is known. */
  shape: ErrorShape = 'openai'
  /** Something is granted to its agent where it wants to go; false until that is known. */
  isEntitled = false
  #gone: AbortController | undefined = undefined
  #isOver = false
  #isKept = false
  readonly #holds: Disposable[] = []

  constructor(request: IncomingMessage, websocket: boolean) {
    this.request = request
    this.websocket = websocket
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
