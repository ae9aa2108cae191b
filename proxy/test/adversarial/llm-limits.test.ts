/** Ways to have more of a model than a limit on tokens or money allows. */
import { describe, expect, it } from 'vitest'
import { CHAT, messageOf, useLimitsKit } from '../support/limits-kit.ts'
import { chatBody } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'
import { begin, type VendorCall, write } from '../support/vendor-doubles.ts'
import { billed, said, talkative } from '../support/vendor-meter.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const PRICED = 'gpt-4o'

const limits = useLimitsKit()
const { ask, limited } = limits

describe('one request whose own maximum is more than what is left', () => {
  it.each([
    ['max_tokens', CHAT, { max_tokens: 20_000 }],
    ['max_completion_tokens', CHAT, { max_completion_tokens: 20_000 }],
    ['n times it', CHAT, { max_completion_tokens: 100, n: 200 }],
    ['the larger of two', CHAT, { max_completion_tokens: 20_000, max_tokens: 1 }],
    ['best_of times it', '/llm/openai/v1/completions', { prompt: 'x', max_tokens: 1_000, best_of: 20 }],
    [
      'it times the prompts',
      '/llm/openai/v1/completions',
      { prompt: Array.from({ length: 200 }, () => 'x'), max_tokens: 100 },
    ],
    [
      'it times the prompts in tokens',
      '/llm/openai/v1/completions',
      { prompt: Array.from({ length: 200 }, () => [1, 2]), max_tokens: 100 },
    ],
    ['max_output_tokens', '/llm/openai/v1/responses', { input: 'x', max_output_tokens: 20_000 }],
  ])('is refused, alone as well: %s', async (_name, path, more) => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    const body = path === CHAT ? chatBody(more) : { model: 'gpt-demo', ...more }
    const { code, status, answer, arrived } = await ask('openai', path, token, body)
    expect([status, code, arrived]).toEqual([429, 'limit_passed', []])
    expect(messageOf(answer)).toMatch(/10000 are left\. Send less, or declare a smaller max_/)
    expect(Number(answer.headers.get('x-oauth3-retry-after'))).toBeGreaterThan(0)
  })

  it('is refused for money too, by the price of its output', async () => {
    // gpt-4o: 10 $ a million of output.
    const token = await limited('openai', { micro_usd_per_day: 100_000 })
    const dear = await ask('openai', CHAT, token, chatBody({ model: PRICED, max_tokens: 10_001 }))
    expect([dear.status, dear.code, dear.arrived]).toEqual([429, 'limit_passed', []])
    const fits = await ask('openai', CHAT, token, chatBody({ model: PRICED, max_tokens: 9_000 }))
    expect(fits.status).toBe(200)
  })

  it('does not go out beside another that holds what is left', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    const hold = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call) => {
      await hold.promise
      return talkative()(call)
    })
    const coming = limits.kit.vendors.nextCall('openai')
    const first = limits.kit.ask(CHAT, { token, body: chatBody({ max_tokens: 6_000 }) })
    await coming
    const second = await ask('openai', CHAT, token, chatBody({ max_tokens: 6_000 }))
    expect([second.code, second.answer.headers.get('x-oauth3-retry-after'), second.arrived]).toEqual([
      'limit_passed',
      '2',
      [],
    ])
    hold.resolve()
    expect((await first).status).toBe(200)
  })

  it('is not made small by a member that the vendor does not read', async () => {
    for (const more of [
      { max_output_tokens: 1 },
      { options: { num_predict: 1 } },
      { max_tokens: -1 },
      { max_tokens: 0 },
    ]) {
      const token = await limited('openai', { tokens_per_day: 10_000 })
      limits.kit.vendors.next('openai', talkative())
      const { arrived } = await ask('openai', CHAT, token, chatBody(more))
      for (const call of arrived) expect(billed(call, 20).output).toBeLessThanOrEqual(10_000)
    }
    const token = await limited('deepseek', { tokens_per_day: 10_000 })
    limits.kit.vendors.next('deepseek', talkative())
    const body = chatBody({ model: 'deepseek-chat', max_completion_tokens: 500 })
    const { status, arrived } = await ask('deepseek', '/llm/deepseek/v1/chat/completions', token, body)
    expect([status, arrived.map((call) => billed(call, 20).output)]).toEqual([200, [500]])
  })
})

describe('a budget of thinking that is not within the maximum of an answer', () => {
  const thinking = { type: 'enabled', budget_tokens: 150_000 }
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'x' }] }]
  const headers = { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'interleaved-thinking-2025-05-14' }
  const converse = (additionalModelRequestFields: object) => ({
    ...{ messages: [{ role: 'user', content: [{ text: 'x' }] }], inferenceConfig: { maxTokens: 100 } },
    additionalModelRequestFields,
  })
  it.each<[VendorName, string, Record<string, unknown>]>([
    ['anthropic', '/llm/anthropic/v1/messages', { model: 'm', max_tokens: 2_000, messages, thinking }],
    ['anthropic', '/llm/anthropic/v1/messages', { model: 'm', messages, thinking }],
    ['bedrock', '/llm/bedrock/model/demo-model/converse', converse({ thinking })],
    ['bedrock', '/llm/bedrock/model/demo-model/converse', converse({ reasoning_config: thinking })],
    [
      'openrouter',
      '/llm/openrouter/api/v1/chat/completions',
      chatBody({ max_tokens: 10, reasoning: { max_tokens: 32_000 } }),
    ],
    [
      'cohere',
      '/llm/cohere/v2/chat',
      {
        model: 'command-a',
        messages: [],
        max_tokens: 10,
        thinking: { type: 'enabled', token_budget: 31_000 },
      },
    ],
  ])('%s: is reserved beside it: %s %j', async (vendor, path, body) => {
    const token = await limited(vendor, { tokens_per_day: 10_000 })
    const { status, code, arrived } = await ask(vendor, path, token, body, headers)
    expect([status, code, arrived]).toEqual([429, 'limit_passed', []])
  })

  it('is not taken in another type, and takes nothing where it is within', async () => {
    const token = await limited('anthropic', { tokens_per_day: 10_000 })
    const path = '/llm/anthropic/v1/messages'
    const text = {
      model: 'm',
      max_tokens: 2_000,
      messages,
      thinking: { ...thinking, budget_tokens: '150000' },
    }
    expect((await ask('anthropic', path, token, text, headers)).code).toBe('unmetered')
    const within = { ...text, max_tokens: 9_000, thinking: { ...thinking, budget_tokens: 8_999 } }
    expect((await ask('anthropic', path, token, within, headers)).status).toBe(200)
  })
})

describe('a request that does not say how long its answer may be', () => {
  const contents = [{ parts: [{ text: 'x' }] }]
  const messages = [{ role: 'user', content: [{ text: 'x' }] }]
  it.each<[VendorName, string, Record<string, unknown>]>([
    ['openai', CHAT, chatBody()],
    ['openai', CHAT, chatBody({ max_tokens: null, n: 3 })],
    ['openai', '/llm/openai/v1/responses', { model: 'gpt-demo', input: 'x' }],
    ['mistral', '/llm/mistral/v1/chat/completions', chatBody()],
    ['google', '/llm/google/v1beta/models/gemini-demo:generateContent', { contents }],
    ['google', '/llm/google/v1beta/models/gemini-demo:generateContent', { contents, generationConfig: {} }],
    [
      'google',
      '/llm/google/v1beta/models/gemini-demo:generateContent',
      { contents, generation_config: { temperature: 1, candidate_count: 1 } },
    ],
    [
      'ollama',
      '/llm/hosted/api/chat',
      { model: 'm', messages: [], stream: false, options: { num_predict: -1 } },
    ],
    ['ollama', '/llm/hosted/api/chat', { model: 'm', messages: [], stream: false, options: null }],
    ['ollama', '/llm/hosted/api/chat', { model: 'm', messages: [], stream: false }],
    ['bedrock', '/llm/bedrock/model/demo-model/converse', { messages }],
    ['cohere', '/llm/cohere/v2/chat', { model: 'command-a', messages: [] }],
  ])('%s: gets what is left, in the member that the vendor reads: %s %j', async (vendor, path, body) => {
    const token = await limited(vendor, { tokens_per_day: 30_000 })
    limits.kit.vendors.next(vendor, talkative())
    const { status, arrived } = await ask(vendor, path, token, body)
    expect([status, arrived.length]).toEqual([200, 1])
    const { output } = billed(arrived[0] as VendorCall, 20)
    expect(output).toBeGreaterThan(29_000)
    expect(output).toBeLessThanOrEqual(30_000)
    const next = await ask(vendor, path, token, body)
    expect([next.status, next.arrived]).toEqual([429, []])
  })

  it('passes as it is where its model’s longest answer fits', async () => {
    const token = await limited('openai', { tokens_per_day: 200_000 })
    const body = chatBody()
    expect((await ask('openai', CHAT, token, body)).arrived[0]?.json).toEqual(body)
  })

  it('is capped in a body that is read off the event loop as well', async () => {
    const token = await limited('openai', { tokens_per_day: 300_000 })
    limits.kit.vendors.next('openai', talkative())
    const messages = [{ role: 'user', content: 'word '.repeat(60_000) }]
    const { status, arrived } = await ask('openai', CHAT, token, chatBody({ messages, stream: true }))
    expect(status).toBe(200)
    const [call] = arrived as [VendorCall]
    expect(call.json.messages).toEqual(messages)
    expect(call.json.stream_options).toEqual({ include_usage: true })
    // Beside what its input may be; a word and its space are a token and more.
    expect(billed(call, 60_000).output).toBeLessThan(300_000 - 60_000)
  })

  it('is capped by money as well', async () => {
    const token = await limited('openai', { micro_usd_per_day: 20_000 })
    limits.kit.vendors.next('openai', talkative())
    const { arrived } = await ask('openai', CHAT, token, chatBody({ model: PRICED }))
    // 10 millionths of a dollar a token.
    expect(billed(arrived[0] as VendorCall, 20).output * 10).toBeLessThanOrEqual(20_000)
    expect(billed(arrived[0] as VendorCall, 20).output * 10).toBeGreaterThan(19_000)
  })
})

describe('input', () => {
  const asking = (content: unknown) => chatBody({ max_tokens: 10, messages: [{ role: 'user', content }] })
  it.each([
    // Tokens by the worst of four public tokenizers, counted apart.
    ['digits', '8361940275'.repeat(3_000), 10_000],
    ['rare letters', 'qxzjv kwqfh '.repeat(1_500), 9_000],
    ['Tibetan', 'ཀཁགངཅཆཇཉཏཐདན'.repeat(400), 15_000],
    ['emoji', '🜁🜂🜃🜄🝆🝇🝈🝉'.repeat(400), 12_000],
    ['marks', '!@#$%^&*()_+-=[]{}|;:,.<>?/~'.repeat(400), 7_000],
    ['lone letters', 'q w x z k j v '.repeat(1_000), 7_000],
  ])('that is dense in tokens counts as such: %s', async (_name, text, tokens) => {
    const token = await limited('openai', { tokens_per_day: tokens * 0.9 })
    const { code, arrived } = await ask('openai', CHAT, token, asking(text))
    expect([code, arrived]).toEqual(['limit_passed', []])
  })

  it('that is prose does not count as more than twice of what it is', async () => {
    // 15 tokens a sentence.
    const text = 'The owner of the machine is asked before anything is sent to a vendor. '.repeat(200)
    const token = await limited('openai', { tokens_per_day: 2 * 15 * 200 })
    expect((await ask('openai', CHAT, token, asking(text))).status).toBe(200)
  })

  const pdf = `data:application/pdf;base64,${Buffer.from('%PDF-1.7 tiny').toString('base64')}`
  const png = `data:image/png;base64,${Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')}`
  it.each([
    [
      'a stored answer',
      '/llm/openai/v1/responses',
      { input: 'x', previous_response_id: 'resp_1', max_output_tokens: 9 },
    ],
    [
      'a conversation',
      '/llm/openai/v1/responses',
      { input: 'x', conversation: 'conv_1', max_output_tokens: 9 },
    ],
    [
      'a stored item',
      '/llm/openai/v1/responses',
      { input: [{ type: 'item_reference', id: 'msg_1' }], max_output_tokens: 9 },
    ],
    ['a file', CHAT, asking([{ type: 'file', file: { file_id: 'file-1' } }])],
    ['a document in it', CHAT, asking([{ type: 'file', file: { file_data: pdf } }])],
    ['a document for an image', CHAT, asking([{ type: 'image_url', image_url: { url: pdf } }])],
    ['a sound', CHAT, asking([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } }])],
    ['an image', CHAT, asking([{ type: 'image_url', image_url: { url: png } }])],
    [
      'an image elsewhere',
      CHAT,
      asking([{ type: 'image_url', image_url: { url: 'https://x.example/i.png' } }]),
    ],
    ['a kind that nobody knows', CHAT, asking([{ type: 'hologram', hologram: 'x' }])],
  ])('whose tokens its bytes do not tell is not taken for small: %s', async (_name, path, body) => {
    const few = await limited('openai', { tokens_per_day: 40_000 })
    const refusedOne = await ask('openai', path, few, { model: 'gpt-demo', ...body })
    expect([refusedOne.code, refusedOne.arrived]).toEqual(['limit_passed', []])
    const many = await limited('openai', { tokens_per_day: 5_000_000 })
    limits.kit.vendors.next('openai', talkative())
    expect((await ask('openai', path, many, { model: 'gpt-demo', ...body })).code).toBeNull()
  })
})

describe('a stream that is left before its figures', () => {
  /** A client that takes the first piece and goes. */
  async function leave(token: string, body: unknown, path = CHAT): Promise<void> {
    const gone = new AbortController()
    const response = await fetch(limits.kit.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
      },
      body: JSON.stringify(body),
      signal: gone.signal,
    })
    expect((await response.body?.getReader().read())?.done).toBe(false)
    gone.abort()
  }
  const EVENTS = { headers: { 'content-type': 'text/event-stream' } }
  const usageOf = (output: number) =>
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 20, completion_tokens: output, total_tokens: output + 20 } })}\n\n`

  it('is read on until they come, hidden reasoning and all', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    const more = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await more.promise
      await write(call, response, usageOf(8_800))
      response.end()
    })
    const coming = limits.kit.vendors.nextCall('openai')
    await leave(token, chatBody({ model: 'left-1', stream: true, max_tokens: 9_000 }))
    // What it may use is held as long as it is under way.
    const beside = await ask('openai', CHAT, token, chatBody({ max_tokens: 2_000 }))
    expect(beside.code).toBe('limit_passed')
    const call = await coming
    expect(call.signal.aborted).toBe(false)
    more.resolve()
    expect(await limits.kit.book('left-1', 1)).toMatchObject({ output_tokens: 8_800, untold: 0 })
    const after = await ask('openai', CHAT, token, chatBody({ max_tokens: 1_300 }))
    expect(after.code).toBe('limit_passed')
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).status).toBe(200)
  })

  it('counts with all that was reserved when they do not come, over a restart too', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    const end = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await end.promise
      response.destroy()
    })
    await leave(token, chatBody({ model: 'left-2', stream: true, max_tokens: 9_000 }))
    end.resolve()
    await limits.kit.book('left-2', 1)
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
    await limits.kit.daemon.restart()
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 500 }))).status).toBe(200)
  })

  it('counts so when the daemon stops meanwhile', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await call.gone
    })
    await leave(token, chatBody({ stream: true, max_tokens: 9_000 }))
    await limits.kit.daemon.restart()
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
  })

  it.each<[string, VendorName, string, string]>([
    ['without any', 'openai', CHAT, said('one word')],
    [
      'with those of its input alone',
      'anthropic',
      '/llm/anthropic/v1/messages',
      `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 20, output_tokens: 1 } } })}\n\n`,
    ],
    [
      'with those of a piece in the middle',
      'google',
      '/llm/google/v1beta/models/gemini-demo:streamGenerateContent?alt=sse',
      `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'a' }] } }], usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 1 } })}\n\n`,
    ],
  ])('counts with all that was reserved when the vendor ends it %s', async (_how, vendor, path, piece) => {
    const token = await limited(vendor, { tokens_per_day: 10_000 })
    const body = (most: number) =>
      vendor === 'google'
        ? { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { maxOutputTokens: most } }
        : chatBody({ stream: true, max_tokens: most })
    limits.kit.vendors.next(vendor, { headers: { 'content-type': 'text/event-stream' }, pieces: [piece] })
    const headers = { 'anthropic-version': '2023-06-01' }
    expect((await ask(vendor, path, token, body(9_000), headers)).status).toBe(200)
    expect((await ask(vendor, path, token, body(1_000), headers)).code).toBe('limit_passed')
  })

  it('is ended at the vendor once its grant is taken back', async () => {
    const agent = 'left-and-revoked'
    const token = await limits.kit.addAgent(agent)
    const grant = await limits.kit.grant('openai', { agent, limits: { tokens_per_day: 10_000 } })
    const gone = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await gone.promise
      while (await write(call, response, said('more'))) {}
    })
    const coming = limits.kit.vendors.nextCall('openai')
    await leave(token, chatBody({ stream: true, max_tokens: 9_000 }))
    await limits.kit.revokeGrant(grant)
    gone.resolve()
    await (await coming).gone
  })

  it('counts a whole answer without figures with all that was reserved', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    limits.kit.vendors.next('openai', json({ choices: [] }))
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 9_000 }))).status).toBe(200)
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
  })
})

describe('what leads past the bytes of a body, or hides what was used', () => {
  const words = ' and what it says'.repeat(10_000)
  it.each<[string, VendorName, string, unknown]>([
    [
      'an item that is kept, by its id alone',
      'openai',
      '/llm/openai/v1/responses',
      { model: 'gpt-5', max_output_tokens: 16, input: [{ id: 'msg_1' }, { role: 'user', content: 'x' }] },
    ],
    [
      'text of a document that begins like an image',
      'cohere',
      '/llm/cohere/v2/chat',
      {
        ...{ model: 'command-a', max_tokens: 16, messages: [{ role: 'user', content: 'x' }] },
        documents: [{ id: 'd', data: { url: `iVBORw0KGgo${words}` } }],
      },
    ],
    [
      'the larger maximum in the name of another vendor',
      'deepseek',
      '/llm/deepseek/v1/chat/completions',
      chatBody({ max_tokens: 1, max_completion_tokens: 100_000 }),
    ],
  ])('is held at the most that it may be: %s', async (_name, vendor, path, body) => {
    const token = await limited(vendor, { tokens_per_day: 60_000 })
    const { code, arrived } = await ask(vendor, path, token, body)
    expect([code, arrived]).toEqual(['limit_passed', []])
  })

  it.each<[string, string, Record<string, string>]>([
    ['fields', '?fields=candidates,usageMetadata(promptTokenCount)', {}],
    ['$fields, encoded', '?alt=sse&%24fields=candidates', {}],
    ['x-goog-fieldmask', '', { 'x-goog-fieldmask': 'candidates,usageMetadata.promptTokenCount' }],
  ])('is refused where it leaves figures out: %s', async (_name, query, headers) => {
    const token = await limited('google', { tokens_per_day: 60_000 })
    const path = `/llm/google/v1beta/models/gemini-2.5-pro:generateContent${query}`
    const contents = [{ role: 'user', parts: [{ text: 'x' }] }]
    const { code, arrived } = await ask('google', path, token, { contents }, headers)
    expect([code, arrived]).toEqual(['unmetered', []])
  })

  it('takes sealed reasoning for no more than an image', async () => {
    const token = await limited('anthropic', { tokens_per_day: 60_000 })
    const content = [{ type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix' }]
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content },
      { role: 'user', content: 'y' },
    ]
    const body = { model: 'claude-sonnet-4-5', max_tokens: 32_000, messages }
    const headers = { 'anthropic-version': '2023-06-01' }
    expect((await ask('anthropic', '/llm/anthropic/v1/messages', token, body, headers)).status).toBe(200)
  })
})
