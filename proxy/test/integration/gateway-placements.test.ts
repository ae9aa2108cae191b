/** Where a credential may stand: a segment of the path, a cookie, a field of a form, a message of a WebSocket. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'
import type { Capability } from '../../src/egress/capabilities/index.ts'
import type { Surface } from '../../src/egress/index.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

const TOKEN = '1234567:AAF_demo-value-4f9a2c7e81b35d60'
const ODD = 'a b+c/d;e="ü"&f=%41'
const HOST = 'api.example.com'

let upstream: TlsUpstream
let kit: GatewayKit
let answer: RequestListener
let seen: IncomingMessage[]
let bodies: string[]
beforeEach(async () => {
  seen = []
  bodies = []
  answer = (_request, response) => void response.end('ok')
  upstream = await startTlsUpstream([HOST], async (request, response) => {
    seen.push(request)
    bodies.push(await text(request))
    answer(request, response)
  })
  kit = await createGatewayKit({ tls: { ca: upstream.ca } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const place = (): string => `${HOST}:${upstream.port}`
const url = (path: string): string => `https://${place()}${path}`
const runWith = (
  surfaces: readonly Surface[],
  value = TOKEN,
  network: readonly (string | Capability)[] = [place()],
) => kit.run(network, { KEY: { value, hosts: [place()], in: surfaces } })
type Run = Awaited<ReturnType<typeof runWith>>
/** When the next request of the run is over. */
function over(run: Run): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { record } = run.session
  Object.assign(run.session, {
    record(...entry: Parameters<typeof record>) {
      record(...entry)
      resolve()
    },
  })
  return promise
}
const at = (run: Run): string => placeholderOf(run.policy, 'KEY')

describe('in a segment of the path', () => {
  const bots = (): Capability => ({
    host: place(),
    methods: ['POST'],
    paths: ['/*/sendMessage'],
    requests: 10,
    websocket: false,
    graphql: 'query',
  })

  test('the value stands in its place, and in no path that the audit keeps', async () => {
    const run = await runWith(['path'], TOKEN, [bots()])
    const got = await ask(run.endpoint, url(`/bot${at(run)}/sendMessage?chat_id=1`), { method: 'POST' })
    expect([got.status, seen[0]?.url]).toEqual([200, `/bot${TOKEN}/sendMessage?chat_id=1`])
    await vi.waitFor(async () => expect(await run.events()).toHaveLength(1))
    expect((await run.events())[0]?.data).toMatchObject({
      path: '/bot[secret:KEY]/sendMessage',
      secrets: ['KEY'],
    })
    expect(JSON.stringify([await run.events(), run.session.end(), kit.logged])).not.toContain(TOKEN)
  })

  test('it is percent-encoded, so that it stays one segment', async () => {
    const run = await runWith(['path'], ODD)
    await ask(run.endpoint, url(`/v1/${at(run)}/x`))
    expect(seen[0]?.url).toBe('/v1/a%20b%2Bc%2Fd%3Be%3D%22%C3%BC%22%26f%3D%2541/x')
    expect(decodeURIComponent(seen[0]?.url?.split('/')[2] ?? '')).toBe(ODD)
  })

  test.each(['../admin', 'a/b', '..', '%2e%2e'])(
    'a value that leads elsewhere than was approved is not sent: %s',
    async (value) => {
      const run = await runWith(['path'], value, [bots()])
      const got = await ask(run.endpoint, url(`/${at(run)}/sendMessage`), { method: 'POST' })
      expect([got.rule, seen]).toEqual(['path_not_approved', []])
      expect(got.body).not.toContain(`"/${value}`)
    },
  )

  test.each([[['header']], [['query', 'body', 'cookie', 'form']]] as const)(
    'it is refused where only %j was approved',
    async (surfaces) => {
      const run = await runWith(surfaces)
      const got = await ask(run.endpoint, url(`/bot${at(run)}/getMe`))
      expect([got.rule, seen]).toEqual(['secret_not_for_surface', []])
      expect((await run.events())[0]?.data.path).toBe('/bot[secret:KEY]/getMe')
    },
  )

  test('what would allow a path that was not approved names no placeholder', async () => {
    const run = await runWith(['path'], TOKEN, [bots()])
    const got = await ask(run.endpoint, url(`/bot${at(run)}/getUpdates`), { method: 'POST' })
    expect(JSON.parse(got.body).error).toMatchObject({
      rule: 'path_not_approved',
      ask: { paths: ['/*/getUpdates'] },
    })
    expect(JSON.stringify(run.session.end())).not.toContain(at(run))
  })

  test('it does not stand in the query for that, nor the other way round', async () => {
    const path = await runWith(['path'])
    expect((await ask(path.endpoint, url(`/v1?key=${at(path)}`))).rule).toBe('secret_not_for_surface')
    const query = await runWith(['query'])
    expect((await ask(query.endpoint, url(`/v1/${at(query)}?key=${at(query)}`))).rule).toBe(
      'secret_not_for_surface',
    )
    expect(seen).toEqual([])
  })
})

describe('in a cookie', () => {
  test('the value stands as it is, or encoded where it would end the cookie', async () => {
    for (const [value, sent] of [
      [TOKEN, TOKEN],
      [ODD, encodeURIComponent(ODD)],
    ] as const) {
      const run = await runWith(['cookie'], value)
      await ask(run.endpoint, url('/'), { headers: { cookie: `a=1; session=${at(run)}; b=2` } })
      expect(seen.at(-1)?.headers.cookie).toBe(`a=1; session=${sent}; b=2`)
    }
  })

  test('it is refused where only headers were approved, and in a header where only cookies were', async () => {
    const header = await runWith(['header'])
    const refused = await ask(header.endpoint, url('/'), { headers: { cookie: `a=${at(header)}` } })
    expect(refused.rule).toBe('secret_not_for_surface')
    const cookie = await runWith(['cookie'])
    const other = await ask(cookie.endpoint, url('/'), { headers: { authorization: `Bearer ${at(cookie)}` } })
    expect(other.rule).toBe('secret_not_for_surface')
    expect(seen).toEqual([])
  })
})

describe('in a field of a form', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

  test('the value stands percent-encoded', async () => {
    const run = await runWith(['form'], ODD)
    const body = `grant_type=x&client_secret=${at(run)}&b=2`
    await ask(run.endpoint, url('/token'), { method: 'POST', headers: form, body })
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toEqual({
      grant_type: 'x',
      client_secret: ODD,
      b: '2',
    })
  })

  test.each([
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencodedx',
  ])('it does not stand in a body of %s, and that is reported', async (type) => {
    const run = await runWith(['form'])
    const body = JSON.stringify({ key: at(run) })
    const isOver = over(run)
    await ask(run.endpoint, url('/'), { method: 'POST', headers: { 'content-type': type }, body })
    expect(bodies[0]).toBe(body)
    await isOver
    expect(run.session.end().refused).toMatchObject([{ rule: 'secret_not_for_surface', secrets: ['KEY'] }])
  })
})

describe('in a message of a WebSocket', () => {
  const vendor = new WebSocketServer({ noServer: true })
  let got: string[]
  beforeEach(() => {
    got = []
    upstreamServer().on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      vendor.handleUpgrade(request, socket, head, (open) => {
        open.on('message', (data, isBinary) => {
          got.push(data.toString())
          open.send(`echo ${data}`, { binary: isBinary })
        })
        open.on('ping', (data) => got.push(`ping ${data}`))
      }),
    )
  })
  const upstreamServer = () => upstream.server

  const opened = async (run: Run): Promise<WebSocket> => {
    const tunnel = await tlsThrough(run.endpoint, place())
    const socket = new WebSocket(`wss://${place()}/ws`, { createConnection: (() => tunnel) as never })
    await once(socket, 'open')
    return socket
  }

  test('the value stands where body was approved: as it is, in JSON, in pieces, in long ones', async () => {
    const value = 'a"b\\c-demo-value-4f9a2c7e81b35d60'
    const run = await runWith(['body'], value)
    const socket = await opened(run)
    const echoes: string[] = []
    socket.on('message', (data) => echoes.push(data.toString()))
    const json = (key: string) => JSON.stringify({ op: 2, d: { token: key } })
    socket.send(`auth ${at(run)}`)
    socket.send(json(at(run)))
    socket.send(`42${JSON.stringify(['login', { key: at(run) }])}`)
    socket.send(Buffer.from(`bytes ${at(run)}`))
    socket.send(`begin ${at(run).slice(0, 9)}`, { fin: false })
    socket.send('', { fin: false })
    socket.send(`${at(run).slice(9)} end`, { fin: true })
    socket.send(`${'x'.repeat(70_000)}${at(run)}`)
    socket.send('o')
    const expected = [
      `auth ${value}`,
      json(value),
      `42${JSON.stringify(['login', { key: value }])}`,
      `bytes ${value}`,
      `begin ${value} end`,
      `${'x'.repeat(70_000)}${value}`,
      'o',
    ]
    await vi.waitFor(() => expect(echoes).toHaveLength(expected.length))
    expect(got).toEqual(expected)
    expect(echoes.join()).not.toContain(value)
    socket.close()
    await once(socket, 'close')
    await vi.waitFor(async () => expect(await run.events()).toHaveLength(1))
    expect((await run.events())[0]?.data).toMatchObject({ secrets: ['KEY'] })
    expect((await run.events())[0]?.data.misplaced).toBeUndefined()
  })

  test.each([
    [
      'only headers were approved',
      ['header'] as const,
      (socket: WebSocket, key: string) => socket.send(`auth ${key}`),
    ],
    [
      'it is binary',
      ['query', 'form'] as const,
      (socket: WebSocket, key: string) => socket.send(Buffer.from(key)),
    ],
    ['it is a ping', ['body'] as const, (socket: WebSocket, key: string) => socket.ping(key)],
  ])('it stays a placeholder and is reported where %s', async (_name, surfaces, send) => {
    const run = await runWith(surfaces)
    const isOver = over(run)
    const socket = await opened(run)
    send(socket, at(run))
    await vi.waitFor(() => expect(got).toHaveLength(1))
    expect(got[0]).toContain(at(run))
    socket.close()
    await once(socket, 'close')
    await isOver
    expect(run.session.end().refused).toMatchObject([
      { rule: 'secret_not_for_surface', secrets: ['KEY'], count: 1 },
    ])
  })

  test('what is no frame of a client ends the connection', async () => {
    const run = await runWith(['body'])
    const socket = await tlsThrough(run.endpoint, place())
    const key = createHash('md5').update('x').digest('base64')
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${place()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
    await once(socket, 'data')
    const closed = once(socket, 'close')
    // Not masked.
    socket.write(Buffer.from([0x81, 1, 0x61]))
    await closed
    expect(got).toEqual([])
  })
})
