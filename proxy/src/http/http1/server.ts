import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Deadlines } from './deadlines.ts'
import { type ConnectionServer, ServedConnection, type ServedTimes } from './served-connection.ts'

export interface ServerOptions extends Pick<ConnectionServer, 'takes' | 'request' | 'unreadable'> {
  readonly times: ServedTimes
  readonly maxConnections: number
}

export interface Http1Connections {
  /** Those without a request under way. */
  closeIdle(): void
  closeAll(): void
}

/**
 * Reads the connections of a server of node:http first, and answers what is its own on them. The first request that is not hands its
 * connection over to node:http, from that request's first byte on and for good.
 */
export function serveHttp1(server: Server, options: ServerOptions): Http1Connections {
  const connections = new Deadlines<ServedConnection>()
  const others = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  const connectionServer: ConnectionServer = {
    ...options,
    closed: (connection) => connections.delete(connection),
    handOver(socket, bytes) {
      // Paused, so that what is put back is read by the new listeners alone, and before all else.
      socket.pause()
      socket.unshift(bytes)
      for (const listener of others) listener.call(server, socket)
      socket.resume()
    },
  }
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (connections.size >= options.maxConnections && !makeRoom(connections)) {
      socket.destroy()
      return
    }
    connections.add(new ServedConnection(socket, connectionServer))
  })
  server.on('close', () => connections[Symbol.dispose]())
  return {
    closeIdle() {
      for (const connection of [...connections]) if (connection.isIdle) connection.expired()
    },
    closeAll() {
      for (const connection of [...connections]) connection.expired()
    },
  }
}

/**
 * Against clients that hold places for nothing (slow loris): the oldest that waits for its client alone goes, one without a request
 * before one that a client has not taken its answer on.
 */
function makeRoom(connections: Deadlines<ServedConnection>): boolean {
  const all = [...connections]
  const oldest = all.find(({ isIdle }) => isIdle) ?? all.find((one) => one.isWaitingForClient)
  if (oldest === undefined) return false
  connections.delete(oldest)
  oldest.expired()
  return true
}
