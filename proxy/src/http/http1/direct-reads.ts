import type { Socket } from 'node:net'

/**
 * Gives what comes on a socket to `take` at once, as a listener to `data` is given it, without the stream's steps between: of a small
 * piece they cost more than its reading. What comes while the socket is paused, or behind what was held meanwhile, goes through the
 * stream to its listeners, so `take` has to be one of them. Returns what takes this back.
 */
export function readDirectly(socket: Socket, take: (bytes: Buffer) => void): () => void {
  const { push } = socket
  socket.push = (bytes: Buffer | null, ...rest) => {
    if (bytes === null || socket.readableFlowing !== true || socket.readableLength > 0)
      return push.call(socket, bytes, ...rest)
    take(bytes)
    // Paused by that, it goes on to read until the stream holds enough, as it does when it is paused at any other time.
    return true
  }
  return () => {
    socket.push = push
  }
}
