import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { serveHttp1 } from '../../http/http1/index.ts'
import { writeUnreadable } from './refusal.ts'
import type { Serving } from './serving.ts'
import type { LlmTransport } from './upstreams.ts'

const HEADERS_TIMEOUT_MS = 10_000
/** Longer than any turn of a tool: the client of a run is alone on its socket. */
const KEEP_ALIVE_MS = 600_000
const LINGER_MS = 2_000
/** Of one run: calls of its tools come at once, and one connection is enough for each. */
const MAX_CONNECTIONS = 64

/** The connections of one run; what comes on them is served by its entrance, and they end with it. */
export interface RunConnections {
  take(socket: Socket): void
  /** At once, whatever is under way on them. */
  end(): void
}

/** A server of its own that listens nowhere: no request can come to be another run's. */
export function createRunConnections(
  serving: Pick<Serving, 'request'>,
  transport: LlmTransport,
): RunConnections {
  const open = new Set<Socket>()
  let isOver = false
  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // A WebSocket would pass unmetered: its opening is answered as any other request.
      shouldUpgradeCallback: () => false,
    },
    (request, response) => serving.request(request, response),
  )
  if (transport === 'own') {
    serveHttp1(server, {
      takes: () => true,
      request: (request, response) => serving.request(request, response),
      unreadable: writeUnreadable,
      times: {
        headMs: HEADERS_TIMEOUT_MS,
        keepAliveMs: KEEP_ALIVE_MS,
        restMs: HEADERS_TIMEOUT_MS,
        lingerMs: LINGER_MS,
      },
      maxConnections: MAX_CONNECTIONS,
    })
  }
  return {
    take(socket) {
      if (isOver || open.size >= MAX_CONNECTIONS) {
        socket.destroy()
        return
      }
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      server.emit('connection', socket)
    },
    end() {
      isOver = true
      for (const socket of [...open]) socket.destroy()
      server.close()
    },
  }
}
