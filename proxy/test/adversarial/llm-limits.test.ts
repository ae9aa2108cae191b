/** Ways to have more of a model than a limit on tokens or money allows. */
import { describe, expect, it } from 'vitest'
import { CHAT, messageOf, useLimitsKit } from '../support/limits-kit.ts'
import { chatBody } from '../support/llm-kit.ts'
import type { VendorCall } from '../support/vendor-doubles.ts'
import { billed, talkative } from '../support/vendor-meter.ts'
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
