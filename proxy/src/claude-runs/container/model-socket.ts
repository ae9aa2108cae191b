/** The model endpoint of one container: a socket in the folder that it sees at GATEWAY_MOUNT. Whoever connects is that container's run. */
import { chmodSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ModelConnections } from '../index.ts'

const NAME = 'model.sock'
/** Connections of one container at once; the CLI opens a few. */
const MAX_CONNECTIONS = 32

export interface ModelSocket {
  /** Until then tokens are counted, each text as one, and after `close` nobody is served. Once only. `onFirst` is told that the run has begun to speak to its model. */
  bind(model: ModelConnections, onFirst?: () => void): void
  /** Bytes that went either way so far: a sign of life. */
  readonly traffic: number
  close(): Promise<void>
}

/**
 * What the CLI asks before it has a run: how many tokens its own texts are. No vendor is asked that, and without an answer it would
 * try again and again.
 */
const counter = createHttpServer((request, response) => {
  request.resume()
  if (!/^\/v1\/messages\/count_tokens(\?|$)/.test(request.url ?? '')) return void response.destroy()
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' })
  response.end('{"input_tokens":1}')
})

export async function openModelSocket(directory: string): Promise<ModelSocket> {
  const sockets = new Set<Socket>()
  const aheadSockets = new Set<Socket>()
  let model: ModelConnections | undefined
  let onFirstConnection = (): void => {}
  let closed = false
  let before = 0
  const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten

  function serveAhead(socket: Socket): void {
    aheadSockets.add(socket)
    socket.once('close', () => aheadSockets.delete(socket))
    counter.emit('connection', socket)
  }

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    if (closed || sockets.size >= MAX_CONNECTIONS) return void socket.destroy()
    if (model === undefined) return void serveAhead(socket)
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      before += bytesOf(socket)
    })
    model.connection(socket)
    // Once the bytes that wait are taken.
    if (sockets.size === 1 && before === 0) setImmediate(onFirstConnection)
  })
  const path = join(directory, NAME)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  server.on('error', () => {})
  // The container's user is another one; only the daemon's may enter the folder above.
  chmodSync(path, 0o666)

  return {
    bind(connections, onFirst = () => {}) {
      if (model !== undefined) throw new Error('this endpoint has a run already')
      model = connections
      for (const socket of aheadSockets) socket.destroy()
      onFirstConnection = onFirst
    },
    get traffic() {
      return before + [...sockets].reduce((sum, socket) => sum + bytesOf(socket), 0)
    },
    async close() {
      closed = true
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of [...sockets, ...aheadSockets]) socket.destroy()
      await ended
    },
  }
}
