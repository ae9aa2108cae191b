/** Connections to browsers that are open, cut once the token behind them is refused. */
import type { Duplex } from 'node:stream'

interface Join {
  readonly socket: Duplex
  /** Throws once whoever opened it may not have it any more. */
  assertStill(): void
}

export interface OpenJoins extends Disposable {
  add(join: Join): void
}

/** A rotation cuts within this; a revocation and a lockdown end the other side at once. */
const LOOK_MS = 250

export function createOpenJoins(): OpenJoins {
  const joins = new Set<Join>()
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  const look = (): void => {
    for (const { socket, assertStill } of joins) {
      try {
        assertStill()
      } catch {
        socket.destroy()
      }
    }
  }
  return {
    add(join) {
      if (join.socket.destroyed) return
      joins.add(join)
      timer ??= setInterval(look, LOOK_MS).unref()
      join.socket.once('close', () => {
        joins.delete(join)
        if (joins.size === 0) stop()
      })
    },
    [Symbol.dispose]() {
      stop()
      for (const { socket } of joins) socket.destroy()
    },
  }
}
