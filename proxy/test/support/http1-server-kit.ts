/** Clients at the wire of a server whose connections are read by the daemon's own reader of HTTP/1.1 first. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach } from 'vitest'
import type { ServedRequest } from '../../src/http/http1/served-request.ts'
import type { ServedResponse } from '../../src/http/http1/served-response.ts'
import { serveHttp1 } from '../../src/http/http1/server.ts'

type Handler = (request: ServedRequest, response: ServedResponse) => void

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const TIMES = { headMs: 60_000, keepAliveMs: 60_000, restMs: 60_000, lingerMs: 60_000 }

/** Targets below /own/ are the handler's; node:http tells of all others what it read. */
export async function serving(
  handler: Handler,
  { times = {}, maxConnections = 1_000 }: { times?: Partial<typeof TIMES>; maxConnections?: number } = {},
) {
  const server = createServer(async (request, response) => {
    const body = await text(request)
    response.end(`node ${request.method} ${request.url} ${JSON.stringify(body)}`)
  })
  const own = serveHttp1(server, {
    takes: (target) => target.startsWith('/own/'),
    request: handler,
    unreadable: (socket, problem, status) => void socket.end(`HTTP/1.1 ${status} ${problem}\r\n\r\n`),
    times: { ...TIMES, ...times },
    maxConnections,
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const open = (): Socket => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    sockets.push(socket)
    return socket
  }
  return { own, open }
}

export const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())))

/** All that comes until so much of it has. */
export function until(socket: Socket, found: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    const take = (bytes: Buffer): void => {
      all += bytes.toString('latin1')
      if (!found.test(all)) return
      socket.off('data', take)
      resolve(all)
    }
    socket.on('data', take)
    socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(all)}`)))
  })
}

export const request = (path: string, body = '', ...fields: string[]): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: a',
    ...fields,
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
    '',
    body,
  ].join('\r\n')

/** Reads the whole body, and answers with it. */
export const echo: Handler = (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part) => void parts.push(part))
  request.on('end', () => {
    const body = Buffer.from(`own ${request.url} ${Buffer.concat(parts)}`)
    response.writeHead(200, ['content-length', String(body.length)])
    response.end(body)
  })
}
