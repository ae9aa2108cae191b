import type { Socket } from 'node:net'

const MAX_EARLY_BYTES = 65_536

/**
 * What a client sends before its upgrade is answered. Somebody has to read meanwhile: of a connection that nobody reads, the
 * end is not noticed, and what was asked for would go on for a client that has left.
 */
export interface EarlyBytes {
  /** All of it, in order; from now on the socket is the taker's, paused. */
  take(): Buffer
}

export function readEarly(socket: Socket, head: Buffer): EarlyBytes {
  const parts = [head]
  let bytes = head.length
  const keep = (chunk: Buffer): void => {
    parts.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_EARLY_BYTES) socket.pause()
  }
  const left = (): void => void socket.destroy()
  socket.on('data', keep)
  socket.on('end', left)
  return {
    take() {
      socket.off('data', keep).off('end', left).pause()
      return Buffer.concat(parts)
    },
  }
}
