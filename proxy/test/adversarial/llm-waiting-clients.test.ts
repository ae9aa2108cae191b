/** A stream that waits for the owner, or is stopped in the middle, as the SDK of each client reads it. */
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { chatBody, createLlmKit } from '../support/llm-kit.ts'
import { WORDS } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import type { VendorName } from '../support/vendor-rules.ts'
import { CHAT, HURRIED, messages, useWaiting } from '../support/waiting-kit.ts'

const world = useWaiting()
const { decide, open } = world

/** Each says what it got of a stream, with the retries that its SDK makes by default. */
const clients: Readonly<
  Record<string, { vendor: VendorName; read(fetch: typeof globalThis.fetch): Promise<string> }>
> = {
  'openai, chat': {
    vendor: 'openai',
    async read(fetch) {
      const client = new OpenAI({ apiKey: world.token, fetch, baseURL: world.kit.base('openai', '/v1') })
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
      const client = new OpenAI({ apiKey: world.token, fetch, baseURL: world.kit.base('openai', '/v1') })
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
      const client = new Anthropic({ apiKey: world.token, fetch, baseURL: world.kit.base('anthropic') })
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
      const client = new Groq({ apiKey: world.token, fetch, baseURL: world.kit.base('groq') })
      let text = ''
      for await (const part of await client.chat.completions.create({ model: 'm', messages, stream: true }))
        text += part.choices[0]?.delta.content ?? ''
      return text
    },
  },
  '@google/genai': {
    vendor: 'google',
    async read() {
      const client = new GoogleGenAI({
        apiKey: world.token,
        httpOptions: { baseUrl: world.kit.base('google') },
      })
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
    world.kit.vendors.next(vendor, {
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

describe('a stream that is stopped in the middle', () => {
  /** Of this client, after its first events; `finish` lets the vendor go on. */
  async function underWay(client: string) {
    const { vendor } = clients[client] as (typeof clients)[string]
    const grant = await world.kit.grant(vendor, { agent: world.agent })
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
    world.kit.vendors.next(vendor, async (call, response) => {
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
      await world.kit.revokeGrant(grant)
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
    await world.kit.grant('openai', { agent: world.agent })
    world.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      await write(call, response, 'data: {"choices":[{"index":0,"del')
      response.socket?.destroy()
    })
    const stream = await open(CHAT, chatBody({ stream: true }))
    await expect(stream.until()).rejects.toThrow()
  })
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
