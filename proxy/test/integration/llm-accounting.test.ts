import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { chatAnswer, eventStream, TOLD, usageChunk, type VendorAnswer } from '../support/vendor-answers.ts'
import { begin, type VendorCall, write } from '../support/vendor-doubles.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const VERSION = { 'anthropic-version': '2023-06-01' }
const MESSAGES = [{ role: 'user', content: 'hello' }]

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.admin('PUT', '/v1/providers/bedrock/params/region', { value: 'us-east-1' })
  for (const name of [
    ...(['openai', 'anthropic', 'google', 'cohere', 'bedrock', 'mistral', 'openrouter'] as const),
  ])
    await kit.open(name)
  await kit.admin('POST', '/v1/providers', { name: 'my-ollama', url: 'https://ollama.com' })
  await kit.addKey('my-ollama', { value: kit.vendors.key('ollama') })
  await kit.grant('my-ollama')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

let serial = 0
const freshModel = (): string => `m${++serial}x-demo`

interface Family {
  readonly name: string
  readonly told: (typeof TOLD)[keyof typeof TOLD]
  readonly path: (model: string) => string
  readonly body: (model: string) => Record<string, unknown>
  readonly headers?: Record<string, string>
}
const both = (name: string, family: Omit<Family, 'name'>): Family[] => [
  { name, ...family },
  { name: `${name}, streamed`, ...family, body: (model) => ({ ...family.body(model), stream: true }) },
]
const FAMILIES: Family[] = [
  ...both('OpenAI chat', {
    told: TOLD.chat,
    path: () => CHAT,
    body: (model) => ({ model, messages: MESSAGES }),
  }),
  ...both('OpenAI Responses', {
    told: TOLD.responses,
    path: () => '/llm/openai/v1/responses',
    body: (model) => ({ model, input: 'hello' }),
  }),
  {
    name: 'OpenAI embeddings',
    told: TOLD.embeddings,
    path: () => '/llm/openai/v1/embeddings',
    body: (model) => ({ model, input: 'hello' }),
  },
  ...both('Anthropic', {
    told: TOLD.anthropic,
    path: () => '/llm/anthropic/v1/messages',
    body: (model) => ({ model, messages: MESSAGES, max_tokens: 10 }),
    headers: VERSION,
  }),
  {
    name: 'Gemini',
    told: TOLD.gemini,
    path: (model) => `/llm/google/v1beta/models/${model}:generateContent`,
    body: () => ({ contents: [] }),
  },
  {
    name: 'Gemini, streamed as events',
    told: TOLD.gemini,
    path: (model) => `/llm/google/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: () => ({ contents: [] }),
  },
  {
    name: 'Gemini, streamed as one array',
    told: TOLD.gemini,
    path: (model) => `/llm/google/v1beta/models/${model}:streamGenerateContent`,
    body: () => ({ contents: [] }),
  },
  ...both('Cohere', {
    told: TOLD.cohere,
    path: () => '/llm/cohere/v2/chat',
    body: (model) => ({ model, messages: MESSAGES }),
  }),
  {
    name: 'Bedrock',
    told: TOLD.bedrock,
    path: (model) => `/llm/bedrock/model/${model}/converse`,
    body: () => ({ messages: [] }),
  },
  {
    name: 'Bedrock, streamed',
    told: TOLD.bedrock,
    path: (model) => `/llm/bedrock/model/${model}/converse-stream`,
    body: () => ({ messages: [] }),
  },
  {
    name: 'Ollama, streamed',
    told: TOLD.ollama,
    path: () => '/llm/my-ollama/api/chat',
    body: (model) => ({ model, messages: MESSAGES }),
  },
  {
    name: 'Ollama',
    told: TOLD.ollama,
    path: () => '/llm/my-ollama/api/chat',
    body: (model) => ({ model, messages: MESSAGES, stream: false }),
  },
  ...both('Mistral', {
    told: TOLD.mistral,
    path: () => '/llm/mistral/v1/chat/completions',
    body: (model) => ({ model, messages: MESSAGES }),
  }),
]

describe('usage', () => {
  it.each(FAMILIES)(
    'hold exactly what the vendor told: $name',
    async ({ told, path, body, headers = {} }) => {
      const model = freshModel()
      for (let count = 1; count <= 2; count++) {
        const answer = await kit.ask(path(model), { body: body(model), headers })
        expect(answer.status, answer.text).toBe(200)
      }
      const row = await kit.usageOf(model, 2)
      expect(row).toMatchObject({
        failed: 0,
        untold: 0,
        input_tokens: 2 * told.input,
        output_tokens: 2 * told.output,
        cache_read_tokens: 2 * told.cacheRead,
        cache_write_tokens: 2 * told.cacheWrite,
      })
    },
  )

  it('count money by the price that the owner set, and by what the vendor told', async () => {
    const model = freshModel()
    await kit.admin('PUT', '/v1/prices', {
      provider: 'openai',
      model,
      input: 2_000_000,
      output: 10_000_000,
      cache_read: 1_000_000,
    })
    await kit.ask(CHAT, { body: chatBody({ model }) })
    // 15 fresh at 2, 4 cached at 1, 10 out at 10.
    expect(await kit.usageOf(model, 1)).toMatchObject({ micro_usd: 134, unpriced: 0 })
    const routed = freshModel()
    await kit.ask('/llm/openrouter/v1/chat/completions', { body: chatBody({ model: routed }) })
    expect(await kit.usageOf(routed, 1)).toMatchObject({ micro_usd: 123, unpriced: 0 })
    const free = freshModel()
    await kit.ask(CHAT, { body: chatBody({ model: free }) })
    expect(await kit.usageOf(free, 1)).toMatchObject({ micro_usd: 0, unpriced: 1 })
  })

  it('count failures, and answers that tell nothing', async () => {
    const model = freshModel()
    kit.vendors.next('openai', {
      status: 500,
      pieces: ['{}'],
      headers: { 'content-type': 'application/json' },
    })
    await kit.ask(CHAT, { body: chatBody({ model }) })
    expect(await kit.usageOf(model, 1)).toMatchObject({ failed: 1, untold: 0, input_tokens: 0 })
    kit.vendors.next('openai', { pieces: ['{"ok":true}'], headers: { 'content-type': 'application/json' } })
    await kit.ask(CHAT, { body: chatBody({ model }) })
    expect(await kit.usageOf(model, 2)).toMatchObject({ failed: 1, untold: 1 })
  })

  it('keep what a broken Anthropic stream had told', async () => {
    const model = freshModel()
    kit.vendors.next('anthropic', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      const usage = { input_tokens: 25, output_tokens: 1 }
      const message = { id: 'm', type: 'message', role: 'assistant', model, content: [], usage }
      await write(
        call,
        response,
        `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message })}\n\n`,
      )
      response.socket?.destroy()
    })
    const body = { model, max_tokens: 5, stream: true, messages: MESSAGES }
    await kit.ask('/llm/anthropic/v1/messages', { body, headers: VERSION }).catch(() => {})
    expect(await kit.usageOf(model, 1)).toMatchObject({ failed: 1, input_tokens: 25, output_tokens: 1 })
  })

  it('tell the same sums by agent, model and day, and after a restart', async () => {
    const other = await kit.addAgent('counter')
    await kit.grant('openai', { agent: 'counter' })
    const model = freshModel()
    for (let count = 0; count < 5; count++) await kit.ask(CHAT, { token: other, body: chatBody({ model }) })
    const row = await kit.usageOf(model, 5)
    const rows = async (by: string): Promise<Record<string, number>[]> =>
      (await kit.admin('GET', `/v1/usage?by=${by}`)).groups
    const agent = (await rows('agent')).find(({ key }) => String(key) === 'counter')
    expect(agent).toMatchObject({
      requests: 5,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
    })
    const sum = (all: Record<string, number>[]): number =>
      all.reduce((total, group) => total + (group.input_tokens ?? 0), 0)
    const totals = [sum(await rows('agent')), sum(await rows('model')), sum(await rows('day'))]
    expect(new Set(totals).size).toBe(1)
    await kit.daemon.restart()
    expect(sum(await rows('model'))).toBe(totals[0])
    expect(await kit.usageOf(model, 5)).toEqual(row)
  })

  it('are in /metrics, by provider', async () => {
    await kit.ask(CHAT, { body: chatBody({ model: freshModel() }) })
    const { text } = await kit.ask('/metrics')
    expect(text).toMatch(/^oauth3_llm_[a-z_]*requests[a-z_]*\{[^}]*provider="openai"[^}]*\} [1-9]/m)
    expect(text).toMatch(/^oauth3_llm_[a-z_]*tokens[a-z_]*\{[^}]*provider="openai"[^}]*\} [1-9]/m)
  })
})

describe('a stream whose usage only the proxy asked for', () => {
  const stream = async (
    model: string,
    more: Record<string, unknown> = {},
    play?: (call: VendorCall) => VendorAnswer,
  ): Promise<{ got: string; call: VendorCall }> => {
    if (play) kit.vendors.next('openai', play)
    const coming = kit.vendors.nextCall('openai')
    const { text } = await kit.ask(CHAT, { body: { model, messages: MESSAGES, stream: true, ...more } })
    return { got: text, call: await coming }
  }
  const sentWithout = (call: VendorCall, left: string): string =>
    Buffer.concat(call.sent.filter((piece) => piece.toString() !== left)).toString()

  it('is byte for byte what the vendor sent, but for the chunk with the usage', async () => {
    const model = freshModel()
    const { got, call } = await stream(model)
    expect(call.json.stream_options).toEqual({ include_usage: true })
    expect(call.sent.map(String)).toContain(usageChunk(call))
    expect(got).toBe(sentWithout(call, usageChunk(call)))
    expect((await kit.usageOf(model, 1)).input_tokens).toBe(TOLD.chat.input)
  })

  it('keeps the chunk when the client asked for it, and everything when it said no', async () => {
    const asked = await stream(freshModel(), { stream_options: { include_usage: true } })
    expect(asked.got).toBe(Buffer.concat(asked.call.sent).toString())
    expect(asked.got).toContain(usageChunk(asked.call))
    const declined = await stream(freshModel(), { stream_options: { include_usage: false } })
    expect(declined.got).not.toContain('"prompt_tokens"')
    const other = await stream(freshModel(), { stream_options: { include_obfuscation: false } })
    expect(other.call.json.stream_options).toEqual({ include_obfuscation: false, include_usage: true })
    expect(other.got).toBe(sentWithout(other.call, usageChunk(other.call)))
    const nothing = await stream(freshModel(), { stream_options: null })
    expect(nothing.got).not.toContain('"prompt_tokens"')
  })

  it.each([
    [
      'one byte a write',
      (pieces: string[]) => [...Buffer.from(pieces.join(''))].map((byte) => Buffer.from([byte])),
    ],
    ['all in one write', (pieces: string[]) => [Buffer.from(pieces.join(''))]],
    ['split in the middle of characters', (pieces: string[]) => cut(Buffer.from(pieces.join('')), 7)],
  ])('is the same however it is cut: %s', async (_name, recut) => {
    const model = freshModel()
    const { got, call } = await stream(model, {}, (call) =>
      eventStream(recut(chatAnswer(call).pieces.map(String))),
    )
    const whole = Buffer.concat(call.sent).toString()
    expect(got).toBe(whole.replace(usageChunk(call), ''))
    expect(got.length).toBeLessThan(whole.length)
    expect((await kit.usageOf(model, 1)).output_tokens).toBe(TOLD.chat.output)
  })

  it('is the same with line ends of CRLF, comments and events around', async () => {
    const model = freshModel()
    const around = (text: string): string => text.replaceAll('\n', '\r\n')
    const { got, call } = await stream(model, {}, (call) =>
      eventStream([
        ': keep-alive\r\n\r\n',
        ...chatAnswer(call).pieces.map((piece) => around(String(piece))),
        ': bye\r\n\r\n',
      ]),
    )
    const whole = Buffer.concat(call.sent).toString()
    expect(got).toBe(whole.replace(around(usageChunk(call)), ''))
    expect((await kit.usageOf(model, 1)).input_tokens).toBe(TOLD.chat.input)
  })

  it('keeps a last chunk that holds words beside the usage', async () => {
    const model = freshModel()
    const last = `data: ${JSON.stringify({
      model,
      choices: [{ index: 0, delta: { content: 'end' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    })}\n\n`
    const { got } = await stream(model, {}, () => eventStream([last, 'data: [DONE]\n\n']))
    expect(got).toBe(`${last}data: [DONE]\n\n`)
    expect(await kit.usageOf(model, 1)).toMatchObject({ input_tokens: 3, output_tokens: 4 })
  })

  it('keeps a first chunk without choices that holds no usage, as Azure sends it', async () => {
    const first = `data: ${JSON.stringify({ choices: [], prompt_filter_results: [{ prompt_index: 0 }], usage: null })}\n\n`
    const { got, call } = await stream(freshModel(), {}, (call) =>
      eventStream([first, ...chatAnswer(call).pieces]),
    )
    expect(got).toBe(sentWithout(call, usageChunk(call)))
    expect(got.startsWith(first)).toBe(true)
  })

  it('changes nothing else of the body that the client sent', async () => {
    const model = freshModel()
    const body = `\n{ "messages" : [{"role":"user","content":"\\u00fc \\ud83d\\ude00 ✓ \\"stream\\":false"}],\t"seed":12345678901234567890, "temperature":1.0, "stream" : true,"model":"${model}" }\n`
    const coming = kit.vendors.nextCall('openai')
    await kit.ask(CHAT, { body })
    const call = await coming
    const arrived = call.body.toString()
    const added = /,?\s*"stream_options"\s*:\s*\{\s*"include_usage"\s*:\s*true\s*\}\s*,?/
    expect(arrived).toMatch(added)
    expect(arrived.replace(added, '')).toBe(body)
  })

  it('never has what a vendor without that option would refuse', async () => {
    const coming = kit.vendors.nextCall('mistral')
    const body = { model: freshModel(), messages: MESSAGES, stream: true }
    const answer = await kit.ask('/llm/mistral/v1/chat/completions', { body })
    expect(answer.status).toBe(200)
    const call = await coming
    expect(call.json).toEqual(body)
    expect(answer.text).toBe(Buffer.concat(call.sent).toString())
  })
})

const cut = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
