import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { LlmProxy } from './surfaces/llm-proxy/index.ts'

const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 65_000
/** For a whole request of the agent API; bodies for a provider may take longer, as long as they come. */
const REQUEST_TIMEOUT_MS = 30_000

/** One port for agents: the proxy's paths go to the proxy, before any framework, and the rest to the app. */
export function createAgentServer(app: RequestListener, llm: LlmProxy): Server {
  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Of any other upgrade an ordinary request is made (RFC 9110, 7.8).
      shouldUpgradeCallback: (request) => llm.takes(request.url ?? '') && isWebSocket(request),
    },
    (request, response) => {
      if (llm.takes(request.url ?? '')) return llm.request(request, response)
      const late = setTimeout(() => {
        if (!request.complete) request.destroy()
      }, REQUEST_TIMEOUT_MS).unref()
      response.once('close', () => clearTimeout(late))
      app(request, response)
    },
  )
  server.on('upgrade', (request, socket, head) => llm.upgrade(request, socket as Socket, head))
  return server
}

const isWebSocket = (request: IncomingMessage): boolean =>
  request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket'

export function listenTcp(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      const actual = typeof address === 'object' && address ? address.port : port
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`)
    })
  })
}

/**
 * The owner's alone from its first moment: the mask is set while the socket is made. Whoever holds the database's
 * lock may take the place of a socket that a crashed daemon left.
 */
export function listenSocket(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    rmSync(path, { force: true })
    const mask = process.umask(0o177)
    server.listen(path, () => {
      server.off('error', reject)
      chmodSync(path, 0o600)
      resolve()
    })
    process.umask(mask)
  })
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 1_000).unref()
  })
}
