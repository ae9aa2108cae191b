import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createTestCa } from './test-ca.ts'

export const HOST = 'api.example.com'

/** One that speaks HTTP/2 only, one that speaks HTTP/1.1 only, and one that speaks both; they do what the path says. */
export interface DisorderHosts extends AsyncDisposable {
  readonly ca: string
  readonly ports: readonly number[]
}

/** What a host is asked to do: `/what?bytes=…&code=…&after=…&trailers=1`. */
interface Wish {
  readonly what: string
  readonly bytes: number
  /** Of the reset; never 0, which Node's own server cannot be trusted with in the middle of an answer. */
  readonly code: number
  readonly afterMs: number
  readonly trailers: boolean
}

function wishOf(path: string): Wish {
  const { pathname, searchParams } = new URL(path, 'http://x')
  const number = (name: string): number => Number(searchParams.get(name) ?? 0)
  return {
    what: pathname.slice(1),
    bytes: number('bytes'),
    code: number('code') || 2,
    afterMs: number('after'),
    trailers: number('trailers') === 1,
  }
}

export async function createDisorderHosts(): Promise<DisorderHosts> {
  const ca = createTestCa()
  const sockets = new Set<Socket>()
  const only = createSecureServer(ca.issue([HOST]))
  const both = createSecureServer({ ...ca.issue([HOST]), allowHTTP1: true }, (request, response) => {
    if (request.httpVersionMajor === 1) answerOne(request as never, response as never)
  })
  const one = createServer(ca.issue([HOST]), answerOne)
  for (const server of [only, both]) {
    server.on('session', (session) => void session.on('error', () => {}))
    server.on('stream', (stream, headers) => {
      const from = stream.session?.socket.remotePort
      const cut = (): void => void [...sockets].find(({ remotePort }) => remotePort === from)?.destroy()
      answerTwo(stream, wishOf(headers[':path'] ?? '/'), cut)
    })
  }
  const servers: readonly Server[] = [only, one, both] as never
  for (const server of servers) {
    server.on('tlsClientError', () => {})
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => {}))
      socket.once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  }
  return {
    ca: ca.certificate,
    ports: servers.map((server) => (server.address() as AddressInfo).port),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      for (const server of servers) server.close()
    },
  }
}

function answerTwo(stream: ServerHttp2Stream, wish: Wish, cut: () => void): void {
  const { session } = stream
  stream.on('error', () => {})
  const open = (): boolean => !stream.destroyed && !stream.closed && session?.destroyed === false
  const later = (work: () => void): void => {
    const run = (): void => {
      if (open()) work()
    }
    if (wish.afterMs === 0) setImmediate(run)
    else setTimeout(run, wish.afterMs)
  }
  const respond = (waitForTrailers: boolean): void =>
    stream.respond({ ':status': 200, 'x-whole': wish.bytes }, { waitForTrailers })
  const answer = (): void => {
    respond(wish.trailers)
    stream.once('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'last' }))
    stream.end(Buffer.alloc(wish.bytes, 'b'))
  }
  const half = (): void => {
    // Without trailers to come Node's server says the end before it resets.
    respond(true)
    stream.write(Buffer.alloc(Math.floor(wish.bytes / 2), 'b'))
  }
  switch (wish.what) {
    case 'early':
      answer()
      return
    case 'informed':
      stream.resume().additionalHeaders({ ':status': 103, link: '</a>' })
      later(answer)
      return
    case 'refuse':
      later(() => stream.close(wish.code))
      return
    case 'break':
      half()
      later(() => stream.close(wish.code))
      return
    case 'break-session':
      half()
      later(() => session?.destroy(undefined, wish.code))
      return
    case 'cut':
      half()
      later(cut)
      return
    case 'leave':
      session?.goaway(0, stream.id)
      stream.resume()
      later(answer)
      return
    case 'leave-at-once':
      session?.goaway(wish.code, 0)
      return
    case 'narrow':
      session?.settings({ initialWindowSize: wish.bytes % 1_000 })
      later(() => session?.settings({ initialWindowSize: 65_535 }))
      stream.resume().once('end', () => later(answer))
      return
    case 'stall':
      return
    default:
      stream.resume().once('end', () => later(answer))
  }
}

function answerOne(request: IncomingMessage, response: ServerResponse): void {
  const wish = wishOf(request.url ?? '/')
  request.on('error', () => {})
  const later = (work: () => void): void => void setTimeout(work, wish.afterMs)
  const answer = (): void => {
    if (wish.trailers && request.method !== 'HEAD') {
      response.writeHead(200, { 'x-whole': wish.bytes, trailer: 'x-trailer' })
      response.addTrailers({ 'x-trailer': 'last' })
    } else response.writeHead(200, { 'x-whole': wish.bytes })
    response.end(Buffer.alloc(wish.bytes, 'b'))
  }
  switch (wish.what) {
    case 'early':
    case 'leave':
      answer()
      return
    case 'refuse':
    case 'leave-at-once':
      later(() => request.socket.destroy())
      return
    case 'break':
    case 'break-session':
    case 'cut':
      response.writeHead(200, { 'x-whole': wish.bytes })
      response.write(Buffer.alloc(Math.floor(wish.bytes / 2), 'b'))
      later(() => request.socket.destroy())
      return
    case 'stall':
      return
    default:
      request.resume().once('end', () => later(answer))
  }
}
