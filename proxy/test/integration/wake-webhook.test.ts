import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RequestId } from '../../src/kernel/index.ts'
import { createWebhookChannel } from '../../src/notify/wake-channels/index.ts'
import { createWakeWorld } from '../support/wake-setup.ts'

const SECRET = 'demo-value-webhook-secret'
const REQUEST_ID = `req_${'a'.repeat(32)}` as RequestId

let server: Server
let url: string
let received: { headers: IncomingHttpHeaders; body: string; url: string }[]
let respond: (response: ServerResponse) => void

beforeEach(async () => {
  received = []
  respond = (response) => response.writeHead(204).end()
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    received.push({
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      url: request.url ?? '',
    })
    respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify?to=me`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const deliver = (
  change: { target?: string; token?: string | null; test?: boolean; signal?: AbortSignal } = {},
) =>
  createWebhookChannel().deliver(
    { kind: 'webhook', target: change.target ?? url, sessionKey: null, sealedToken: null },
    change.token === undefined ? SECRET : change.token,
    {
      text: 'OAuth3: text — ü',
      requests: change.test ? [] : [{ requestId: REQUEST_ID, status: 'success' }],
      sessionKey: null,
    },
    change.signal ?? new AbortController().signal,
  )

/** The receiver's side, written from the documented recipe alone. */
function verify(secret: string, headers: IncomingHttpHeaders, body: string): boolean {
  const timestamp = String(headers['x-oauth3-timestamp'])
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false
  const expected = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return headers['x-oauth3-signature'] === `v1=${expected}`
}

test('posts what ended, signed so that the documented recipe verifies it', async () => {
  expect(await deliver()).toEqual({ delivered: true, message: '204' })
  const [call] = received
  if (!call) throw new Error('nothing arrived')
  expect(call.url).toBe('/notify?to=me')
  expect(verify(SECRET, call.headers, call.body)).toBe(true)
  expect(verify(SECRET, call.headers, `${call.body} `)).toBe(false)
  expect(verify('demo-value-other', call.headers, call.body)).toBe(false)
  expect(verify(SECRET, { ...call.headers, 'x-oauth3-timestamp': '1' }, call.body)).toBe(false)
  expect(JSON.parse(call.body)).toEqual({
    type: 'execution.updated',
    delivery_id: call.headers['x-oauth3-delivery'],
    text: 'OAuth3: text — ü',
    requests: [{ request_id: REQUEST_ID, status: 'success' }],
  })
  expect(`${call.body}${JSON.stringify(call.headers)}`).not.toContain(SECRET)
})

test("gives every delivery an id of its own, and calls the owner's try a test", async () => {
  await deliver()
  await deliver({ test: true })
  const bodies = received.map((call) => JSON.parse(call.body))
  expect(bodies[0].delivery_id).not.toBe(bodies[1].delivery_id)
  expect(bodies[1]).toMatchObject({ type: 'test', requests: [] })
})

test('does not follow a redirect', async () => {
  respond = (response) => response.writeHead(307, { location: url }).end()
  expect(await deliver()).toEqual({
    delivered: false,
    permanent: true,
    message: '307: redirects are not followed',
  })
  expect(received).toHaveLength(1)
})

test.each([
  [400, undefined, { permanent: true }],
  [410, undefined, { permanent: true }],
  [503, '7', { retryAfterMs: 7_000 }],
  [429, '120', { retryAfterMs: 120_000 }],
  [500, undefined, {}],
] as const)('takes %i for what it means', async (status, retryAfter, expected) => {
  respond = (response) =>
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('no')
  expect(await deliver()).toEqual({ delivered: false, message: `${status} no`, ...expected })
})

test('reads only the beginning of an answer that does not end', async () => {
  respond = (response) => void response.writeHead(500).write('x'.repeat(100_000))
  const began = performance.now()
  const { message } = await deliver()
  expect(message).toMatch(/^500 x{4096}$/)
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('keeps a secret that the receiver repeats out of what is stored and said', async () => {
  const target = { kind: 'webhook', target: url, sessionKey: null, sealedToken: null } as const
  await using world = await createWakeWorld({ target, token: SECRET })
  respond = (response) => response.writeHead(500).end(`you sent ${SECRET}`)
  await world.ends(await world.agent('a'), 'success')
  await world.pass(300)
  expect(world.rows()).toMatchObject([{ last_error: 'failing: 500 you sent [secret]' }])
  const [check] = world.waker.checks
  expect((await check?.run(new AbortController().signal))?.said).toContain('you sent [secret]')
  expect(world.bytes().includes(SECRET)).toBe(false)
})

test('sends nothing without a secret or to what is not an http address', async () => {
  expect(await deliver({ token: null })).toMatchObject({ delivered: false, permanent: true })
  for (const target of ['file:///etc/passwd', 'nonsense', url.replace('http://', 'http://user:pass@')]) {
    expect(await deliver({ target })).toMatchObject({ delivered: false, permanent: true })
  }
  expect(received).toEqual([])
})

test('stops waiting for a receiver that does not answer when the daemon stops', async () => {
  respond = () => {}
  const began = performance.now()
  expect(await deliver({ signal: AbortSignal.timeout(200) })).toMatchObject({ delivered: false })
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('an outcome reaches the receiver through the pump, and a stop in the middle leaves it for the next start', async () => {
  const target = { kind: 'webhook', target: url, sessionKey: null, sealedToken: null } as const
  await using world = await createWakeWorld({ target, token: SECRET })
  respond = () => {}
  const id = await world.ends(await world.agent('a'), 'success')
  world.clock.advance(300)
  void world.waker.nudge()
  await expect.poll(() => received.length).toBe(1)
  respond = (response) => response.writeHead(200).end()
  await world.restart()
  expect(received).toHaveLength(2)
  expect(JSON.parse(received[1]?.body ?? '{}').requests).toEqual([{ request_id: id, status: 'success' }])
  expect(await world.audit('wake.failed')).toEqual([])
  expect(world.rows()).toMatchObject([{ request_id: id, delivered: 1, last_error: null }])
})
