/** The model endpoint of one container: a socket in the folder that it sees at GATEWAY_MOUNT. Whoever connects is that container's run. */
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ModelConnections } from '../index.ts'

const NAME = 'model.sock'
/** Connections of one container at once; the CLI opens a few. */
const MAX_CONNECTIONS = 32

export interface ModelSocket {
  /** Until then, and after `close`, nobody is served. Once only. */
  bind(model: ModelConnections): void
  /** Bytes that went either way so far: a sign of life. */
  readonly traffic: number
  close(): Promise<void>
}

export async function openModelSocket(directory: string): Promise<ModelSocket> {
  const sockets = new Set<Socket>()
  let model: ModelConnections | undefined
  let closed = false
  let before = 0
  const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    if (model === undefined || closed || sockets.size >= MAX_CONNECTIONS) return void socket.destroy()
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      before += bytesOf(socket)
    })
    model.connection(socket)
  })
  const path = join(directory, NAME)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  server.on('error', () => {})
  // The container's user is another one; only the daemon's may enter the folder above.
  chmodSync(path, 0o666)

  return {
    bind(connections) {
      if (model !== undefined) throw new Error('this endpoint has a run already')
      model = connections
    },
    get traffic() {
      return before + [...sockets].reduce((sum, socket) => sum + bytesOf(socket), 0)
    },
    async close() {
      closed = true
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await ended
    },
  }
}
