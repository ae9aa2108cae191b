/** What real SDKs and plain clients do with their connections, through each of the two transports of the LLM proxy. */
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { Mistral } from '@mistralai/mistralai'
import { CohereClientV2 } from 'cohere-ai'
import Groq from 'groq-sdk'
import OpenAI, { toFile } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readUntil } from '../support/gateway-client.ts'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { eventStream, json, WORDS } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import { vendorError } from '../support/vendor-rules.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const HELLO = { model: 'demo', max_tokens: 5, messages: [{ role: 'user' as const, content: 'Say hello.' }] }

describe.each(['own', 'node'] as const)('OAUTH3_LLM_HTTP=%s', (transport) => {
  let kit: LlmKit
  beforeAll(async () => {
    kit = await createLlmKit({ environment: { OAUTH3_LLM_HTTP: transport } })
    for (const vendor of ['openai', 'anthropic', 'groq', 'mistral', 'cohere'] as const)
      await kit.open(vendor, { groups: ['inference', 'files', 'models'] })
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())
  afterEach(() => {
    kit.vendors.clearPlays()
    expect(kit.vendors.faults.splice(0)).toEqual([])
  })

  const openai = (more: Partial<ConstructorParameters<typeof OpenAI>[0]> = {}): OpenAI =>
    new OpenAI({ apiKey: kit.token, baseURL: kit.base('openai', '/v1'), maxRetries: 0, ...more })

  interface Asked {
    readonly status: number
    readonly headers: IncomingMessage['headers']
    readonly text: string
    readonly port: number
    readonly continued: boolean
  }
  const asking =
    (agent: Agent) =>
    (
      method: string,
      path: string,
      { body, headers = {} }: { body?: string | Buffer; headers?: Record<string, string> } = {},
    ) =>
      new Promise<Asked>((resolve, reject) => {
        const own = {
          ...{ authorization: `Bearer ${kit.token}` },
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        }
        let continued = false
        const request = httpRequest(`${kit.url}${path}`, { method, agent, headers: { ...own, ...headers } })
        request.on('error', reject)
        request.on('continue', () => {
          continued = true
          request.end(body)
        })
        request.on('response', async (response) => {
          const parts: Buffer[] = []
          const port = response.socket.localPort as number
          try {
            for await (const part of response) parts.push(part as Buffer)
          } catch (error) {
            return reject(error as Error)
          }
          const text = Buffer.concat(parts).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, port, continued })
        })
        if (headers.expect === undefined) request.end(body)
        else request.flushHeaders()
      })

  it('serves what comes on one connection, whatever it is for and by whichever method', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = asking(agent)
    const chat = JSON.stringify(chatBody())
    const ports = new Set<number>()
    const expected: [string, string, number, { body?: string; headers?: Record<string, string> }?][] = [
      ['POST', CHAT, 200, { body: chat }],
      ['HEAD', '/llm/openai/v1/models', 200],
      ['POST', CHAT, 200, { body: chat, headers: { expect: '100-continue' } }],
      ['GET', '/llm/openai/v1/models', 200],
      ['GET', '/health', 200],
      ['POST', CHAT, 200, { body: chat }],
      ['HEAD', '/health', 200],
      ['POST', CHAT, 200, { body: chat, headers: { expect: '100-continue' } }],
      ['POST', CHAT, 401, { body: chat, headers: { authorization: 'Bearer oa3_no' } }],
      ['POST', CHAT, 200, { body: chat }],
    ]
    kit.vendors.next('openai', json({ id: 1 }))
    kit.vendors.next('openai', { status: 200, headers: { 'content-length': '11' }, pieces: [] })
    for (const [method, path, status, more] of expected) {
      const seen = await ask(method, path, more)
      expect([method, path, seen.status]).toEqual([method, path, status])
      if (method === 'HEAD') expect(seen.text).toBe('')
      if (more?.headers?.expect) expect(seen.continued).toBe(true)
      ports.add(seen.port)
    }
    expect(ports.size).toBe(1)
    agent.destroy()
  })

  it('a refused HEAD and an OPTIONS leave nothing behind on their connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = asking(agent)
    for (const method of ['HEAD', 'OPTIONS', 'HEAD']) {
      const seen = await ask(method, CHAT, { headers: { authorization: 'Bearer oa3_no' } })
      expect([method, seen.status]).toEqual([method, 401])
      if (method === 'HEAD') expect(seen.text).toBe('')
    }
    expect((await ask('POST', CHAT, { body: JSON.stringify(chatBody()) })).status).toBe(200)
    agent.destroy()
  })

  it('takes 20 streams at once, of which each is whole and its own', async () => {
    const counts = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const mine = `mine-${at}`
        const stream = await openai().chat.completions.create({ ...HELLO, model: mine, stream: true })
        let text = ''
        for await (const chunk of stream) {
          expect(chunk.model).toBe(mine)
          text += chunk.choices[0]?.delta.content ?? ''
          await new Promise((resolve) => setImmediate(resolve))
        }
        return text
      }),
    )
    expect(new Set(counts)).toEqual(new Set([WORDS.join('')]))
  })

  it('gives a slow reader every byte of an answer of 24 MiB', async () => {
    const bytes = randomBytes(24 * 1_048_576)
    kit.vendors.next('openai', {
      headers: { 'content-type': 'audio/mpeg' },
      pieces: Array.from({ length: 96 }, (_, at) => bytes.subarray(at * 262_144, (at + 1) * 262_144)),
    })
    const spoken = await openai().audio.speech.create({ model: 'tts-demo', voice: 'alloy', input: 'hello' })
    const hash = createHash('sha256')
    let length = 0
    for await (const part of spoken.body as unknown as AsyncIterable<Uint8Array>) {
      hash.update(part)
      length += part.length
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(length).toBe(bytes.length)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('tells an SDK that uploads 20 MiB what the vendor answered before it had read them', async () => {
    kit.vendors.next('openai', {
      early(call, _request, response) {
        const refusal = JSON.stringify(vendorError('openai', 413, 'too large for the vendor'))
        begin(call, response, {
          status: 413,
          headers: { 'content-type': 'application/json', 'content-length': String(refusal.length) },
        })
        response.end(refusal)
      },
    })
    const error = await openai()
      .files.create({ file: await toFile(randomBytes(20 * 1_048_576), 'a.jsonl'), purpose: 'batch' })
      .catch((thrown: unknown) => thrown as InstanceType<typeof OpenAI.APIError>)
    expect(error).toMatchObject({ status: 413, message: expect.stringContaining('too large for the vendor') })
    expect((await openai().models.list()).data).toHaveLength(2)
  })

  it('tells an SDK that uploads 20 MiB without a right to it why', async () => {
    const error = await openai({ apiKey: `oa3_${'x'.repeat(43)}` })
      .files.create({ file: await toFile(randomBytes(20 * 1_048_576), 'a.jsonl'), purpose: 'batch' })
      .catch((thrown: unknown) => thrown as InstanceType<typeof OpenAI.APIError>)
    expect(error).toMatchObject({ status: 401 })
  })

  it('uploads large files of several clients at once, byte for byte', async () => {
    const files = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const bytes = randomBytes(3_000_000)
        const sha256 = createHash('sha256').update(bytes).digest('hex')
        const file = await openai().files.create({ file: await toFile(bytes, 'a.jsonl'), purpose: 'batch' })
        return file.id === `file-${sha256.slice(0, 8)}`
      }),
    )
    expect(files).toEqual(Array.from({ length: 6 }, () => true))
  })

  describe.each([
    [
      'openai',
      () => openai({ maxRetries: 2 }).chat.completions.create(HELLO),
      () => openai().chat.completions.create({ ...HELLO, stream: true }),
    ],
    [
      'anthropic',
      () =>
        new Anthropic({ apiKey: kit.token, baseURL: kit.base('anthropic'), maxRetries: 2 }).messages.create(
          HELLO,
        ),
      () =>
        new Anthropic({ apiKey: kit.token, baseURL: kit.base('anthropic'), maxRetries: 0 }).messages.create({
          ...HELLO,
          stream: true,
        }),
    ],
    [
      'groq',
      () =>
        new Groq({ apiKey: kit.token, baseURL: kit.base('groq'), maxRetries: 2 }).chat.completions.create(
          HELLO,
        ),
      () =>
        new Groq({ apiKey: kit.token, baseURL: kit.base('groq'), maxRetries: 0 }).chat.completions.create({
          ...HELLO,
          stream: true,
        }),
    ],
    [
      'mistral',
      () =>
        new Mistral({
          apiKey: kit.token,
          serverURL: kit.base('mistral'),
          retryConfig: {
            strategy: 'backoff',
            backoff: { initialInterval: 1, maxInterval: 5, exponent: 1, maxElapsedTime: 20_000 },
            retryConnectionErrors: true,
          },
        }).chat.complete({ model: 'demo', messages: HELLO.messages }),
      () =>
        new Mistral({ apiKey: kit.token, serverURL: kit.base('mistral') }).chat.stream({
          model: 'demo',
          messages: HELLO.messages,
        }),
    ],
    [
      'cohere',
      () =>
        new CohereClientV2({ token: kit.token, environment: kit.base('cohere') }).chat({
          model: 'demo',
          messages: HELLO.messages,
        }),
      () =>
        new CohereClientV2({ token: kit.token, environment: kit.base('cohere') }).chatStream({
          model: 'demo',
          messages: HELLO.messages,
        }),
    ],
  ] as const)('the SDK of %s', (vendor, ask, stream) => {
    it('comes through where the vendor fails once, breaks off once, and then answers', async () => {
      kit.vendors.next(vendor, json({ error: { message: 'again' } }, 503, { 'retry-after': '0' }))
      await expect(ask()).resolves.toBeDefined()
      kit.vendors.next(vendor, (_call, response) => void response.socket?.destroy())
      // Where the SDK does not ask again by itself, it is told.
      const [broken] = await Promise.allSettled([ask() as Promise<unknown>])
      if (broken.status === 'rejected')
        expect(broken.reason.status ?? broken.reason.statusCode, String(broken.reason)).toBe(502)
      await expect(ask()).resolves.toBeDefined()
    })

    it('that leaves a stream leaves its connection to nobody, and is served at once again', async () => {
      for (let round = 0; round < 3; round += 1) {
        kit.vendors.next(vendor, async (call, response) => {
          begin(call, response, eventStream([]))
          while (await write(call, response, ': still here\n\n'));
        })
        const coming = kit.vendors.nextCall(vendor)
        const leave = new AbortController()
        const plain = fetch(
          `${kit.url}/llm/${vendor}${vendor === 'cohere' ? '/v2/chat' : vendor === 'anthropic' ? '/v1/messages' : vendor === 'groq' ? '/openai/v1/chat/completions' : '/v1/chat/completions'}`,
          {
            method: 'POST',
            signal: leave.signal,
            headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json' },
            body: JSON.stringify({ ...HELLO, stream: true }),
          },
        ).catch(() => undefined)
        const call = await coming
        leave.abort()
        await plain
        await call.gone
        const events: unknown[] = []
        for await (const event of (await stream()) as AsyncIterable<unknown>) events.push(event)
        expect(events.length).toBeGreaterThan(3)
      }
    })
  })

  it('passes answers without a body, with trailers, and that end with their connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = asking(agent)
    const say =
      (bytes: string, ends = false) =>
      (_call: unknown, response: { socket: import('node:net').Socket | null }): void => {
        response.socket?.write(bytes, 'latin1')
        if (ends) response.socket?.end()
      }
    const body = JSON.stringify(chatBody())
    for (const status of [204, 304]) {
      kit.vendors.next('openai', (_call, response) => void response.writeHead(status, { etag: '"a"' }).end())
      expect(await ask('POST', CHAT, { body })).toMatchObject({ status, text: '' })
    }
    kit.vendors.next('openai', say('HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n', true))
    expect(await ask('POST', CHAT, { body })).toMatchObject({ status: 304, text: '' })
    kit.vendors.next(
      'openai',
      say(
        'HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n',
        true,
      ),
    )
    expect(await ask('POST', CHAT, { body })).toMatchObject({ status: 200, text: '{}' })
    kit.vendors.next('openai', say('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end', true))
    expect(await ask('POST', CHAT, { body })).toMatchObject({ status: 200, text: 'to the end' })
    kit.vendors.next(
      'openai',
      say(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
        true,
      ),
    )
    expect(await ask('POST', CHAT, { body })).toMatchObject({ status: 200, text: '{}' })
    kit.vendors.next('openai', say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', true))
    expect(await ask('POST', CHAT, { body })).toMatchObject({ status: 200, text: '' })
    expect((await ask('POST', CHAT, { body })).status).toBe(200)
    agent.destroy()
  })

  it('answers a client of HTTP/1.0, a proxy’s form of the target, and an upload in chunks behind an Expect', async () => {
    const body = JSON.stringify(chatBody())
    const head = (line: string, ...more: string[]): string =>
      [
        line,
        'Host: x',
        `Authorization: Bearer ${kit.token}`,
        'Content-Type: application/json',
        ...more,
        '',
        '',
      ].join('\r\n')
    const old = await kit.raw(head(`POST ${CHAT} HTTP/1.0`, `Content-Length: ${body.length}`) + body)
    expect(old.split('\r\n')[0]).toBe('HTTP/1.1 200 OK')
    expect(old.toLowerCase()).not.toContain('transfer-encoding')
    const absolute = await kit.raw(
      head(`POST ${kit.url}${CHAT} HTTP/1.1`, `Content-Length: ${body.length}`, 'Connection: close') + body,
    )
    expect(absolute.split('\r\n')[0]).toBe('HTTP/1.1 404 Not Found')
    const { hostname, port } = new URL(kit.url)
    const socket = connect(Number(port), hostname)
    socket.write(head(`POST ${CHAT} HTTP/1.1`, 'Transfer-Encoding: chunked', 'Expect: 100-continue'))
    expect(await readUntil(socket, '\r\n\r\n')).toContain('100 Continue')
    for (const byte of body) socket.write(`1\r\n${byte}\r\n`)
    const answered = readUntil(socket, 'chat.completion')
    socket.write('0\r\n\r\n')
    expect(await answered).toContain('HTTP/1.1 200 OK')
    socket.destroy()
  })
})
