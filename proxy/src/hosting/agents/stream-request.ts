/** HTTP/1.1 over a stream into a machine, which carries one request. What answers is the machine's to say. */
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '../../kernel/index.ts'

const MAX_HEAD_BYTES = 8_192

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

/**
 * Switches the stream to another protocol: resolves to the header lines of the answer. Rejects with `refused` where it does not switch,
 * and leaves the stream to the caller.
 */
export async function upgradeOver(
  stream: Duplex,
  {
    path,
    headers,
    refused,
  }: { readonly path: string; readonly headers: readonly string[]; readonly refused: string },
): Promise<readonly string[]> {
  stream.write(
    [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: Upgrade', ...headers, '\r\n'].join('\r\n'),
  )
  const [status = '', ...lines] = (await readHead(stream)).split('\r\n')
  if (/^HTTP\/1\.1 101 /.test(status)) return lines
  throw new AppError('sandbox_unavailable', refused, { retryAfterSeconds: 5 })
}

/** The head that the stream begins with; what comes behind it stays on the stream. Rejects when there is none. */
function readHead(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    const fail = (): void =>
      reject(
        new AppError('sandbox_unavailable', 'The machine ended the connection.', { retryAfterSeconds: 5 }),
      )
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0 && head.length <= MAX_HEAD_BYTES) return
      stream.off('data', read).off('close', fail)
      stream.pause()
      if (end < 0) {
        fail()
        return
      }
      const rest = head.subarray(end + 4)
      if (rest.length > 0) stream.unshift(rest)
      resolve(head.toString('latin1', 0, end))
    }
    stream.on('data', read).once('close', fail)
    stream.resume()
  })
}
