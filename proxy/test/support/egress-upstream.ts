import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { createTestCa } from './test-ca.ts'

/**
 * A TLS upstream that plays public hosts on one address of loopback, echoes whatever it is sent in every way a server can,
 * and remembers it. Beside it stand traps: the same port on addresses that must never be dialled.
 */
export interface EgressUpstream extends AsyncDisposable {
  /** The only address that plays a public one. */
  readonly address: string
  readonly port: number
  readonly ca: string
  readonly seen: SeenRequest[]
  /** Connections that reached the TLS server, requests or not. */
  connections: number
  /** Connections to a trap, as `address:port`. */
  readonly trapped: string[]
  /** The next request to a path that begins so, `/hold` or below it; its answer waits until it is let go. */
  nextHeld(path?: string): Promise<() => void>
}

interface SeenRequest {
  readonly sni: string
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** Longer than any test, so that none hangs on when a connection that nobody uses is closed. */
const KEEP_ALIVE_MS = 600_000

/** Not 127.0.0.1, so that loopback proper can be told from it. */
export const PUBLIC_ADDRESS = '127.77.0.1'
const TRAPS = ['127.0.0.1', '::1']

export async function startEgressUpstream(names: readonly string[]): Promise<EgressUpstream> {
  const ca = createTestCa()
  const sockets = new Set<Socket>()
  const seen: SeenRequest[] = []
  const trapped: string[] = []
  const server = createServer(ca.issue([...names, PUBLIC_ADDRESS, '127.0.0.1']), (request, response) => {
    void readBody(request).then((body) => {
      seen.push(seenOf(request, body))
      if (request.url?.startsWith('/hold')) hold(request.url, () => answer(request, body, response))
      else answer(request, body, response)
    })
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    seen.push(seenOf(request, ''))
    answerWebSocket(request, socket)
  })
  server.on('tlsClientError', () => {})
  server.on('clientError', (_error, socket) => socket.destroy())
  const upstream = { connections: 0 }
  const held: { readonly url: string; readonly release: () => void }[] = []
  const waiting: { readonly path: string; readonly resolve: (release: () => void) => void }[] = []
  const hold = (url: string, release: () => void): void => {
    const at = waiting.findIndex(({ path }) => url.startsWith(path))
    const [waiter] = at < 0 ? [] : waiting.splice(at, 1)
    if (waiter) waiter.resolve(release)
    else held.push({ url, release })
  }
  server.on('connection', (socket: Socket) => {
    upstream.connections += 1
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await listen(server, 0, PUBLIC_ADDRESS)
  const { port } = server.address() as AddressInfo
  const traps: Server[] = []
  for (const address of TRAPS) {
    const trap = createTcpServer((socket) => {
      trapped.push(`${address}:${port}`)
      socket.on('error', () => {}).destroy()
    })
    await listen(trap, port, address)
    traps.push(trap)
  }
  return Object.assign(upstream, {
    address: PUBLIC_ADDRESS,
    port,
    ca: ca.certificate,
    seen,
    trapped,
    async nextHeld(path = '/hold') {
      const at = held.findIndex(({ url }) => url.startsWith(path))
      const [first] = at < 0 ? [] : held.splice(at, 1)
      if (first) return first.release
      return await new Promise<() => void>((resolve) => waiting.push({ path, resolve }))
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([server, ...traps].map((one) => new Promise((resolve) => one.close(resolve))))
    },
  })
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  await promise
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    // Cut off by the other side; what came is what is remembered.
  }
  return Buffer.concat(chunks).toString('latin1')
}

const seenOf = (request: IncomingMessage, body: string): SeenRequest => ({
  sni: (request.socket as TLSSocket & { servername?: string | false }).servername || '',
  method: request.method ?? '',
  url: request.url ?? '',
  headers: request.headers,
  rawHeaders: request.rawHeaders,
  body,
})

const ENCODERS: Record<string, (bytes: string) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
}

/** What is echoed: the Authorization header, else the query and the body. */
const echoOf = (request: IncomingMessage, body: string): string =>
  request.headers.authorization ?? `${request.url} ${body}`

/** The first part of the path chooses how the echo comes back. */
function answer(request: IncomingMessage, body: string, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://upstream.invalid')
  const [, way = '', detail = ''] = url.pathname.split('/')
  const echo = echoOf(request, body)
  const value = echo.replace(/^(?:Bearer|Basic) /, '')
  const all = JSON.stringify({
    method: request.method,
    url: request.url,
    headers: request.rawHeaders,
    body,
  })
  switch (way) {
    case 'echo':
    case 'hold':
      response.writeHead(200, { 'content-type': 'application/json' }).end(all)
      return
    case 'encoded': {
      const encoding = decodeURIComponent(detail)
      const encoded = ENCODERS[encoding.toLowerCase()]?.(all) ?? Buffer.from(all)
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding })
        .end(encoded)
      return
    }
    case 'header':
      response
        .writeHead(200, {
          'x-echo': echo,
          'x-echo-base64': Buffer.from(value).toString('base64'),
          'set-cookie': [`key=${encodeURIComponent(value)}; Path=/`],
          link: `<https://other.demo.test/?k=${encodeURIComponent(value)}>; rel=next`,
        })
        .end('see the headers')
      return
    case 'reason':
      response.writeHead(200, `OK ${value}`).end('see the reason')
      return
    case 'redirect':
      response
        .writeHead(Number(detail) || 302, { location: url.searchParams.get('to') ?? '/' })
        .end('elsewhere')
      return
    case 'redirect-with-key':
      response
        .writeHead(302, { location: `https://other.demo.test/?key=${encodeURIComponent(value)}` })
        .end(`<a href="https://other.demo.test/?key=${encodeURIComponent(value)}">here</a>`)
      return
    case 'bytewise':
      writeBytewise(response, Buffer.from(all))
      return
    case 'range': {
      const [, from = '0', to = ''] = /bytes=([0-9]+)-([0-9]*)/.exec(request.headers.range ?? '') ?? []
      const bytes = Buffer.from(value)
      const part = bytes.subarray(Number(from), to === '' ? undefined : Number(to) + 1)
      response
        .writeHead(request.headers.range === undefined ? 200 : 206, {
          'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`,
        })
        .end(part)
      return
    }
    case 'part':
      // A piece of the echo in each answer, so that no answer holds the whole.
      response.end(value.slice(Number(url.searchParams.get('from')), Number(url.searchParams.get('to'))))
      return
    case 'forms':
      response.end(
        [
          Buffer.from(value).toString('base64'),
          Buffer.from(`x${value}`).toString('base64'),
          Buffer.from(`xy${value}`).toString('base64url'),
          Buffer.from(value).toString('hex'),
          Buffer.from(value).toString('hex').toUpperCase(),
          encodeURIComponent(value),
          JSON.stringify(JSON.stringify(value)),
        ].join('\n'),
      )
      return
    case 'trailer':
      response.writeHead(200, { trailer: 'x-echo' })
      response.write('see the trailer')
      response.addTrailers({ 'x-echo': echo })
      response.end()
      return
    case 'hints':
      response.writeEarlyHints({ link: `</${encodeURIComponent(value)}>; rel=preload` }, () =>
        response.end('see the hints'),
      )
      return
    case 'events':
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${echo}\n\n`)
      // Open until the client goes: what came so far must have reached it by then.
      return
    case 'error':
      response.writeHead(500, { 'content-type': 'text/html' }).end(`<h1>bad key ${echo}</h1>`)
      return
    default:
      response.end('hello from upstream')
  }
}

function writeBytewise(response: ServerResponse, bytes: Buffer): void {
  const next = (at: number): void => {
    if (at >= bytes.length) {
      response.end()
      return
    }
    response.write(bytes.subarray(at, at + 1), () => next(at + 1))
  }
  next(0)
}

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** One text message with what the handshake carried, then every message comes back as it is. */
function answerWebSocket(request: IncomingMessage, socket: Socket): void {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}${WEBSOCKET_GUID}`)
    .digest('base64')
  socket.on('error', () => {})
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.write(frame(1, Buffer.from(`hello ${request.headers.authorization ?? 'nobody'}`)))
  let waiting = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    for (let read = readFrame(waiting); read !== undefined; read = readFrame(waiting)) {
      waiting = waiting.subarray(read.length)
      if (read.opcode === 8) socket.end(frame(8, read.payload))
      else socket.write(frame(read.opcode, read.payload))
    }
  })
}

function frame(opcode: number, payload: Buffer): Buffer {
  const size = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size]), payload])
}

/** A masked frame of at most 64 KiB, as clients send them. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 6) return undefined
  const short = (bytes[1] ?? 0) & 127
  const head = short === 126 ? 4 : 2
  const size = short === 126 ? bytes.readUInt16BE(2) : short
  const length = head + 4 + size
  if (bytes.length < length) return undefined
  const mask = bytes.subarray(head, head + 4)
  const payload = Buffer.from(bytes.subarray(head + 4, length)).map(
    (byte, at) => byte ^ (mask[at % 4] ?? 0),
  ) as Buffer
  return { opcode: (bytes[0] ?? 0) & 15, payload: Buffer.from(payload), length }
}
