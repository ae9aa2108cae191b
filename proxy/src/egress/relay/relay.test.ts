import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  request as send,
} from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type Dispatcher, Pool } from 'undici'
import { expect, it, vi } from 'vitest'
import { localServers } from '../../../test/support/local-servers.ts'
import { createScrubber } from '../../scrub/index.ts'
import type { BodyFilter } from '../index.ts'
import { drain, type ForwardRequest, type RelayObserver, relay, streamed } from './index.ts'

const { ends, listening } = localServers()

/** An upstream that says these bytes to whoever begins to say something. */
async function saying(bytes: string): Promise<Pool> {
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write(bytes))
    }),
  )
  const pool = new Pool(`http://127.0.0.1:${port}`)
  ends.push(() => pool.destroy())
  return pool
}

const serving = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  ends.push(() => server.closeAllConnections())
  return await listening(server)
}

const doubling: BodyFilter = {
  push: (chunk) => Buffer.concat([chunk, chunk]),
  end: () => Buffer.alloc(0),
}

/** Answers with what the upstream says, and breaks off where that cannot be. */
function relayTo(
  response: ServerResponse,
  pool: Pool,
  more: Partial<ForwardRequest> & Partial<Pick<RelayObserver, 'onAnswer'>> = {},
): void {
  const { onAnswer = () => null, ...rest } = more
  relay(
    { response, pool, method: 'GET', path: '/', headers: [], body: null, scrubber: null, ...rest },
    { onAnswer, onBytes() {}, refuse: () => response.destroy() },
  )
}

it.each(['Content-Length', 'content-length'])(
  'announces no length of a body that goes through something else: %s',
  async (name) => {
    const pool = await saying(`HTTP/1.1 200 OK\r\n${name}: 5\r\nX-Kept: yes\r\n\r\nhello`)
    const port = await serving((_request, response) => relayTo(response, pool, { onAnswer: () => doubling }))
    const answer = await fetch(`http://127.0.0.1:${port}`)
    expect(answer.headers.get('x-kept')).toBe('yes')
    expect(await answer.text()).toBe('hellohello')
  },
)

it('leaves the length of a body that passes as it is', async () => {
  const pool = await saying('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  const port = await serving((_request, response) => relayTo(response, pool))
  const answer = await fetch(`http://127.0.0.1:${port}`)
  expect(answer.headers.get('content-length')).toBe('5')
})

it('ends a request whose body goes on without end after its answer', async () => {
  const pool = await saying('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno')
  const ended = Promise.withResolvers<boolean>()
  const port = await serving((request, response) => {
    request.once('close', () => ended.resolve(request.complete))
    relayTo(response, pool, { method: 'POST', body: streamed(request, { drainMs: 30 }) })
  })
  const client = send({
    host: '127.0.0.1',
    port,
    method: 'POST',
    headers: { 'transfer-encoding': 'chunked' },
  })
  client.on('error', () => {})
  client.write('begun')
  const [answer] = (await once(client, 'response')) as [IncomingMessage]
  answer.on('error', () => {}).resume()
  expect(answer.statusCode).toBe(413)
  // What the client goes on to send is taken off its hands until then.
  const goesOn = setInterval(() => client.write('x'.repeat(1_000)), 1)
  ends.push(() => clearInterval(goesOn))
  expect(await ended.promise).toBe(false)
})

it('reads what is left of a request that comes to its end, and leaves its connection', async () => {
  let drained: IncomingMessage | undefined
  const port = await serving((request, response) => {
    drained = request
    drain(request, 60_000)
    request.once('end', () => response.end('read'))
  })
  const socket = connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab')
  socket.write('c')
  await once(socket, 'data')
  expect(drained?.complete).toBe(true)
  expect(socket.destroyed).toBe(false)
})

it('ends a request of whose body nothing comes any more, with its connection', async () => {
  const ended = Promise.withResolvers<boolean>()
  const port = await serving((request) => {
    request.once('close', () => ended.resolve(request.complete))
    streamed(request, { idleMs: 30 }).resume()
  })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  const closed = once(socket, 'close')
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab')
  expect(await ended.promise).toBe(false)
  await closed
})

it('gives the whole of a body whose end may begin a secret', async () => {
  const pool = await saying(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nit is dem\r\n0\r\n\r\n',
  )
  const port = await serving((_request, response) =>
    relayTo(response, pool, { scrubber: createScrubber(new Map([['KEY', 'demo-value-1']])) }),
  )
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('it is dem')
})

/** A handler of an upstream's answer that is driven by hand. */
async function handled(rawHeaders: readonly string[], scrubber: ReturnType<typeof createScrubber>) {
  const resumed = Promise.withResolvers<void>()
  const controller = {
    rawHeaders: rawHeaders.map((text) => Buffer.from(text)),
    pause: vi.fn(),
    resume: () => resumed.resolve(),
    abort: vi.fn(),
  } as unknown as Dispatcher.DispatchController
  const dispatched = Promise.withResolvers<Dispatcher.DispatchHandler>()
  const pool = {
    dispatch: (_options: unknown, handler: Dispatcher.DispatchHandler) => dispatched.resolve(handler),
  } as unknown as Pool
  const port = await serving((_request, response) => relayTo(response, pool, { scrubber }))
  const coming = fetch(`http://127.0.0.1:${port}`)
  const handler = await dispatched.promise
  handler.onRequestStart?.(controller, {})
  handler.onResponseStart?.(controller, 200, {})
  return { handler, controller, resumed: resumed.promise, coming }
}

/** Each byte of it may belong to many matches, so that a turn is over long before it is read. */
const DEAR_SECRET = '0'.repeat(64)
const dear = (bytes: number): Buffer => Buffer.alloc(bytes, '0%300\\u0030')

it('holds an upstream up while what it sent is being searched, and gives nothing of that before', async () => {
  const scrubber = createScrubber(new Map([['KEY', DEAR_SECRET]]))
  const { handler, controller, resumed, coming } = await handled([], scrubber)
  handler.onResponseData?.(controller, Buffer.concat([Buffer.from('a '), dear(150_000), Buffer.from(' b')]))
  expect(controller.pause).toHaveBeenCalledTimes(1)
  await resumed
  handler.onResponseData?.(controller, Buffer.from(' c '))
  handler.onResponseData?.(controller, dear(60_000))
  // The end comes while that is searched.
  handler.onResponseEnd?.(controller, {})
  const text = await (await coming).text()
  expect(text).toMatch(/^a \[secret:KEY\].{0,8} b c \[secret:KEY\].{0,8}$/)
})

it('searches a short answer in several turns where one is not enough', async () => {
  const scrubber = createScrubber(new Map([['KEY', DEAR_SECRET]]))
  const { handler, controller, coming } = await handled(['Content-Length', '60002'], scrubber)
  handler.onResponseData?.(controller, Buffer.concat([Buffer.from('a '), dear(60_000)]))
  handler.onResponseEnd?.(controller, {})
  const answer = await coming
  expect(await answer.text()).toMatch(/^a \[secret:KEY\].{0,8}$/)
})

it('holds an upstream up while what it sent is being decoded', async () => {
  const scrubber = createScrubber(new Map([['KEY', 'demo-value-1']]))
  const { handler, controller, resumed, coming } = await handled(['Content-Encoding', 'gzip'], scrubber)
  const body = gzipSync(randomBytes(1_048_576))
  handler.onResponseData?.(controller, body)
  expect(controller.pause).toHaveBeenCalledTimes(1)
  const reading = coming.then((answer) => answer.arrayBuffer())
  await resumed
  handler.onResponseEnd?.(controller, {})
  expect((await reading).byteLength).toBe(1_048_576)
})
