import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type AgentServer,
  closeServer,
  createAgentServer,
  type FrontSurface,
  listenTcp,
} from './daemon-servers.ts'

let server: AgentServer | undefined
afterEach(() => void server?.close())

/** A front that says who it is, over either way in. */
const front = (path: string): FrontSurface => ({
  takes: (url) => url.startsWith(path),
  request: (_request, response) => void response.end(`front ${path}`),
  upgrade: (_request, socket) => void socket.end(`upgraded ${path}`),
  unreadable: (socket, problem, status) => void socket.end(`unreadable ${status} ${problem}`),
})

async function sent(transport: 'own' | 'node', head: string): Promise<string> {
  const agentServer = createAgentServer(
    (_request, response) => void response.end('app'),
    front('/one/'),
    transport,
  )
  server = agentServer
  const listening = agentServer.server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const socket = connect((listening.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`${head}\r\nHost: a\r\n\r\n`)
  return await text(socket)
}
const OPENING = 'HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade, close'

describe.each(['own', 'node'] as const)('over the transport %s', (transport) => {
  test('the front gets the requests and the WebSockets of its paths, the app the rest', async () => {
    expect(await sent(transport, 'GET /one/x HTTP/1.1\r\nConnection: close')).toContain('front /one/')
    expect(await sent(transport, 'GET /three HTTP/1.1\r\nConnection: close')).toMatch(/app$/)
    expect(await sent(transport, `GET /one/x ${OPENING}`)).toBe('upgraded /one/')
  })

  test('what nobody serves as an upgrade is an ordinary request', async () => {
    expect(await sent(transport, `GET /three ${OPENING}`)).toMatch(/^HTTP\/1\.1 200 .*app$/s)
    expect(await sent(transport, `POST /one/x ${OPENING}\r\nContent-Length: 0`)).toMatch(
      /^HTTP\/1\.1 200 .*front \/one\/$/s,
    )
    const h2c = OPENING.replace('websocket', 'h2c')
    expect(await sent(transport, `GET /one/x ${h2c}`)).toMatch(/^HTTP\/1\.1 200 .*front \/one\/$/s)
  })
})

/** Counts in `shared` the connections that the system has opened to a port. */
const OPENER = `
  const { connect } = require('node:net')
  const { workerData: { port, shared, wanted } } = require('node:worker_threads')
  const opened = new Int32Array(shared)
  for (let n = 0; n < wanted; n += 1)
    connect(port, '127.0.0.1', () => {
      if (Atomics.add(opened, 0, 1) + 1 === wanted) Atomics.notify(opened, 0)
    }).on('error', () => {})
`

test('a thousand connections at once wait for a busy event loop, and none is dropped', async () => {
  const plain = createServer()
  server = { server: plain, close: () => closeServer(plain) }
  const url = await listenTcp(plain, '127.0.0.1', 0)
  const shared = new SharedArrayBuffer(4)
  const opened = new Int32Array(shared)
  const wanted = 1_000
  const worker = new Worker(OPENER, {
    eval: true,
    workerData: { port: Number(new URL(url).port), shared, wanted },
  })
  // The event loop is held here until all are open: it accepts none of them meanwhile.
  const until = Date.now() + 15_000
  for (let seen = 0; seen < wanted && Date.now() < until; seen = Atomics.load(opened, 0))
    Atomics.wait(opened, 0, seen, 200)
  expect(Atomics.load(opened, 0)).toBe(wanted)
  await worker.terminate()
})
