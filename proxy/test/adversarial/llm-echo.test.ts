/**
 * A vendor that says the key back, in whatever form and however it is cut, says it to the daemon alone; and nobody but the
 * vendor ever holds a byte of a key or a token.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import OpenAI, { type APIError } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { findSecret } from '../support/secret-search.ts'
import { ANN } from '../support/telegram-kit.ts'
import { eventStream, json, type VendorAnswer } from '../support/vendor-answers.ts'

const CHAT = '/llm/openai/v1/chat/completions'

let kit: LlmKit
let key: string
beforeAll(async () => {
  kit = await createLlmKit()
  // Its last 24 characters are random, as the search wants it.
  key = await kit.open('openai', { groups: ['inference', 'realtime'] })
  // A server that has never streamed is asked again where it refuses what the proxy put in.
  expect((await kit.ask(CHAT, { body: chatBody({ stream: true }) })).status).toBe(200)
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

/** What the agent got of one answer: head and body, as bytes of the connection. */
async function rawAnswer(answer: VendorAnswer, body: unknown = chatBody()): Promise<string> {
  const before = kit.vendors.callsTo('openai').length
  kit.vendors.next('openai', answer)
  const text = JSON.stringify(body)
  const got = await kit.raw(
    [
      `POST ${CHAT} HTTP/1.1`,
      `Host: ${new URL(kit.url).host}`,
      'Connection: close',
      'Content-Type: application/json',
      'Accept-Encoding: gzip, br, deflate',
      `Authorization: Bearer ${kit.token}`,
      `Content-Length: ${Buffer.byteLength(text)}`,
      '',
      text,
    ].join('\r\n'),
  )
  expect(kit.vendors.callsTo('openai')).toHaveLength(before + 1)
  return got
}
const expectClean = (answer: string): void => {
  expect(answer).toMatch(/^HTTP\/1\.1 \d\d\d /)
  expect(findSecret(new Map([['the answer', Buffer.from(answer, 'latin1')]]), key)).toEqual([])
}
const splitEvery = (text: string | Buffer, size: number): Buffer[] => {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
}

describe('an echoed key', () => {
  it.each([
    ['in an error', () => json({ error: { message: `Incorrect API key provided: ${key}` } }, 400)],
    ['in a good answer', () => json({ model: 'm', headers: { authorization: `Bearer ${key}` } })],
    ['in base64', () => json({ seen: Buffer.from(`Bearer ${key}`).toString('base64') })],
    ['in hex', () => json({ seen: Buffer.from(key).toString('hex') })],
    ['in percent form', () => json({ seen: encodeURIComponent(`Bearer ${key}!`) })],
    ['in plain text', () => ({ headers: { 'content-type': 'text/plain' }, pieces: [`you sent ${key}\n`] })],
    [
      'in bytes',
      () => ({
        headers: { 'content-type': 'application/octet-stream' },
        pieces: [Buffer.concat([Buffer.from([0, 255]), Buffer.from(key)])],
      }),
    ],
    ['without a content type', () => ({ pieces: [`${key}${key}`] })],
    [
      'split over two writes',
      () => ({
        headers: { 'content-type': 'text/plain' },
        pieces: [`a ${key.slice(0, 20)}`, `${key.slice(20)} b`],
      }),
    ],
    [
      'one byte a write',
      () => ({ headers: { 'content-type': 'text/plain' }, pieces: splitEvery(`a ${key} b`, 1) }),
    ],
    [
      'in an event',
      () => eventStream([`data: {"choices":[{"delta":{"content":"${key}"}}]}\n\n`, 'data: [DONE]\n\n']),
    ],
    [
      'in events cut anywhere',
      () =>
        eventStream(splitEvery(`data: {"choices":[{"delta":{"content":"${key}"}}]}\n\ndata: [DONE]\n\n`, 7)),
    ],
    [
      'in the chunk of usage',
      () =>
        eventStream([
          `data: {"choices":[],"key":"${key}","usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n`,
        ]),
    ],
    ['as the end of the answer', () => ({ headers: { 'content-type': 'text/plain' }, pieces: [key] })],
    ['in a comment of a stream', () => eventStream([`: ${key}\n\n`])],
    ['gzip', () => encoded('gzip', gzipSync(`{"seen":"${key}"}`))],
    ['brotli', () => encoded('br', brotliCompressSync(`{"seen":"${key}"}`))],
    ['deflate', () => encoded('deflate', deflateSync(`{"seen":"${key}"}`))],
    ['gzip in gzip', () => encoded('gzip, gzip', gzipSync(gzipSync(`{"seen":"${key}"}`)))],
    [
      'gzip one byte a write',
      () => ({ ...encoded('gzip', Buffer.alloc(0)), pieces: splitEvery(gzipSync(`{"seen":"${key}"}`), 1) }),
    ],
    ['an unknown encoding', () => encoded('x-demo', Buffer.from(`{"seen":"${key}"}`))],
    ['in a header', () => json({}, 200, { 'x-echo': key })],
    ['in a header of an error', () => json({}, 401, { 'www-authenticate': `Bearer realm="${key}"` })],
    [
      'in the address of a redirect',
      () => ({ status: 302, headers: { location: `https://example.com/?k=${key}` }, pieces: [] }),
    ],
    ['in a cookie', () => json({}, 200, { 'set-cookie': `k=${key}; Path=/` })],
    ['in the name of a header', () => json({}, 200, { [`x-${key}`]: '1' })],
    ['in base64 in a header', () => json({}, 200, { 'x-echo': Buffer.from(key).toString('base64') })],
    ['in the content type', () => ({ headers: { 'content-type': `text/plain; k=${key}` }, pieces: ['x'] })],
  ] satisfies [string, () => VendorAnswer][])('%s does not reach the agent', async (_name, make) => {
    for (const stream of [false, true]) {
      await freshKeyDuringCooldown()
      expectClean(await rawAnswer(make(), chatBody({ stream })))
    }
  })

  it('in the reason, an early hint or a trailer does not reach the agent', async () => {
    kit.vendors.next('openai', (_call, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload', 'x-hint': key })
      response.writeHead(200, key.replaceAll('_', '-'), { trailer: 'x-after', 'content-type': 'text/plain' })
      response.write('a')
      response.addTrailers({ 'x-after': key })
      response.end('b')
    })
    const text = JSON.stringify(chatBody())
    expectClean(
      await kit.raw(
        `POST ${CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTE: trailers\r\nContent-Type: application/json\r\nAuthorization: Bearer ${kit.token}\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      ),
    )
  })

  it('does not reach the agent in the messages of a WebSocket', async () => {
    const vendor = new WebSocketServer({ noServer: true })
    kit.vendors.onSocket('openai', (request, socket, head) =>
      vendor.handleUpgrade(request, socket, head, (open) => {
        open.on('message', () => {
          open.send(`it is ${key}`)
          open.send(Buffer.from(`bytes ${key}`))
          open.close(4_000, key.slice(0, 100))
        })
      }),
    )
    const socket = new WebSocket(`${kit.url.replace('http', 'ws')}/llm/openai/v1/realtime`, {
      headers: { authorization: `Bearer ${kit.token}` },
    })
    const got: Buffer[] = []
    socket.on('error', () => {})
    socket.on('message', (data: Buffer) => void got.push(data))
    await once(socket, 'open')
    socket.send('tell me')
    const [, reason] = (await once(socket, 'close')) as [number, Buffer]
    expect(findSecret(new Map([['messages', Buffer.concat([...got, reason])]]), key)).toEqual([])
  })

  it('is not in the error of the SDK', async () => {
    await freshKeyDuringCooldown()
    kit.vendors.next(
      'openai',
      json({ error: { message: `Incorrect API key provided: ${key}.`, type: 'x', code: null } }, 400),
    )
    const openai = new OpenAI({ apiKey: kit.token, baseURL: kit.base('openai', '/v1'), maxRetries: 0 })
    const error = (await openai.chat.completions
      .create({ model: 'm', messages: [] })
      .catch((thrown: unknown) => thrown)) as APIError
    expect(error.message).toContain('Incorrect API key provided')
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(key)
  })

  it('is in no log when the answer that holds it is no HTTP', async () => {
    await freshKeyDuringCooldown()
    kit.vendors.next('openai', (_call, response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\nx-a: one\r\n two ${key}\r\ncontent-length: 5\r\n\r\nhello`)
    })
    const answer = await kit.ask('/llm/openai/v1/chat/completions', { body: chatBody() })
    expect([answer.status, answer.json.error.message]).toEqual([
      502,
      'oauth3: openai answered in no HTTP that can be read.',
    ])
    expect(kit.logged.join()).toMatch(/HTTPParserError|MalformedAnswer/)
    expect(kit.logged.join()).not.toContain(key)
  })
})

describe('keys and tokens', () => {
  it('are in no row, file, log line, answer, metric or call to the Bot API, after all that can go wrong', async () => {
    // A key by Telegram, as an owner adds one.
    const told = `demo-value-${randomBytes(24).toString('hex')}`
    kit.daemon.telegram.say(kit.daemon.chatId, `/add_key groq ${told}`, ANN)
    await kit.daemon.telegram.waitForMessage(({ text, fromBot }) => fromBot && /Stored/.test(text))
    await kit.grant('groq')
    const stranger = `oa3_${randomBytes(32).toString('base64url')}`
    await kit.ask(CHAT, { token: stranger, body: chatBody() })
    await kit.ask(`/llm/google/v1beta/models?key=${kit.token}`, {
      token: null,
      headers: { prefer: 'wait=0' },
    })
    await kit.ask(`/llm/nobody/x?key=${kit.token}`, { token: null })
    await kit.ask(CHAT, { body: chatBody(), headers: { 'x-api-key': kit.token } })
    await kit.ask('/llm/groq/openai/v1/chat/completions', { body: chatBody() })
    kit.vendors.faults.length = 0
    kit.vendors.next('openai', (_call, response) => void response.socket?.destroy())
    await kit.ask(CHAT, { body: chatBody() })
    kit.names.set('api.openai.com', () => ['169.254.169.254'])
    await kit.ask(CHAT, { body: chatBody() })
    kit.names.delete('api.openai.com')
    await kit.daemon.restart()
    await kit.ask(CHAT, { body: chatBody() })
    await kit.ask('/metrics')
    const exported = JSON.stringify(await kit.admin('GET', '/v1/audit?limit=1000'))
    const listed = JSON.stringify([
      await kit.admin('GET', '/v1/provider-keys'),
      await kit.admin('GET', '/v1/providers'),
      await kit.admin('GET', '/v1/provider-grants'),
      await kit.admin('GET', '/v1/usage?by=model'),
    ])
    const evidence = new Map([
      ...kit.evidence(),
      ['audit', Buffer.from(exported)],
      ['lists', Buffer.from(listed)],
      ['rows', rows()],
    ])
    // The search looks where something is.
    expect([...evidence.keys()]).toEqual(
      expect.arrayContaining(['log', 'calls to the Bot API', join(kit.daemon.folder, 'data', 'proxy.db')]),
    )
    expect(evidence.get('log')?.length).toBeGreaterThan(0)
    expect(findSecret(new Map([['here', Buffer.from(key)]]), key).length).toBeGreaterThan(0)
    for (const [what, value] of [
      ['the key', key],
      ['the key told to the bot', told],
      ['the token', kit.token],
      ['a wrong token', stranger],
    ] as const) {
      expect([what, findSecret(evidence, value)]).toEqual([what, []])
    }
  })
})

const encoded = (encoding: string, bytes: Buffer): VendorAnswer => ({
  headers: { 'content-type': 'application/json', 'content-encoding': encoding },
  pieces: [bytes],
})

async function freshKeyDuringCooldown(): Promise<void> {
  const { keys } = await kit.admin('GET', '/v1/provider-keys')
  const ours = keys.filter((row: { provider: string }) => row.provider === 'openai')
  if (!ours.every((row: { cooldown: object | null }) => row.cooldown !== null)) return
  for (const { id } of ours) await kit.removeKey(id)
  key = (await kit.addKey('openai')).value
}

function rows(): Buffer {
  const db = new Database(join(kit.daemon.folder, 'data', 'proxy.db'), { readonly: true })
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]
    return Buffer.from(
      tables.map((table) => JSON.stringify(db.prepare(`SELECT * FROM "${table}"`).all())).join('\n'),
    )
  } finally {
    db.close()
  }
}
