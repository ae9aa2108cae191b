/** Answers that come before their request has: a 413 while 40 MB still stream. The upstream closes over what it did not read. */
import { once } from 'node:events'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createServer, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { anyCapability } from '../../src/egress/capabilities/index.ts'
import { GATEWAY_SOCKET } from '../../src/egress/index.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import { openRequest, openSocket, readUntil, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { gatewayWithUpstream } from '../support/gateway-upstream.ts'
import { createTestCa } from '../support/test-ca.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'
const MB = 1_048_576
const TIMES = 50

const here = gatewayWithUpstream(HOST)

const SAID = JSON.stringify({ error: 'too large', why: 'x'.repeat(20_000) })
const bytes = (count: number): Readable => {
  const piece = Buffer.alloc(65_536, 'a')
  let left = count
  return new Readable({
    read() {
      const part = piece.subarray(0, Math.min(left, piece.length))
      left -= part.length
      this.push(part.length === 0 ? null : part)
    },
  })
}

const SAID_RAW = `HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nContent-Length: ${SAID.length}\r\nConnection: close\r\n\r\n${SAID}`

interface Upload {
  readonly connection: string
  readonly isChunked?: boolean
}

/** What came of so many uploads, and how often. */
async function uploads(through: GatewayKit, port: number, options: Upload): Promise<Record<string, number>> {
  const place = `${HOST}:${port}`
  const run = await through.run([place], { KEY: { value: SECRET, hosts: [place] } })
  const got: Record<string, number> = {}
  for (let time = 0; time < TIMES; time += 1) {
    const outcome = await upload(run, `https://${place}/upload`, options).catch(String)
    got[outcome] = (got[outcome] ?? 0) + 1
  }
  return got
}

async function upload(
  run: Awaited<ReturnType<GatewayKit['run']>>,
  url: string,
  options: Upload,
): Promise<string> {
  const answered = await openRequest(run.endpoint, url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${placeholderOf(run.policy, 'KEY')}`,
      connection: options.connection,
      ...(options.isChunked ? {} : { 'content-length': String(40 * MB) }),
    },
    body: bytes(40 * MB),
  })
  const said = await text(answered).finally(() => answered.socket.destroy())
  return `${answered.statusCode} ${said === SAID ? 'whole' : said.slice(0, 200)}`
}

const ENDS: [string, RequestListener][] = [
  [
    'and reads no more',
    (_request, response) => {
      response.writeHead(413, { 'content-type': 'application/json', connection: 'close' }).end(SAID)
    },
  ],
  [
    'and closes at once',
    (request, response) => {
      response.writeHead(413, { 'content-type': 'application/json', connection: 'close' })
      response.end(SAID, () => request.socket.destroySoon())
    },
  ],
  [
    'after some of it',
    (request, response) => {
      let came = 0
      request.on('data', (chunk: Buffer) => {
        came += chunk.length
        if (came < MB || response.headersSent) return
        response.writeHead(413, { 'content-type': 'application/json', connection: 'close' })
        response.end(SAID, () => request.socket.destroySoon())
      })
    },
  ],
  [
    'and keeps the connection',
    (_request, response) => void response.writeHead(413, { 'content-type': 'application/json' }).end(SAID),
  ],
]

describe.each(ENDS)('a 413 while 40 MB still stream, from an upstream that answers %s', (_name, end) => {
  test('reaches the code whole, every time', async () => {
    here.answer = end
    for (const connection of ['keep-alive', 'close']) {
      expect(await uploads(here.kit, here.upstream.port, { connection })).toEqual({ '413 whole': TIMES })
    }
  })
})

/** Closed over bytes that nobody read, a connection is reset: what was said last can be lost with it. */
const RUDE: [string, (socket: TLSSocket) => void][] = [
  ['at once', (socket) => void socket.end(SAID_RAW, () => socket.destroy())],
  [
    'with the first bytes',
    (socket) => {
      socket.once('data', () => {
        socket.pause()
        socket.end(SAID_RAW, () => socket.destroy())
      })
    },
  ],
  [
    'after a megabyte',
    (socket) => {
      let came = 0
      socket.on('data', (chunk: Buffer) => {
        came += chunk.length
        if (came < MB || socket.writableEnded) return
        socket.pause()
        socket.end(SAID_RAW, () => socket.destroy())
      })
    },
  ],
]

describe.each(RUDE)('a 413 from an upstream that answers and is gone %s', (_name, end) => {
  test('reaches the code whole, every time', async () => {
    const ca = createTestCa()
    const server = createServer(ca.issue([HOST]), (socket) => {
      socket.on('error', () => {})
      end(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await using rude = await createGatewayKit({ tls: { ca: ca.certificate } })
    const got = await uploads(rude, port, { connection: 'keep-alive', isChunked: true })
    server.close()
    expect(got).toEqual({ '413 whole': TIMES })
  })
})

describe('code that reads nothing before it has sent all', () => {
  const serving = async (scheme: string) => {
    const ca = createTestCa()
    const listener: RequestListener = (_request, response) => {
      response.writeHead(413, { 'content-type': 'application/json', connection: 'close' }).end(SAID)
    }
    const server = scheme === 'https' ? createHttps(ca.issue([HOST]), listener) : createHttp(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const own = await createGatewayKit({ tls: { ca: ca.certificate } })
    return {
      own,
      place: `${HOST}:${(server.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() {
        await own[Symbol.asyncDispose]()
        server.closeAllConnections()
        server.close()
      },
    }
  }
  const open = (run: Awaited<ReturnType<GatewayKit['run']>>, scheme: string, place: string) =>
    scheme === 'https' ? tlsThrough(run.endpoint, place) : openSocket(run.endpoint)

  test.each([
    ['keep-alive', 'https'],
    ['close', 'https'],
    ['keep-alive', 'http'],
    ['close', 'http'],
  ])('has the 413 whole, every time: connection: %s over %s', async (connection, scheme) => {
    await using up = await serving(scheme)
    const run = await up.own.run([scheme === 'https' ? up.place : `http://${up.place}`])
    const got: Record<string, number> = {}
    for (let time = 0; time < TIMES; time += 1) {
      const socket = await open(run, scheme, up.place)
      const outcome = await sendThenRead(socket, `${scheme}://${up.place}`, { connection, ends: SAID }).catch(
        String,
      )
      socket.destroy()
      got[outcome] = (got[outcome] ?? 0) + 1
    }
    expect(got).toEqual({ 'HTTP/1.1 413 Payload Too Large': TIMES })
  })

  test.each(['keep-alive', 'close'])('has a refusal whole, too: connection: %s', async (connection) => {
    await using up = await serving('https')
    // Another method could stand in the form, and of so much none is read: the second is refused behind its head.
    const reads = { ...anyCapability(up.place), methods: ['POST'] }
    for (const [network, rule] of [
      [['other.example.com'], 'host_not_approved'],
      [[reads], 'method_not_approved'],
    ] as const) {
      const run = await up.own.run(network)
      const socket = await open(run, 'https', up.place)
      const type = 'application/x-www-form-urlencoded'
      const line = await sendThenRead(socket, `https://${up.place}`, { connection, ends: '}}', type })
      expect(line).toContain(`HTTP/1.1 403 ${rule}`)
      socket.destroy()
    }
  })

  test('sends no second request behind its last', async () => {
    await using up = await serving('http')
    const origin = `http://${up.place}`
    const run = await up.own.run([origin])
    const socket = connect({ path: join(run.endpoint.directory, GATEWAY_SOCKET), allowHalfOpen: true })
    socket
      .on('error', () => {})
      .write(
        `POST ${origin}/one HTTP/1.1\r\nHost: ${up.place}\r\nConnection: close\r\nContent-Length: ${MB}\r\n\r\na`,
      )
    await readUntil(socket, SAID)
    socket.end(`${'a'.repeat(MB - 1)}GET ${origin}/two HTTP/1.1\r\nHost: ${up.place}\r\n\r\n`)
    socket.resume()
    await once(socket, 'close')
    expect((await run.events()).map(({ data }) => data.path)).toEqual(['/one'])
  })
})

/** The status line of what came when all was sent. */
async function sendThenRead(
  socket: Socket,
  origin: string,
  {
    connection,
    ends,
    type = 'text/plain',
  }: { readonly connection: string; readonly ends: string; readonly type?: string },
): Promise<string> {
  const { host } = new URL(origin)
  const url = origin.startsWith('https') ? '/upload' : `${origin}/upload`
  const head = `POST ${url} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nConnection: ${connection}\r\nContent-Length: ${40 * MB}\r\n\r\n`
  const broken = new Promise<never>((_resolve, reject) => socket.once('error', reject))
  broken.catch(() => {})
  const piece = Buffer.alloc(65_536, 'a')
  socket.write(head)
  for (let sent = 0; sent < 40 * MB; sent += piece.length) {
    await Promise.race([new Promise<void>((resolve) => socket.write(piece, () => resolve())), broken])
  }
  let said = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    said += (chunk as Buffer).toString('latin1')
    if (said.endsWith(ends)) return said.split('\r\n', 1)[0] as string
  }
  return `cut after ${said.length}`
}
