import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** Nothing was read of it for so long: who sends a body does not pause like this. */
const SILENCE_MS = 30_000

type Closing = Duplex & { destroySoon?(): void; setTimeout?(ms: number, callback: () => void): void }

/**
 * Node closes a connection on its last answer, also when the request is still being sent; a connection that is closed over
 * unread bytes is reset, and the answer is lost with it (RFC 9112, 9.6). Here only the sending side is closed then, and what still
 * comes of the request is read and dropped.
 */
export function lingerOnClose(connection: Duplex, latest: () => IncomingMessage | undefined): void {
  const socket: Closing = connection
  const destroySoon = socket.destroySoon?.bind(socket)
  if (destroySoon === undefined) return
  socket.destroySoon = () => {
    const request = latest()
    if (request === undefined || request.complete || request.destroyed) {
      destroySoon()
      return
    }
    socket.end()
    request.once('close', destroySoon)
    request.resume()
    socket.setTimeout?.(SILENCE_MS, () => socket.destroy())
  }
}
