import type { ForwardHandle } from '../../egress/relay/index.ts'

/**
 * Answers that are read to their end though their clients have left. Under a limit a request is settled by what the vendor says at
 * its end, or by all that was reserved for it: whoever leaves early would have the hidden part of an answer for nothing. Each keeps
 * its place among its agent's requests under way meanwhile.
 */
export interface ReadingOn extends Disposable {
  /** False when nothing is read on any more. */
  begin(reader: object, upstream: ForwardHandle): boolean
  end(reader: object): void
}

/** How long: most answers are whole by then, and of all others the reservation counts. */
export const READ_ON_MS = 120_000

/** Disposing breaks all of them off. */
export function createReadingOn(maxMs: number): ReadingOn {
  const open = new Map<object, { readonly timer: NodeJS.Timeout; readonly upstream: ForwardHandle }>()
  let isOver = false
  return {
    begin(reader, upstream) {
      if (isOver) return false
      const onTimeout = (): void =>
        upstream.breakOff(new Error('the answer takes too long to be read for nobody'))
      open.set(reader, { timer: setTimeout(onTimeout, maxMs).unref(), upstream })
      return true
    },
    end(reader) {
      const found = open.get(reader)
      if (found === undefined) return
      clearTimeout(found.timer)
      open.delete(reader)
    },
    [Symbol.dispose]() {
      isOver = true
      for (const { upstream } of [...open.values()]) upstream.breakOff(new Error('the daemon is stopping'))
    },
  }
}
