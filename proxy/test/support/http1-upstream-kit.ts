/** Upstreams at the wire, and requests to them through a pool. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import type { ExchangeHandler, RequestToSend } from '../../src/http/http1/upstream-exchange.ts'
import { Http1Pool } from '../../src/http/http1/upstream-pool.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** An upstream that says what `script` does with its connections, and a pool to it. */
export async function upstream(script: (socket: Socket, connection: number) => void, keepAliveMs = 60_000) {
  let connections = 0
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    closing.push(() => socket.destroy())
    script(socket, ++connections)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const sockets: Socket[] = []
  const pool = new Http1Pool({
    host: 'vendor.example',
    keepAliveMs,
    async connect() {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      await once(socket, 'connect')
      sockets.push(socket)
      return socket
    },
  })
  closing.push(() => pool.destroy())
  return { pool, sockets, connections: () => connections }
}

/** Answers each request that came whole (a head, and `abc` where it has a body) with the next of these. */
export const answering =
  (...answers: string[]) =>
  (socket: Socket): void => {
    let came = ''
    socket.on('data', (bytes) => {
      came += bytes.toString('latin1')
      for (let end = came.indexOf('\r\n\r\n'); end !== -1; end = came.indexOf('\r\n\r\n')) {
        came = came.slice(end + 4)
        socket.write(answers.length > 1 ? (answers.shift() as string) : (answers[0] as string), 'latin1')
      }
    })
  }

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

interface Told {
  readonly statuses: number[]
  body: string
  error: Error | undefined
}

export function ask(
  pool: Http1Pool,
  request: Partial<RequestToSend> = {},
  more: Partial<ExchangeHandler> = {},
): Promise<Told> {
  const told: Told = { statuses: [], body: '', error: undefined }
  return new Promise((resolve) => {
    const handler: ExchangeHandler = {
      onRequestStart() {},
      onResponseStart: (_exchange, status) => void told.statuses.push(status),
      onResponseData(_exchange, bytes) {
        told.body += bytes.toString('latin1')
      },
      onResponseEnd: () => resolve(told),
      onResponseError(_exchange, error) {
        told.error = error
        resolve(told)
      },
      ...more,
    }
    pool.dispatch({ method: 'GET', path: '/', headers: [], body: null, ...request }, handler)
  })
}

export const turns = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) await new Promise(setImmediate)
}
