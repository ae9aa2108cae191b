import type { IncomingMessage } from 'node:http'
import type { ErrorShape } from '../../domain/providers/index.ts'

/** What one exchange lends to the parts that work on its request. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly websocket: boolean
  /** Aborted when the client is gone; made when it is first asked for. */
  gone(): AbortSignal
  /** In whose shape an error is to be told, once that is known. */
  shapeIs(shape: ErrorShape): void
  /** What is given back when the exchange is over. */
  keep(hold: Disposable): void
}

const LEFT = new Error('the client left')

export function beginExchange(
  request: IncomingMessage,
  websocket: boolean,
): { readonly exchange: Exchange; readonly shape: () => ErrorShape; readonly end: () => void } {
  let gone: AbortController | undefined
  let ended = false
  const holds: Disposable[] = []
  let shape: ErrorShape = 'openai'
  return {
    exchange: {
      request,
      websocket,
      gone() {
        gone ??= new AbortController()
        if (ended) gone.abort(LEFT)
        return gone.signal
      },
      shapeIs(found) {
        shape = found
      },
      keep: (hold) => (ended ? hold[Symbol.dispose]() : void holds.push(hold)),
    },
    shape: () => shape,
    end() {
      ended = true
      gone?.abort(LEFT)
      for (const hold of holds) hold[Symbol.dispose]()
    },
  }
}
