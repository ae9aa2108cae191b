/** HTTP/1.1 over a stream into a machine, which carries one request. What answers is the machine's to say. */
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import type { Duplex } from 'node:stream'

/** Resolves to the head of the answer; rejects when there is none, and with the signal's reason. */
export function requestOver(
  stream: Duplex,
  sent: {
    readonly method: string
    readonly path: string
    readonly headers?: OutgoingHttpHeaders
    readonly body?: string
    readonly signal: AbortSignal
  },
): Promise<IncomingMessage> {
  const { method, path, headers, body, signal } = sent
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    request(
      {
        createConnection: () => stream as never,
        ...{ method, path, signal },
        headers: { host: '127.0.0.1', connection: 'close', ...length, ...headers },
      },
      resolve,
    )
      .on('error', reject)
      // It was paused behind the line that it began with; its reader is there now.
      .on('socket', (socket) => socket.resume())
      .end(body)
  })
}
