import type { Http2Stream } from 'node:http2'

/**
 * Calls `said` in the turn in which the other side says its end (END_STREAM). Node ends a stream that was reset without an error
 * (RFC 9113, 8.1) as it ends a whole one; but only what was said is pushed while the stream is not closed yet.
 */
export function onEndStream(stream: Http2Stream, said: () => void): void {
  let isSaid = false
  const push = stream.push.bind(stream)
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    const isEnd = chunk === null && !isSaid && !stream.closed
    const isRoom = push(chunk, encoding)
    if (isEnd) {
      isSaid = true
      said()
    }
    return isRoom
  }
}
