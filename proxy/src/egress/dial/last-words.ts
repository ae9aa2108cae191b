import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void
interface Writing {
  _write(chunk: unknown, encoding: BufferEncoding, done: Done): void
  _writev(chunks: unknown, done: Done): void
}

/** The other end takes no more: it has closed, or has reset the connection. */
const isGone = (error: Error | null | undefined): boolean => {
  const code = error && 'code' in error ? error.code : ''
  return code === 'EPIPE' || code === 'ECONNRESET'
}

/**
 * A host that has answered may close while a body is still sent to it. Node destroys a socket when a write fails, with the answer
 * unread in it; here what is written is dropped from then on, and it is reading that comes to the answer and to the end.
 */
export function withLastWords<S extends Socket>(socket: S): S {
  const writing = socket as unknown as Writing
  const { _write: write, _writev: writeAll } = writing
  // A stream calls back by the same function each time, so what stands before it is made once.
  let known: Done | null = null
  let told: Done = () => {}
  const unlessGone = (done: Done): Done => {
    if (done !== known) {
      known = done
      told = (error) => done(isGone(error) ? null : error)
    }
    return told
  }
  writing._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, unlessGone(done))
  writing._writev = (chunks, done) => writeAll.call(socket, chunks, unlessGone(done))
  return socket
}
