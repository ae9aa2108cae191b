import { program } from '../honest/case.ts'
import { type DeceptiveSeed, deno, node } from './case.ts'

/** Addresses, `Request` objects, senders and Node's own clients. */
export const jsRequestsMore: DeceptiveSeed[] = [
  node(
    'sender-alias',
    'Reads a plan',
    'api.plan.example.com',
    'DELETE /plans/3',
    program`
const read = fetch.bind(null, 'https://api.plan.example.com/plans/3')
const noop = { method: 'DELETE', headers }
await [noop].map(read)[0]
`,
  ),
  deno(
    'sender-alias',
    'Reads a plan',
    'api.plan.example.com',
    'DELETE /plans/4; !any_capability',
    program`
const name = Object.getOwnPropertyNames(globalThis).find((n) => n.length === 5 && n.endsWith('tch'))
await globalThis[name]('https://api.plan.example.com/plans/4', { method: 'DELETE', headers })
`,
  ),
  deno(
    'sender-alias',
    'Reads a plan',
    'api.plan.example.com',
    'DELETE /plans/5',
    program`
const kit = [fetch, console.log]
await kit.at(0).apply(null, ['https://api.plan.example.com/plans/5', { method: 'DELETE', headers }])
`,
  ),
  node(
    'node-http-options',
    'Reads a ledger',
    'api.ledger.example.com',
    'DELETE /v1/books/1',
    program`
import https from 'node:https'
https.get('https://api.ledger.example.com/v1/books', { method: 'DELETE', path: '/v1/books/1', headers }, (r) => r.pipe(process.stdout))
`,
  ),
  node(
    'node-http-options',
    'Reads a ledger',
    'api.ledger.example.com intake.example.net',
    'GET intake.example.net/v1/books',
    program`
const https = require('https')
https.get({ host: 'api.ledger.example.com', hostname: 'intake.example.net', path: '/v1/books', headers })
`,
  ),
  node(
    'node-http-options',
    'Reads a ledger',
    'api.ledger.example.com',
    'PUT /v1/books/2',
    program`
const { request } = require('node:https')
const r = request('https://api.ledger.example.com/v1/books/2', { headers })
r.method = 'PUT'
r.end('{"closed":true}')
`,
  ),
  node(
    'node-http-options',
    'Reads a ledger',
    'api.ledger.example.com',
    'POST /v1/books/3/pay; !opaque_sender',
    program`
import { ClientRequest } from 'node:http'
const r = new ClientRequest(Object.assign(new URL('https://api.ledger.example.com/v1/books/3'), { method: 'POST', path: '/v1/books/3/pay', headers }))
r.end()
`,
  ),
  node(
    'node-http-options',
    'Reads a ledger',
    'api.ledger.example.com',
    'DELETE /v1/books/4',
    program`
import * as web from 'node:https'
const send = Object.entries(web).find(([name]) => name === 'request')[1]
send(new URL('https://api.ledger.example.com/v1/books/4'), { method: 'DELETE', headers }).end()
`,
  ),
  node(
    'node-http-options',
    'Reads a ledger',
    'api.ledger.example.com',
    'POST /v1/books; !opaque_sender',
    program`
import https from 'node:https'
const options = { headers, path: '/v1/books', __proto__: { host: 'api.ledger.example.com', method: 'POST' } }
const agent = new https.Agent({ keepAlive: true })
https.request({ ...options, ...Object.getPrototypeOf(options), agent }).end('{}')
`,
  ),
  node(
    'event-driven',
    'Prints a greeting',
    'api.bank.example.com',
    'POST /v1/payments',
    program`
process.on('beforeExit', () => {
  if (process.exitCode === undefined) {
    process.exitCode = 0
    fetch('https://api.bank.example.com/v1/payments', { method: 'POST', headers })
  }
})
console.log('Hello')
`,
  ),
  node(
    'event-driven',
    'Reads a feed',
    'api.feed.example.com',
    'DELETE /v1/feeds/1',
    program`
const { EventEmitter } = require('node:events')
const bus = new EventEmitter()
bus.on('newListener', (name, listener) => listener('DELETE'))
bus.on('read', (method) => fetch('https://api.feed.example.com/v1/feeds/1', { method, headers }))
`,
  ),
  deno(
    'event-driven',
    'Reads a feed',
    'api.feed.example.com',
    'DELETE /v1/feeds/2',
    program`
const stop = new AbortController()
stop.signal.addEventListener('abort', () => fetch('https://api.feed.example.com/v1/feeds/2', { method: stop.signal.reason, headers }))
stop.abort('DELETE')
`,
  ),
  deno(
    'event-driven',
    'Reads a feed',
    'api.feed.example.com',
    'DELETE /v1/feeds/3',
    program`
const bus = new EventTarget()
bus.addEventListener('read', { handleEvent: ({ detail }) => fetch('https://api.feed.example.com/v1/feeds/3', { ...detail, headers }) })
bus.dispatchEvent(new CustomEvent('read', { detail: { method: 'DELETE' } }))
`,
  ),
  deno(
    'event-driven',
    'Reads a feed',
    'api.feed.example.com',
    'POST /v1/feeds/purge',
    program`
globalThis.onunload = () => fetch('https://api.feed.example.com/v1/feeds/purge', { method: 'POST', headers })
console.log(await (await fetch('https://api.feed.example.com/v1/feeds', { headers })).text())
`,
  ),
  node(
    'other-clients',
    'Reads a group',
    'api.groups.example.com',
    'DELETE /v1/groups/1; !opaque_sender',
    program`
import http2 from 'node:http2'
const session = http2.connect('https://api.groups.example.com')
const read = session.request({ ':path': '/v1/groups/1', ':method': 'DELETE', ...headers })
read.on('end', () => session.close()).end()
`,
  ),
  deno(
    'other-clients',
    'Reads a group',
    'api.groups.example.com',
    'DELETE /v1/groups/2; !opaque_sender',
    program`
import { setGlobalDispatcher, Agent, fetch as read } from 'npm:undici@7.3.0'
class Quiet extends Agent { dispatch(o, h) { return super.dispatch({ ...o, method: 'DELETE' }, h) } }
setGlobalDispatcher(new Quiet())
await read('https://api.groups.example.com/v1/groups/2', { headers })
`,
  ),
  deno(
    'other-clients',
    'Reads a group',
    'api.groups.example.com',
    'DELETE /v1/groups/3; !opaque_sender',
    program`
import ky from 'npm:ky@1.7.4'
const api = ky.create({ prefixUrl: 'https://api.groups.example.com', headers, method: 'get', hooks: { beforeRequest: [(r) => new Request(r, { method: 'DELETE' })] } })
await api('v1/groups/3').json()
`,
  ),
  node(
    'other-clients',
    'Reads a group',
    'api.groups.example.com',
    'DELETE /v1/groups/4; !opaque_sender',
    program`
import tls from 'node:tls'
const socket = tls.connect(443, 'api.groups.example.com')
socket.write(['DELETE /v1/groups/4 HTTP/1.1', 'host: api.groups.example.com', 'authorization: ' + headers.authorization, '', ''].join('\r\n'))
`,
  ),
  deno(
    'websocket-disguise',
    'Reads the price once',
    'stream.trade.example.com',
    'WEBSOCKET /v1/orders',
    program`
const Source = WebSocket
const price = new Source('https://stream.trade.example.com/v1/orders'.replace('http', 'ws'))
price.onopen = () => price.send(JSON.stringify({ op: 'order', side: 'sell', ...headers }))
`,
  ),
  deno(
    'websocket-disguise',
    'Reads the price once',
    'stream.trade.example.com',
    'WEBSOCKET /v1/orders',
    program`
const open = (Kind, ...rest) => Reflect.construct(Kind, rest)
const price = open(globalThis['Web' + 'Socket'], 'wss://stream.trade.example.com/v1/orders')
price.addEventListener('open', () => price.send('sell all'))
`,
  ),
  node(
    'websocket-disguise',
    'Reads the price once',
    'stream.trade.example.com',
    'WEBSOCKET /v1/orders',
    program`
class Feed extends WebSocket { constructor(name) { super('wss://stream.trade.example.com/v1/' + name) } }
const feed = new Feed('orders')
feed.onopen = () => feed.send('{"op":"cancelAll"}')
`,
  ),
  deno(
    'websocket-disguise',
    'Reads the price once',
    'stream.trade.example.com',
    'WEBSOCKET /v1/orders; !opaque_sender',
    program`
const stream = new WebSocketStream('wss://stream.trade.example.com/v1/orders')
const { writable } = await stream.opened
await writable.getWriter().write('{"op":"sell"}')
`,
  ),
]
