/** What a request waits through that needs the owner, as its client's own SDK reads it. */
import { connect } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { WORDS } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const messages = [{ role: 'user' as const, content: 'Say hello.' }]
/** A stream that waits begins at once, and says so often. */
const HURRIED = { beginMs: 1, everyMs: 5 }
const COMMENT = ': waiting for your approval\n\n'

let kit: LlmKit
let token: string
let agent: string
let serial = 0
beforeAll(async () => {
  kit = await createLlmKit({ holdTimes: HURRIED })
  for (const vendor of ['openai', 'anthropic', 'google', 'groq'] as const) await kit.addKey(vendor)
})
beforeEach(async () => {
  agent = `patient-${++serial}x`
  token = await kit.addAgent(agent)
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => {
  kit.vendors.clearPlays()
  expect(kit.vendors.faults.splice(0)).toEqual([])
})

interface Ask {
  readonly id: string
  readonly agent: string
  readonly consent_hash: string
}
/** What waits of the agent, once there is something. */
async function asked(of = agent): Promise<Ask> {
  for (;;) {
    const { asks } = (await kit.admin('GET', '/v1/asks')) as { asks: readonly Ask[] }
    const mine = asks.find((ask) => ask.agent === of)
    if (mine !== undefined) return mine
    await new Promise((resolve) => setImmediate(resolve))
  }
}
async function decide(decision: string, of = agent): Promise<void> {
  const { id, consent_hash } = await asked(of)
  await kit.admin('POST', `/v1/asks/${id}/decision`, { decision, consent_hash })
}

/** Each says what it got of a stream, with the retries that its SDK makes by default. */
const clients: Readonly<
  Record<string, { vendor: VendorName; read(fetch: typeof globalThis.fetch): Promise<string> }>
> = {
  'openai, chat': {
    vendor: 'openai',
    async read(fetch) {
      const client = new OpenAI({ apiKey: token, fetch, baseURL: kit.base('openai', '/v1') })
      let text = ''
      for await (const part of await client.chat.completions.create({
        model: 'gpt-demo',
        messages,
        stream: true,
      }))
        text += part.choices[0]?.delta.content ?? ''
      return text
    },
  },
  'openai, responses': {
    vendor: 'openai',
    async read(fetch) {
      const client = new OpenAI({ apiKey: token, fetch, baseURL: kit.base('openai', '/v1') })
      let text = ''
      for await (const event of await client.responses.create({
        model: 'gpt-demo',
        input: 'hi',
        stream: true,
      }))
        if (event.type === 'response.output_text.delta') text += event.delta
      return text
    },
  },
  anthropic: {
    vendor: 'anthropic',
    async read(fetch) {
      const client = new Anthropic({ apiKey: token, fetch, baseURL: kit.base('anthropic') })
      let text = ''
      const wanted = { model: 'claude-demo', max_tokens: 50, messages, stream: true as const }
      for await (const event of await client.messages.create(wanted))
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
          text += event.delta.text
      return text
    },
  },
  'groq-sdk': {
    vendor: 'groq',
    async read(fetch) {
      const client = new Groq({ apiKey: token, fetch, baseURL: kit.base('groq') })
      let text = ''
      for await (const part of await client.chat.completions.create({ model: 'm', messages, stream: true }))
        text += part.choices[0]?.delta.content ?? ''
      return text
    },
  },
  '@google/genai': {
    vendor: 'google',
    async read() {
      const client = new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: kit.base('google') } })
      let text = ''
      for await (const part of await client.models.generateContentStream({
        model: 'gemini-demo',
        contents: 'hi',
      }))
        text += part.text ?? ''
      return text
    },
  },
}

interface Read {
  readonly text: string | null
  readonly error: (Error & { status?: number }) | null
  readonly requests: number
}
function reading(client: string, onAnswer: () => void = () => {}): Promise<Read> {
  let requests = 0
  const { fetch } = globalThis
  const counting: typeof fetch = async (input, init) => {
    requests += 1
    const answer = await fetch(input, init)
    onAnswer()
    return answer
  }
  // Google's takes no fetch of its own.
  if (client === '@google/genai') globalThis.fetch = counting
  return (clients[client] as (typeof clients)[string])
    .read(counting)
    .then(
      (text) => ({ text, error: null, requests }),
      (error: Error) => ({ text: null, error, requests }),
    )
    .finally(() => {
      globalThis.fetch = fetch
    })
}

/** A stream as it comes to the agent, byte for byte. */
async function open(path: string, body: unknown) {
  const leaving = new AbortController()
  const response = await fetch(kit.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: leaving.signal,
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    response,
    leave: () => leaving.abort(),
    /** All that came, once this is in it; all of it without. */
    async until(wanted?: string): Promise<string> {
      while (wanted === undefined || !text.includes(wanted)) {
        const part = await reader?.read()
        if (part === undefined || part.done) return text
        text += part.value
      }
      return text
    },
  }
}

describe.each(Object.keys(clients))('a stream of %s that waits for the owner', (client) => {
  it('goes on in the same answer, whole, once the owner says yes', async () => {
    const answered = Promise.withResolvers<void>()
    const read = reading(client, answered.resolve)
    // The answer has begun before anybody decided.
    await answered.promise
    await decide('1h')
    expect(await read).toMatchObject({ text: WORDS.join(''), error: null })
  })

  it('ends in an error of its SDK, after one request, once the owner says no', async () => {
    const answered = Promise.withResolvers<void>()
    const read = reading(client, answered.resolve)
    await answered.promise
    await decide('deny')
    const { text, error, requests } = await read
    expect(text).toBeNull()
    expect(error?.message).toContain('oauth3: The owner said no')
    expect(requests).toBe(1)
  })

  it('shows what the vendor refuses after that', async () => {
    const { vendor } = clients[client] as (typeof clients)[string]
    const answered = Promise.withResolvers<void>()
    kit.vendors.next(vendor, {
      status: 400,
      headers: { 'content-type': 'application/json' },
      pieces: [
        JSON.stringify({ error: { message: 'no such tool here', type: 'invalid_request_error', code: 400 } }),
      ],
    })
    const read = reading(client, answered.resolve)
    await answered.promise
    await decide('1h')
    expect((await read).error?.message).toContain('no such tool here')
  })
})

describe('a request that is held', () => {
  const streamed = chatBody({ stream: true })

  it('is a stream of comments, each an event of its own, and nothing else until the owner decides', async () => {
    const before = kit.vendors.calls.length
    const stream = await open(CHAT, streamed)
    expect([stream.response.status, stream.response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    const held = await stream.until(COMMENT.repeat(3))
    expect(held.replaceAll(COMMENT, '')).toBe('')
    expect(kit.vendors.calls.length).toBe(before)
    await decide('1h')
    const whole = await stream.until()
    expect(whole).toMatch(/^(?:: waiting for your approval\n\n)+data: \{/)
    expect(whole).toMatch(/data: \[DONE\]\n\n$/)
    expect(kit.vendors.calls.length).toBe(before + 1)
  })

  it('whose card expires says first what it waited for', async () => {
    const stream = await open(CHAT, streamed)
    await asked()
    kit.advance(3_600_001)
    const last = (await stream.until()).replaceAll(COMMENT, '')
    expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
      error: { message: expect.stringMatching(/^waiting for your approval/), code: 'approval_pending' },
    })
    const plain = await kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    expect(plain.json.error.message).toMatch(/^waiting for your approval/)
  })

  it.each([
    ['is no stream', { 'content-type': 'application/json' }, JSON.stringify({ choices: [] })],
    ['is compressed', { 'content-type': 'text/event-stream', 'content-encoding': 'zz' }, 'data: {}\n\n'],
    ['cannot be read', { 'content-type': 'text/html' }, '<html>'],
  ])('ends in an error, and in nothing of the answer, where that %s', async (_what, headers, body) => {
    kit.vendors.next('openai', { headers, pieces: [body] })
    const stream = await open(CHAT, streamed)
    await decide('1h')
    const last = (await stream.until()).replaceAll(COMMENT, '')
    expect(last).toMatch(/^data: \{"error":\{"message":"oauth3: [^\n]+\}\}\n\n$/)
    expect(last).not.toContain(body)
  })

  it('ends with its client, before and after its stream has begun', async () => {
    const before = kit.vendors.calls.length
    const stream = await open(CHAT, streamed)
    await stream.until(COMMENT)
    stream.leave()
    for (let turn = 0; turn < 50; turn++) await kit.ask('/health')
    await decide('1h')
    await kit.ask(CHAT, { token, body: chatBody() })
    expect(kit.vendors.calls.length).toBe(before + 1)
  })

  it('is not begun as a stream where its client did not ask for one', async () => {
    const read = kit.ask(CHAT, { token, body: chatBody() })
    await asked()
    for (let turn = 0; turn < 20; turn++) await kit.ask('/health')
    await decide('deny')
    const { status, headers } = await read
    expect([status, headers.get('x-oauth3-error')]).toEqual([403, 'approval_denied'])
  })

  it.each([
    ['ollama', '/llm/ollama/api/chat', { model: 'm', messages, stream: true }],
    ['google, as a list', '/llm/google/v1beta/models/gemini-demo:streamGenerateContent', { contents: [] }],
  ])('is not begun as events where the vendor streams in another form: %s', async (_name, path, body) => {
    const read = kit.ask(path, { token, body })
    await asked()
    for (let turn = 0; turn < 20; turn++) await kit.ask('/health')
    await decide('deny')
    expect((await read).status).toBe(403)
  })

  it('is answered at once where its agent has too many held, and another agent is held all the same', async () => {
    const streams = await Promise.all(Array.from({ length: 64 }, () => open(CHAT, streamed)))
    const more = await kit.ask(CHAT, { token, body: streamed })
    expect([more.status, more.headers.get('x-oauth3-error')]).toEqual([403, 'approval_pending'])
    const other = await kit.addAgent(`${agent}-other`)
    const held = kit.ask(CHAT, { token: other, body: streamed })
    await decide('1h', `${agent}-other`)
    expect((await held).text).toContain('[DONE]')
    await decide('deny')
    for (const stream of streams) expect(await stream.until()).toContain('approval_denied')
    // Every place is free again.
    kit.advance(11 * 60_000)
    const again = await open(CHAT, streamed)
    await decide('1h')
    expect(await again.until()).toContain('[DONE]')
  })

  it('with a large body is answered at once where its agent holds as much already', async () => {
    await kit.grant('openai', { agent, modelsAllowed: ['gpt-other'] })
    const large = chatBody({ stream: true, metadata: { padding: 'x'.repeat(5 * 1_048_576) } })
    const streams = []
    for (let count = 0; count < 3; count++) streams.push(await open(CHAT, large))
    for (const { response } of streams) expect(response.status).toBe(200)
    const more = await open(CHAT, large)
    expect([more.response.status, more.response.headers.get('x-oauth3-error')]).toEqual([
      403,
      'approval_pending',
    ])
    for (const stream of streams) stream.leave()
    await decide('deny')
  })
})

describe('a stream that is stopped in the middle', () => {
  /** Of this client, after its first events; `finish` lets the vendor go on. */
  async function underWay(client: string) {
    const { vendor } = clients[client] as (typeof clients)[string]
    const grant = await kit.grant(vendor, { agent })
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const FIRST: Readonly<Record<string, string>> = {
      anthropic:
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"claude-demo","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
      google: 'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"one"}]}}]}\r\n\r\n',
      'openai, responses': 'event: response.created\ndata: {"type":"response.created","response":{}}\n\n',
    }
    const first =
      FIRST[client] ?? FIRST[vendor] ?? 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n'
    kit.vendors.next(vendor, async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      await write(call, response, first)
      begun.resolve()
      await Promise.race([go.promise, call.gone])
      await write(call, response, first)
      response.destroy()
    })
    const read = reading(client)
    await begun.promise
    return { read, grant, finish: () => go.resolve() }
  }

  it.each(Object.keys(clients))(
    'because its grant was revoked ends in an error of the SDK: %s',
    async (client) => {
      const { read, grant, finish } = await underWay(client)
      await kit.revokeGrant(grant)
      finish()
      const { text, error } = await read
      expect(text).toBeNull()
      expect(error?.message).toContain('oauth3: The owner took back')
    },
  )

  it.each(Object.keys(clients))(
    'because the vendor broke off ends in an error of the SDK: %s',
    async (client) => {
      const { read, finish } = await underWay(client)
      finish()
      const { text, error } = await read
      expect(text).toBeNull()
      expect(error?.message).toContain('broke off in the middle of its answer')
    },
  )

  it('in the middle of an event is broken off, and never looks whole', async () => {
    await kit.grant('openai', { agent })
    kit.vendors.next('openai', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      await write(call, response, 'data: {"choices":[{"index":0,"del')
      response.socket?.destroy()
    })
    const stream = await open(CHAT, chatBody({ stream: true }))
    await expect(stream.until()).rejects.toThrow()
  })
})

it('a held stream whose client is gone without a word keeps no place', async () => {
  const { hostname, port } = new URL(kit.url)
  const body = JSON.stringify(chatBody({ stream: true }))
  const sockets = Array.from({ length: 64 }, () => {
    const socket = connect(Number(port), hostname).on('error', () => {})
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    return new Promise<typeof socket>((resolve) => socket.once('data', () => resolve(socket)))
  })
  for (const socket of await Promise.all(sockets)) socket.resetAndDestroy()
  // One more is held as soon as the daemon has heard of it.
  for (;;) {
    const stream = await open(CHAT, chatBody({ stream: true }))
    if (stream.response.status === 200) {
      await decide('deny')
      expect(await stream.until()).toContain('approval_denied')
      return
    }
  }
})

it('what waits and what is under way when the daemon stops ends in an error that says so', async () => {
  await using own = await createLlmKit({ holdTimes: HURRIED, drainMs: 50 })
  await own.open('openai')
  const agentToken = await own.addAgent('waiting')
  const openAt = (by: string) =>
    fetch(own.url + CHAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json' },
      body: JSON.stringify(chatBody({ stream: true })),
    })
  own.vendors.next('openai', async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
    await call.gone
  })
  const [held, underWay] = await Promise.all([openAt(agentToken), openAt(own.token)])
  const [stopped, ...texts] = await Promise.all([own.daemon.daemon.stop(), held.text(), underWay.text()])
  expect(stopped).toBeUndefined()
  for (const text of texts) expect(text).toMatch(/data: \{"error":\{[^\n]*"code":"shutting_down"\}\}\n\n$/)
})
