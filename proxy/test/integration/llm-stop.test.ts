/** What becomes of requests that are under way when the daemon stops. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { begin, write } from '../support/vendor-doubles.ts'

const CHAT = '/llm/openai/v1/chat/completions'

let kit: LlmKit
beforeEach(async () => {
  kit = await createLlmKit()
  await kit.addKey('openai')
})
afterEach(() => kit?.[Symbol.asyncDispose]())

/** A stream that has begun, and how to let it come to its end. */
async function underWay(): Promise<{ response: Response; end: PromiseWithResolvers<void> }> {
  const end = Promise.withResolvers<void>()
  kit.vendors.next('openai', async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"first"}}]}\n\n')
    await end.promise
    await write(
      call,
      response,
      'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\ndata: [DONE]\n\n',
    )
    response.end()
  })
  const response = await fetch(`${kit.url}${CHAT}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(chatBody({ stream: true })),
  })
  return { response, end }
}

it('a request that waits for the owner is told that the daemon stops', async () => {
  const asked = kit.ask(CHAT, { body: chatBody(), headers: { prefer: 'wait=120' } })
  for (;;) {
    const { asks } = await kit.admin('GET', '/v1/asks')
    if (asks.length > 0) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [answer] = await Promise.all([asked, kit.daemon.daemon.stop()])
  expect(answer.status).toBe(503)
  expect(answer.headers.get('x-oauth3-error')).toBe('shutting_down')
})

it('a stream that ends in time is whole, and in the usage', async () => {
  await kit.grant('openai')
  const { response, end } = await underWay()
  const stopped = kit.daemon.daemon.stop()
  end.resolve()
  expect(await response.text()).toContain('[DONE]')
  await stopped
  using db = opened()
  expect(db.rows()).toEqual([{ requests: 1, input_tokens: 3, output_tokens: 4 }])
})

it('a request that comes while others end is told that the daemon stops, and no vendor hears of it', async () => {
  await kit.grant('openai')
  const { response: stream, end } = await underWay()
  const { hostname, port } = new URL(kit.url)
  const late = connect(Number(port), hostname)
  late.write(`GET /llm/openai/v1/models HTTP/1.1\r\nHost: x\r\n`)
  // Another request on the same way shows that its beginning was read.
  await kit.ask('/health')
  const stopped = kit.daemon.daemon.stop()
  late.write(`Connection: close\r\nAuthorization: Bearer ${kit.token}\r\n\r\n`)
  const answer = await text(late)
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(answer).toMatch(/^x-oauth3-error: shutting_down\r$/im)
  end.resolve()
  await stream.text()
  await stopped
  expect(kit.vendors.calls).toHaveLength(1)
})

it('an open realtime session ends, and is in the usage', async () => {
  await kit.grant('openai', { groups: ['realtime'] })
  const vendor = new WebSocketServer({ noServer: true })
  kit.vendors.onSocket('openai', (request, socket, head) =>
    vendor.handleUpgrade(request, socket, head, (open) => open.send('hello')),
  )
  const session = new WebSocket(
    `${kit.url.replace('http', 'ws')}/llm/openai/v1/realtime?model=gpt-realtime`,
    {
      headers: { authorization: `Bearer ${kit.token}` },
    },
  )
  session.on('error', () => {})
  await once(session, 'message')
  const closed = once(session, 'close')
  await kit.daemon.daemon.stop()
  await closed
  using db = opened()
  expect(db.rows()).toMatchObject([{ requests: 1 }])
})

function opened() {
  const db = new Database(join(kit.daemon.folder, 'data', 'proxy.db'), { readonly: true })
  return {
    rows: () => db.prepare('SELECT requests, input_tokens, output_tokens FROM usage_by_day').all(),
    [Symbol.dispose]: () => void db.close(),
  }
}
