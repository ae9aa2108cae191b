import type { IncomingMessage } from 'node:http'

/** Ends requests whose body does not go on. One clock for all: a timer for each would cost more than most bodies do. */
export interface Stalls extends Disposable {
  begin(request: IncomingMessage): void
  /** Some of it came. */
  came(request: IncomingMessage): void
  end(request: IncomingMessage): void
}

/** A request is ended after two looks without a byte between them, so after this long at least. */
export function createStalls(stallMs: number): Stalls {
  /** Whether something came since the last look. */
  const waiting = new Map<IncomingMessage, boolean>()
  const clock = setInterval(() => {
    for (const [request, isAlive] of waiting) {
      if (isAlive) waiting.set(request, false)
      else request.destroy()
    }
  }, stallMs).unref()
  return {
    begin: (request) => void waiting.set(request, true),
    came: (request) => void waiting.set(request, true),
    end: (request) => void waiting.delete(request),
    [Symbol.dispose]: () => clearInterval(clock),
  }
}
