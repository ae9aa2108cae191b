import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const PATH = '/llm/openai/v1/realtime?model=gpt-realtime-demo'

let kit: LlmKit
let key: string
const vendor = new WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  handleProtocols: (offered) => (offered.has('realtime') ? 'realtime' : false),
})
/** What the vendor does with a connection; echoes by default. */
let play: (socket: WebSocket) => void
beforeAll(async () => {
  kit = await createLlmKit()
  key = await kit.open('openai', { groups: ['realtime'] })
  kit.vendors.onSocket('openai', (request, socket, head) =>
    vendor.handleUpgrade(request, socket, head, (open) => play(open)),
  )
  play = (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const place = (path = PATH): string => kit.url.replace('http:', 'ws:') + path
const headers = () => ({ authorization: `Bearer ${kit.token}`, 'openai-beta': 'realtime=v1' })
const next = async (socket: WebSocket): Promise<Buffer> => (await once(socket, 'message'))[0] as Buffer
async function refusal(socket: WebSocket): Promise<{ status: number; code: string; text: string }> {
  socket.on('error', () => {})
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  const body = await text(response)
  return {
    status: response.statusCode ?? 0,
    code: String(response.headers['x-oauth3-error'] ?? ''),
    text: body,
  }
}

it('opens a realtime session, and messages of every size pass both ways', async () => {
  const socket = new WebSocket(place(), { headers: headers() })
  await once(socket, 'open')
  const call = kit.vendors.callsTo('openai').at(-1)
  expect(call).toMatchObject({ url: '/v1/realtime?model=gpt-realtime-demo', key })
  expect(call?.headers['openai-beta']).toBe('realtime=v1')
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000]) {
    const message = randomBytes(size)
    const answered = next(socket)
    socket.send(message)
    expect((await answered).equals(message), `${size} bytes`).toBe(true)
  }
  const answered = next(socket)
  socket.send('{"type":"session.update","text":"ü ✓"}')
  expect(String(await answered)).toBe('{"type":"session.update","text":"ü ✓"}')
  const closed = once(socket, 'close')
  socket.close(1000, 'done')
  expect((await closed)[0]).toBe(1000)
})

it('takes the token out of the subprotocols, as browsers send it', async () => {
  const socket = new WebSocket(place(), ['realtime', `openai-insecure-api-key.${kit.token}`, 'demo-beta.v1'])
  await once(socket, 'open')
  expect(socket.protocol).toBe('realtime')
  const call = kit.vendors.callsTo('openai').at(-1)
  expect(call?.headers['sec-websocket-protocol']).toMatch(/^realtime, ?demo-beta\.v1$/)
  expect(call?.key).toBe(key)
  socket.terminate()
})

it('gives the close code of the vendor on', async () => {
  const usual = play
  play = (socket) => socket.close(4_001, 'session expired')
  const socket = new WebSocket(place(), { headers: headers() })
  const [code, reason] = await once(socket, 'close')
  expect([code, String(reason)]).toEqual([4_001, 'session expired'])
  play = usual
})

it('ends at the vendor when the client is gone, and at the client when the vendor is', async () => {
  const usual = play
  const opened = Promise.withResolvers<WebSocket>()
  play = (socket) => opened.resolve(socket)
  const socket = new WebSocket(place(), { headers: headers() })
  await once(socket, 'open')
  const there = await opened.promise
  const gone = once(there, 'close')
  socket.terminate()
  await gone
  play = (open) => open.terminate()
  const second = new WebSocket(place(), { headers: headers() })
  second.on('error', () => {})
  expect((await once(second, 'close'))[0]).toBe(1006)
  play = usual
})

it('is refused without a token, and with an answer that says why', async () => {
  expect(await refusal(new WebSocket(place()))).toMatchObject({ status: 401, code: 'unauthenticated' })
  const both = new WebSocket(place(), [`openai-insecure-api-key.${kit.token}`], { headers: headers() })
  expect(await refusal(both)).toMatchObject({ status: 400, code: 'ambiguous_credentials' })
  const nowhere = new WebSocket(place('/llm/nobody/v1/realtime'), { headers: headers() })
  expect(await refusal(nowhere)).toMatchObject({ status: 403, code: 'unknown_provider' })
})

it('is not opened where tokens are limited, for nobody tells what it uses', async () => {
  const token = await kit.addAgent('thrifty')
  const grant = await kit.grant('openai', {
    agent: 'thrifty',
    groups: ['realtime'],
    limits: { tokens_per_day: 1_000_000 },
  })
  const before = kit.vendors.calls.length
  const socket = new WebSocket(place(), { headers: { authorization: `Bearer ${token}` } })
  expect(await refusal(socket)).toMatchObject({ status: 403, code: 'unmetered' })
  expect(kit.vendors.calls).toHaveLength(before)
  await kit.revokeGrant(grant)
})

it('waits for the owner as any request does', async () => {
  const token = await kit.addAgent('caller')
  const socket = new WebSocket(place(), {
    headers: { authorization: `Bearer ${token}`, prefer: 'wait=0' },
  })
  expect(await refusal(socket)).toMatchObject({ status: 403, code: 'approval_pending' })
})

it('is counted as one request', async () => {
  const socket = new WebSocket(place('/llm/openai/v1/realtime?model=gpt-rt-counted'), { headers: headers() })
  await once(socket, 'open')
  socket.close()
  await once(socket, 'close')
  expect((await kit.usageOf('gpt-rt-counted', 1)).failed).toBe(0)
})

it('hands on what a vendor without WebSockets answers', async () => {
  await kit.open('groq', { groups: ['realtime'] })
  const socket = new WebSocket(place('/llm/groq/openai/v1/realtime'), { headers: headers() })
  expect(await refusal(socket)).toMatchObject({ status: 404, code: '' })
})
