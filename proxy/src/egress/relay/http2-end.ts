import type { Http2Stream } from 'node:http2'

/**
 * Calls `onEnd` in the turn in which the other side says its end (END_STREAM). Node ends a stream that was reset without an error
 * (RFC 9113, 8.1) as it ends a whole one; but only what came is pushed while the stream is not closed yet.
 */
export function onEndStream(stream: Http2Stream, onEnd: () => void): void {
  let isTold = false
  const push = stream.push.bind(stream)
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    const isEnd = chunk === null && !isTold && !stream.closed
    const isRoom = push(chunk, encoding)
    if (isEnd) {
      isTold = true
      onEnd()
    }
    return isRoom
  }
}
