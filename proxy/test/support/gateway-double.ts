/**
 * OpenClaw's gateway, as far as its WebSocket goes, played at the wire (docs/gateway/protocol of its package, protocol 4): a challenge, `connect`
 * with its token, `hello-ok`, and from there each request is answered with what it was. It refuses what the real one refuses.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { GatewayConnection } from '../../src/hosting/agents/index.ts'

export interface GatewayDouble extends AsyncDisposable {
  readonly token: string
  /** Of each socket that was opened, in order. */
  readonly sockets: readonly WebSocket[]
  readonly openings: readonly IncomingMessage[]
  /** Everything that clients said. */
  readonly heard: readonly string[]
  /** What each socket ended with. */
  readonly closes: readonly { readonly code: number; readonly reason: string }[]
  /** How often it was told that somebody uses it. */
  readonly used: () => number
  open(): Promise<GatewayConnection>
}

/** Of the front of a browser's image, which asks for no token. */
const VERSION = {
  ...{ Browser: 'Chrome/156', 'Protocol-Version': '1.3', 'User-Agent': 'played' },
  ...{ 'V8-Version': '15', 'WebKit-Version': '537' },
}
const TOKEN = 'demo-gateway-token-that-stays-inside-0123456789'

const PAGE = { id: 'PAGE1', type: 'page', title: '', description: '' }

export async function createGatewayDouble(): Promise<GatewayDouble> {
  const pages = new Map<string, object>()
  const server = createServer((request, response) => {
    if (request.url === '/version') return void response.end(JSON.stringify(VERSION))
    const [, session = '', act] = /^\/sessions\/([\w-]+)\/(new|list)/.exec(request.url ?? '') ?? []
    if (act === 'new') pages.set(session, { ...PAGE, url: decodeURI(request.url?.split(/\?(.*)/)[1] ?? '') })
    if (act !== undefined) {
      const page = pages.get(session)
      return void response.end(JSON.stringify(act === 'new' ? page : page ? [page] : []))
    }
    const mayGo = request.headers.authorization === `Bearer ${TOKEN}`
    response.writeHead(mayGo ? 200 : 401, { 'content-type': 'application/json', 'x-own': 'yes' })
    response.end(JSON.stringify({ path: request.url, headers: request.headers }))
  })
  const sockets: WebSocket[] = []
  const openings: IncomingMessage[] = []
  const heard: string[] = []
  const closes: { code: number; reason: string }[] = []
  let used = 0
  const websockets = new WebSocketServer({ server })
  websockets.on('connection', (socket, request) => {
    sockets.push(socket)
    openings.push(request)
    const say = (message: object) => socket.send(JSON.stringify(message))
    let isIn = false
    socket.on('error', () => {})
    socket.once('close', (code, reason) => closes.push({ code, reason: String(reason) }))
    say({ type: 'event', event: 'connect.challenge', payload: { nonce: 'demo', ts: 1 } })
    socket.on('message', (data) => {
      heard.push(String(data))
      const message = JSON.parse(String(data))
      if (isIn) return say({ type: 'res', id: message.id, ok: true, payload: message })
      const { auth, device } = message.params ?? {}
      const given = device === undefined ? auth?.token : (auth?.token ?? auth?.password)
      if (message.method !== 'connect' || given !== TOKEN) return socket.close(1008, 'unauthorized')
      isIn = true
      say({
        ...{ type: 'res', id: message.id, ok: true },
        payload: {
          ...{ type: 'hello-ok', protocol: 4, snapshot: {} },
          auth: { role: 'operator', scopes: ['operator.admin'], deviceToken: 'demo-device-token' },
        },
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    token: TOKEN,
    sockets,
    openings,
    heard,
    closes,
    used: () => used,
    async open() {
      const stream = connect(port, '127.0.0.1')
      stream.on('error', () => {})
      await new Promise((resolve) => stream.once('connect', resolve))
      return {
        stream: stream.pause(),
        gatewayToken: TOKEN,
        used: () => {
          used += 1
        },
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
