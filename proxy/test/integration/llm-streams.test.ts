import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { patience } from '../support/pace.ts'
import { json, WORDS } from '../support/vendor-answers.ts'
import { begin, send, write } from '../support/vendor-doubles.ts'

const MIB = 1_048_576
const PIECE = randomBytes(64 * 1_024)
const PIECES = 1_600
const CHAT = '/llm/openai/v1/chat/completions'

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.open('openai', { groups: ['inference', 'files'] })
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const sha256Of = (pieces: number): string => {
  const hash = createHash('sha256')
  for (let count = 0; count < pieces; count++) hash.update(PIECE)
  return hash.digest('hex')
}

interface Sent {
  readonly request: ReturnType<typeof httpRequest>
  readonly answer: Promise<IncomingMessage>
}
function open(path: string, headers: Record<string, string> = {}, method = 'POST'): Sent {
  const request = httpRequest(`${kit.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${kit.token}`, ...headers },
  })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  answer.catch(() => {})
  return { request, answer }
}
const drained = (stream: NodeJS.EventEmitter): Promise<void> =>
  new Promise((resolve) => stream.once('drain', () => resolve()))
/** An upload of 100 MiB from its first byte to its answer. */
async function upload(): Promise<unknown> {
  kit.vendors.next('openai', (call) => json({ bytes: call.bodyBytes, sha256: call.bodySha256 }))
  const { request, answer } = open('/llm/openai/v1/files', { 'content-type': 'application/octet-stream' })
  for (let count = 0; count < PIECES; count++) if (!request.write(PIECE)) await drained(request)
  request.end()
  const chunks: Buffer[] = []
  for await (const chunk of await answer) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

it('gives every event on as it comes, not when the answer is complete', async () => {
  const go = Promise.withResolvers<void>()
  kit.vendors.next('openai', async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
    await go.promise
    await write(call, response, 'data: [DONE]\n\n')
    response.end()
  })
  const response = await fetch(kit.url + CHAT, {
    method: 'POST',
    headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(chatBody({ stream: true })),
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader?.read())?.value).toContain('"one"')
  go.resolve()
  expect((await reader?.read())?.value).toBe('data: [DONE]\n\n')
  expect((await reader?.read())?.done).toBe(true)
})

it('passes a body of 100 MiB as it comes, whole and unchanged', { timeout: patience(240_000) }, async () => {
  expect(await upload()).toEqual({ bytes: PIECES * PIECE.length, sha256: sha256Of(PIECES) })
})

it('passes an answer of 100 MiB as it comes, whole and unchanged', {
  timeout: patience(240_000),
}, async () => {
  kit.vendors.next('openai', async (_call, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    for (let count = 0; count < PIECES; count++) if (!response.write(PIECE)) await drained(response)
    response.end()
  })
  const { request, answer } = open('/llm/openai/v1/files/demo/content', {}, 'GET')
  request.end()
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of await answer) {
    hash.update(chunk)
    bytes += chunk.length
  }
  expect(bytes).toBe(PIECES * PIECE.length)
  expect(hash.digest('hex')).toBe(sha256Of(PIECES))
})

it('holds a fast vendor up while the client does not read', { timeout: patience(240_000) }, async () => {
  let produced = 0
  kit.vendors.next('openai', async (call, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    while (produced < 512 * MIB && !call.signal.aborted) {
      produced += PIECE.length
      if (!response.write(PIECE)) await Promise.race([drained(response), call.gone])
    }
    response.end()
  })
  const coming = kit.vendors.nextCall('openai')
  const { request, answer } = open('/llm/openai/v1/files/demo/content', {}, 'GET')
  request.end()
  const response = await answer
  response.pause()
  // While this much passes beside it, one that is not held up comes as far.
  await upload()
  expect(produced).toBeGreaterThan(0)
  expect(produced).toBeLessThan(64 * MIB)
  request.destroy()
  await (await coming).gone
})

it('holds a fast client up while the vendor does not read', { timeout: patience(240_000) }, async () => {
  const go = Promise.withResolvers<void>()
  const holding = Promise.withResolvers<void>()
  kit.vendors.next('openai', {
    early(call, request, response) {
      request.pause()
      holding.resolve()
      void go.promise.then(async () => {
        let bytes = 0
        for await (const chunk of request) bytes += (chunk as Buffer).length
        await send(call, response, json({ bytes }))
      })
    },
  })
  const { request, answer } = open('/llm/openai/v1/files', { 'content-type': 'application/octet-stream' })
  let sent = 0
  const sending = (async () => {
    while (sent < 96 * MIB) {
      sent += PIECE.length
      if (!request.write(PIECE)) await drained(request)
    }
    request.end()
  })()
  await holding.promise
  await upload()
  expect(sent).toBeLessThan(64 * MIB)
  go.resolve()
  await sending
  const chunks: Buffer[] = []
  for await (const chunk of await answer) chunks.push(chunk)
  expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({ bytes: sent })
})

it('ends the upload at the vendor when the client leaves in the middle of it', async () => {
  const ended = Promise.withResolvers<string>()
  const began = Promise.withResolvers<void>()
  kit.vendors.next('openai', {
    early(_call, request) {
      request.once('data', () => began.resolve())
      request.once('error', (error: Error) => ended.resolve(error.message))
      request.once('end', () => ended.resolve('came whole'))
    },
  })
  const { request } = open('/llm/openai/v1/files', { 'content-type': 'application/octet-stream' })
  request.on('error', () => {})
  request.write(PIECE)
  await began.promise
  request.destroy()
  expect(await ended.promise).toBe('aborted')
})

it('gives an early answer to an upload on, without the rest of the upload', async () => {
  kit.vendors.next('openai', {
    early: (call, _request, response) =>
      void send(call, response, json({ error: { message: 'enough' } }, 413)),
  })
  const { request, answer } = open('/llm/openai/v1/files', { 'content-type': 'application/octet-stream' })
  request.on('error', () => {})
  request.write(PIECE)
  const response = await answer
  expect(response.statusCode).toBe(413)
  expect(response.headers['x-oauth3-error']).toBeUndefined()
  response.destroy()
})

it.each(['content-length', 'chunked'])(
  'breaks the answer when the vendor breaks off (%s)',
  async (framing) => {
    kit.vendors.next('openai', async (call, response) => {
      const headers = { 'content-type': 'application/json' }
      begin(call, response, {
        headers: framing === 'chunked' ? headers : { ...headers, 'content-length': '100000' },
      })
      await write(call, response, '{"half":')
      response.socket?.destroy()
    })
    const { request, answer } = open(CHAT, { 'content-type': 'application/json' })
    request.end(JSON.stringify(chatBody()))
    const response = await answer
    let text = ''
    const reading = (async () => {
      for await (const chunk of response) text += chunk
    })()
    await expect(reading).rejects.toThrow('aborted')
    expect(text).toBe('{"half":')
  },
)

it('a short answer that breaks off before it is whole is a 502, and none of it is given', async () => {
  kit.vendors.next('openai', async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'application/json', 'content-length': '1000' } })
    await write(call, response, '{"half":')
    response.socket?.destroy()
  })
  const broken = await kit.ask(CHAT, { body: chatBody() })
  expect(broken.status).toBe(502)
  expect(broken.headers.get('x-oauth3-error')).toBe('upstream_unreachable')
  expect(JSON.stringify(broken.json)).not.toContain('half')
})

it('a vendor that closes without an answer is a 502 that says so, and the daemon goes on', async () => {
  kit.vendors.next('openai', (_call, response) => void response.socket?.destroy())
  const broken = await kit.ask(CHAT, { body: chatBody() })
  expect(broken.status).toBe(502)
  expect(broken.headers.get('x-oauth3-error')).toBe('upstream_unreachable')
  expect(broken.json.error.message).toContain('openai')
  expect((await kit.ask(CHAT, { body: chatBody() })).status).toBe(200)
})

const COMPRESSED = JSON.stringify({ object: 'chat.completion', choices: [], words: WORDS })
it.each([
  ['gzip', gzipSync(COMPRESSED)],
  ['deflate', deflateSync(COMPRESSED)],
  ['deflate', deflateRawSync(COMPRESSED)],
  ['zstd', zstdCompressSync(COMPRESSED)],
  ['gzip, zstd', zstdCompressSync(gzipSync(COMPRESSED))],
  ['utf-8', Buffer.from(COMPRESSED)],
  ['none', Buffer.from(COMPRESSED)],
])('an answer that comes in %s though nobody asked is readable all the same', async (encoding, body) => {
  kit.vendors.next('openai', {
    headers: { 'content-type': 'application/json', 'content-encoding': encoding },
    pieces: [body],
  })
  const answer = await kit.ask(CHAT, { body: chatBody(), headers: { 'accept-encoding': 'gzip' } })
  expect(answer.text).toBe(COMPRESSED)
})

it('a body without a length goes on without one, and Expect is answered', async () => {
  const { request, answer } = open(CHAT, { 'content-type': 'application/json', expect: '100-continue' })
  const went = new Promise<void>((resolve) => request.once('continue', () => resolve()))
  request.flushHeaders()
  await went
  const body = JSON.stringify(chatBody())
  request.write(body.slice(0, 10))
  request.end(body.slice(10))
  const response = await answer
  response.resume()
  expect(response.statusCode).toBe(200)
  expect(kit.vendors.callsTo('openai').at(-1)?.json).toEqual(chatBody())
})

it('answers without a body, and to HEAD, pass', async () => {
  kit.vendors.next('openai', { status: 204, pieces: [] })
  const deleted = await kit.ask('/llm/openai/v1/files/demo', { method: 'DELETE' })
  expect(deleted.status).toBe(204)
  kit.vendors.next('openai', { headers: { 'content-length': '123', etag: '"demo"' }, pieces: [] })
  const head = await kit.ask('/llm/openai/v1/files/demo', { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe('123')
  expect(head.headers.get('etag')).toBe('"demo"')
})

it('many requests at once are all answered, each with its own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      kit.ask(CHAT, { body: chatBody({ model: `many-${index}` }) }).then(({ json }) => json.model),
    ),
  )
  expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `many-${index}`))
})
