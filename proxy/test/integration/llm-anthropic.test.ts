import Anthropic, { APIError } from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json, WORDS } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import { vendorError } from '../support/vendor-rules.ts'

const HELLO = {
  model: 'claude-demo',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Say hello.' }],
}
const TOOLS = [
  {
    name: 'weather',
    input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
  },
]

let kit: LlmKit
let key: string
beforeAll(async () => {
  kit = await createLlmKit()
  key = await kit.open('anthropic')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const client = (more: ConstructorParameters<typeof Anthropic>[0] = {}): Anthropic =>
  new Anthropic({ apiKey: kit.token, baseURL: kit.base('anthropic'), maxRetries: 0, ...more })
const failure = async (work: Promise<unknown>): Promise<APIError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(APIError)
  return error as APIError
}

describe('the Anthropic SDK through the proxy', () => {
  it('sends a message; version, beta flags and the query pass, and the key is in x-api-key', async () => {
    const answer = await client({
      defaultHeaders: {
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'demo-2026-01-01,other-2026-02-02',
      },
      defaultQuery: { beta: 'true' },
    }).messages.create(HELLO)
    expect(answer.content).toEqual([{ type: 'text', text: WORDS.join('') }])
    const call = kit.vendors.callsTo('anthropic').at(-1)
    expect(call?.url).toBe('/v1/messages?beta=true')
    expect(call?.headers).toMatchObject({
      'x-api-key': key,
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'demo-2026-01-01,other-2026-02-02',
    })
    expect(call?.json).toEqual(HELLO)
  })

  it('takes the token as a Bearer, as Claude Code sends it, and the key still goes to x-api-key', async () => {
    const bearer = client({ apiKey: null, authToken: kit.token })
    await bearer.messages.create(HELLO)
    expect(kit.vendors.callsTo('anthropic').at(-1)?.headers).toMatchObject({ 'x-api-key': key })
    expect(kit.vendors.callsTo('anthropic').at(-1)?.headers.authorization).toBeUndefined()
  })

  it.each(['/llm/anthropic', '/llm/anthropic/v1', '/v1/anthropic', '/v1/anthropic/v1'])(
    'reaches the same place with the base URL <daemon>%s',
    async (path) => {
      await client({ baseURL: kit.url + path }).messages.create(HELLO)
      expect(kit.vendors.callsTo('anthropic').at(-1)?.url).toBe('/v1/messages')
    },
  )

  it('routes by the model where the base URL is the daemon alone', async () => {
    await client({ baseURL: kit.url }).messages.create({ ...HELLO, model: 'anthropic/claude-demo' })
    expect(kit.vendors.callsTo('anthropic').at(-1)).toMatchObject({ url: '/v1/messages', json: HELLO })
    await client({ baseURL: kit.url }).messages.create({ ...HELLO, model: 'claude-sonnet-4-5' })
    expect(kit.vendors.callsTo('anthropic').at(-1)?.json).toMatchObject({ model: 'claude-sonnet-4-5' })
  })

  it('streams a message with its tokens, and tools whose arguments come in pieces', async () => {
    const stream = client().messages.stream(HELLO)
    const texts: string[] = []
    stream.on('text', (text) => void texts.push(text))
    const message = await stream.finalMessage()
    expect(texts).toEqual(WORDS)
    expect(message.usage).toMatchObject({ input_tokens: 25, output_tokens: 15, cache_read_input_tokens: 7 })
    const called = await client()
      .messages.stream({ ...HELLO, tools: TOOLS })
      .finalMessage()
    expect(called.content).toMatchObject([{ type: 'tool_use', name: 'weather', input: { city: 'Zürich' } }])
  })

  it('counts tokens and lists models', async () => {
    const { max_tokens: _, ...count } = HELLO
    expect((await client().messages.countTokens(count)).input_tokens).toBe(25)
    expect((await client().models.list()).data.map(({ id }) => id)).toEqual(['claude-demo'])
  })

  it.each([400, 404, 500, 529])('passes an error %i of Anthropic untouched', async (status) => {
    const body = vendorError('anthropic', status, `vendor says ${status}`)
    kit.vendors.next('anthropic', json(body, status, { 'request-id': 'req_of_vendor', 'retry-after': '3' }))
    const error = await failure(client().messages.create(HELLO))
    expect(error).toMatchObject({ status, error: body, requestID: 'req_of_vendor' })
    expect(error.message).toContain(`vendor says ${status}`)
    expect(error.headers?.get('x-oauth3-error')).toBeNull()
  })

  it('shows an error of its own in the shape of Anthropic', async () => {
    const error = await failure(client({ apiKey: `oa3_${'x'.repeat(43)}` }).messages.create(HELLO))
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(error.error).toMatchObject({ type: 'error', error: { type: 'authentication_error' } })
    expect(error.headers?.get('x-oauth3-error')).toBe('unauthenticated')
  })

  it('retries by itself when a 429 says so, and takes another key', async () => {
    const second = await kit.addKey('anthropic')
    kit.vendors.next(
      'anthropic',
      json(vendorError('anthropic', 429, 'slow down'), 429, {
        'retry-after': '30',
        // For the SDK, so that it does not sit the key's cooldown out.
        'retry-after-ms': '5',
      }),
    )
    const before = kit.vendors.callsTo('anthropic').length
    await client({ maxRetries: 1 }).messages.create(HELLO)
    const [first, next] = kit.vendors.callsTo('anthropic').slice(before)
    expect(first?.status).toBe(429)
    expect(next?.status).toBe(200)
    expect(new Set([first?.key, next?.key])).toEqual(new Set([key, second.value]))
  })

  it('ends the request at Anthropic at once when the client aborts', async () => {
    kit.vendors.next('anthropic', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      while (await write(call, response, 'event: ping\ndata: {"type":"ping"}\n\n'));
    })
    const coming = kit.vendors.nextCall('anthropic')
    const stream = await client().messages.create({ ...HELLO, stream: true })
    const reading = (async () => {
      for await (const _event of stream);
    })().catch(() => {})
    const call = await coming
    stream.controller.abort()
    await call.gone
    await reading
  })
})
