import type { Http2Stream } from 'node:http2'

/**
 * Whether the other side said its end (END_STREAM). Node ends a stream that was reset without an error (RFC 9113, 8.1) as it ends a
 * whole one; but only what was said is pushed while the stream is not closed yet. `said` is called in the turn in which it comes.
 */
export function watchEnd(stream: Http2Stream, said: () => void = () => {}): () => boolean {
  let isWhole = false
  const push = stream.push.bind(stream)
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    const isEnd = chunk === null && !isWhole && !stream.closed
    if (isEnd) isWhole = true
    const isRoom = push(chunk, encoding)
    if (isEnd) said()
    return isRoom
  }
  return () => isWhole
}
