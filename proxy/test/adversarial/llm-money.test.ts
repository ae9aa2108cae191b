/** What answers cost: everything that vendors price apart, figures in events of any size, and nothing booked for what is no new work. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { eventStream, json, type VendorAnswer } from '../support/vendor-answers.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const MEGABYTES = 10

let kit: LlmKit
let serial = 0
let model: string
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.admin('PUT', '/v1/providers/bedrock/params/region', { value: 'us-east-1' })
  for (const vendor of [
    'openai',
    'anthropic',
    'google',
    'cohere',
    'xai',
    'openrouter',
    'mistral',
    'bedrock',
  ] as const) {
    await kit.open(vendor, { groups: ['inference', 'models', 'files', 'stored', 'batches'] })
  }
})
afterAll(() => kit?.[Symbol.asyncDispose]())
beforeEach(() => {
  serial += 1
  model = `demo-${serial}`
})
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const PATHS = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
  gemini: () => `/v1beta/models/${model}:generateContent`,
} as const

/** The usage of one answer with this model, which costs what the owner says: $3 a million in, $15 out. */
async function booked(vendor: VendorName, path: string, answer: VendorAnswer, body: object = {}) {
  await kit.admin('PUT', '/v1/prices', {
    ...{
      provider: vendor,
      model,
      input: 3_000_000,
      output: 15_000_000,
      cache_read: 300_000,
      cache_write: 3_750_000,
    },
  })
  kit.vendors.next(vendor, answer)
  const got = await kit.ask(`/llm/${vendor}${path}`, {
    headers: { 'anthropic-version': '2023-06-01' },
    body: { model, messages: [], max_tokens: 5, ...body },
  })
  expect(got.status).toBe(200)
  return await kit.usageOf(`${vendor}/${model}`, 1)
}
const message = (usage: object) => json({ type: 'message', model, content: [], usage })

describe('what Anthropic prices apart', () => {
  it.each<[string, object, number]>([
    [
      'caches of an hour',
      {
        input_tokens: 0,
        output_tokens: 0,
        cache_creation_input_tokens: 1_000_000,
        cache_creation: { ephemeral_1h_input_tokens: 1_000_000 },
      },
      6_000_000,
    ],
    [
      'caches of five minutes and of an hour, without their sum',
      {
        input_tokens: 0,
        output_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 100_000, ephemeral_1h_input_tokens: 100_000 },
      },
      375_000 + 600_000,
    ],
    [
      'searches',
      { input_tokens: 1_000, output_tokens: 0, server_tool_use: { web_search_requests: 10 } },
      103_000,
    ],
    [
      'fetches, which are free',
      { input_tokens: 1_000, output_tokens: 0, server_tool_use: { web_fetch_requests: 9 } },
      3_000,
    ],
    ['batches', { input_tokens: 1_000, output_tokens: 0, service_tier: 'batch' }, 1_500],
  ])('is in the money: %s', async (_, usage, microUsd) => {
    expect(await booked('anthropic', PATHS.messages, message(usage))).toMatchObject({
      micro_usd: microUsd,
      unpriced: 0,
    })
  })

  it.each<[string, object, number]>([
    ['a tier by contract', { input_tokens: 1_000, output_tokens: 0, service_tier: 'priority' }, 0],
    [
      'code that it ran',
      { input_tokens: 1_000, output_tokens: 0, server_tool_use: { code_execution_requests: 1 } },
      3_000,
    ],
    [
      'a tool of tomorrow',
      { input_tokens: 1_000, output_tokens: 0, server_tool_use: { time_travel_requests: 1 } },
      3_000,
    ],
  ])('is counted as unpriced where nobody knows its price: %s', async (_, usage, microUsd) => {
    expect(await booked('anthropic', PATHS.messages, message(usage))).toMatchObject({
      micro_usd: microUsd,
      unpriced: 1,
    })
  })
})

describe('what OpenAI prices apart', () => {
  const response = (more: object) =>
    json({ object: 'response', model, output: [], usage: { input_tokens: 1_000, output_tokens: 0 }, ...more })

  it.each<[string, object, number, number]>([
    [
      'searches',
      { output: [{ type: 'web_search_call' }, { type: 'message' }, { type: 'web_search_call' }] },
      23_000,
      0,
    ],
    ['file searches', { output: [{ type: 'file_search_call' }] }, 5_500, 0],
    ['containers', { output: [{ type: 'code_interpreter_call' }] }, 3_000, 1],
    ['flex', { service_tier: 'flex' }, 1_500, 0],
    ['the usual tier', { service_tier: 'default' }, 3_000, 0],
    ['priority of a model that has no price of it', { service_tier: 'priority' }, 0, 1],
  ])('is in the money or counted as unpriced: %s', async (_, more, microUsd, unpriced) => {
    const row = await booked('openai', PATHS.responses, response(more), { input: 'x' })
    expect(row).toMatchObject({ micro_usd: microUsd, unpriced })
  })

  it("sound has no price of the owner's for text", async () => {
    const usage = { prompt_tokens: 1_000, completion_tokens: 0, prompt_tokens_details: { audio_tokens: 400 } }
    const row = await booked('openai', PATHS.chat, json({ model, choices: [], usage }))
    expect(row).toMatchObject({ micro_usd: 0, unpriced: 1, input_tokens: 1_000 })
  })
})

it('searches of Google are in the money', async () => {
  model = `gemini-3-demo-${serial}`
  const row = await booked(
    'google',
    PATHS.gemini(),
    json({
      candidates: [
        { content: {}, finishReason: 'STOP', groundingMetadata: { webSearchQueries: ['a', 'b'] } },
      ],
      usageMetadata: { promptTokenCount: 1_000, candidatesTokenCount: 0 },
      modelVersion: model,
    }),
    { contents: [] },
  )
  expect(row).toMatchObject({ micro_usd: 3_000 + 28_000, unpriced: 0 })
})

it('what has no known price is never taken as zero under a limit of money', async () => {
  const agent = `limited-${serial}`
  const token = await kit.addAgent(agent)
  await kit.grant('anthropic', { agent, limits: { micro_usd_per_day: 20_000 } })
  await kit.admin('PUT', '/v1/prices', {
    ...{
      provider: 'anthropic',
      model,
      input: 3_000_000,
      output: 15_000_000,
      cache_read: null,
      cache_write: null,
    },
  })
  const ask = () =>
    kit.ask('/llm/anthropic/v1/messages', {
      token,
      headers: { 'anthropic-version': '2023-06-01' },
      body: { model, messages: [{ role: 'user', content: 'hello' }], max_tokens: 1_000 },
    })
  kit.vendors.next('anthropic', message({ input_tokens: 1, output_tokens: 1, service_tier: 'priority' }))
  expect((await ask()).status).toBe(200)
  expect((await ask()).headers.get('x-oauth3-error')).toBe('limit_passed')
})

describe('figures in an answer with an image of ten megabytes', () => {
  const image = 'iVBORw0KGgo/'.repeat((MEGABYTES * 1_048_576) / 12)
  const cut = (text: string): string[] => text.match(/[\s\S]{1,60000}/g) ?? []
  const usageMetadata = { promptTokenCount: 1_000, candidatesTokenCount: 200, totalTokenCount: 1_200 }
  const gemini = (more: object) => ({
    candidates: [
      { content: { parts: [{ inlineData: { mimeType: 'image/png', data: image } }] }, finishReason: 'STOP' },
    ],
    ...more,
    modelVersion: model,
  })

  it.each<[string, 'google' | 'openai', () => [string, VendorAnswer]]>([
    [
      'an event, behind it',
      'google',
      () => [PATHS.gemini(), eventStream(cut(`data: ${JSON.stringify(gemini({ usageMetadata }))}\n\n`))],
    ],
    [
      'an event, before it',
      'google',
      () => [
        PATHS.gemini(),
        eventStream(cut(`data: ${JSON.stringify({ usageMetadata, ...gemini({}) })}\r\n\r\n`)),
      ],
    ],
    [
      'a body, before it',
      'google',
      () => [PATHS.gemini(), { ...json({}), pieces: cut(JSON.stringify({ usageMetadata, ...gemini({}) })) }],
    ],
    [
      'a list',
      'google',
      () => [
        PATHS.gemini(),
        {
          ...json({}),
          pieces: cut(
            JSON.stringify([
              gemini({}),
              { usageMetadata, modelVersion: model, candidates: [{ finishReason: 'STOP' }] },
            ]),
          ),
        },
      ],
    ],
    [
      'the last event of a response',
      'openai',
      () => [
        PATHS.responses,
        eventStream(
          cut(
            `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response: { model, output: [{ type: 'image_generation_call', result: image }], usage: { input_tokens: 1_000, output_tokens: 200 } } })}\n\n`,
          ),
        ),
      ],
    ],
  ])('are read exactly: %s', async (_, vendor, play) => {
    const [path, answer] = play()
    const row = await booked(vendor, path, answer, vendor === 'google' ? { contents: [] } : { input: 'x' })
    expect(row).toMatchObject({ input_tokens: 1_000, output_tokens: 200, untold: 0, micro_usd: 6_000 })
  })
})

describe('what is no new work', () => {
  const stored = () =>
    json({
      id: 'resp_1',
      object: 'response',
      model,
      usage: { input_tokens: 1_000, output_tokens: 200 },
      output: [],
    })

  it('is booked once, however often it is read', async () => {
    await booked('openai', PATHS.responses, stored(), { input: 'x' })
    for (const path of [
      '/v1/responses/resp_1',
      '/v1/responses/resp_1',
      '/v1/responses/resp_1',
      '/v1/chat/completions/c_1',
      '/v1/batches/b_1',
      '/v1/files/f_1',
    ]) {
      kit.vendors.next('openai', stored())
      expect((await kit.ask(`/llm/openai${path}`)).status).toBe(200)
    }
    const { groups } = await kit.admin('GET', '/v1/usage?by=model')
    const ours = groups.filter(({ key }: { key: string }) => key === `openai/${model}`)
    expect(ours[0]).toMatchObject({ input_tokens: 1_000, output_tokens: 200, untold: 0 })
  })

  it('takes no tokens of a limit, and is not refused for one', async () => {
    const agent = `free-${serial}`
    const token = await kit.addAgent(agent, [agent])
    for (const vendor of ['openai', 'anthropic', 'google'] as const) {
      await kit.addKey(vendor, { tags: [agent] })
      await kit.grant(vendor, {
        agent,
        limits: { tokens_per_day: 10, micro_usd_per_day: 10 },
        groups: ['inference', 'models', 'files', 'stored', 'batches'],
      })
    }
    const counted = json({
      input_tokens: 1_000_000,
      totalTokens: 1_000_000,
      usage: { input_tokens: 1_000_000, output_tokens: 5 },
    })
    const text = 'x'.repeat(5_000)
    for (const [vendor, path, body] of [
      ['anthropic', '/v1/messages/count_tokens', { model, messages: [{ role: 'user', content: text }] }],
      ['openai', '/v1/responses/input_tokens', { model, input: text }],
      ['google', '/v1beta/models/gemini-demo:countTokens', { contents: [{ parts: [{ text }] }] }],
      ['openai', '/v1/files', { purpose: 'x', text }],
      ['openai', '/v1/models', undefined],
      ['openai', '/v1/files/f_1/content', undefined],
      ['openai', '/v1/responses/resp_1', undefined],
      ['openai', '/v1/chat/completions/c_1', undefined],
      ['openai', '/v1/batches/b_1', undefined],
      ['openai', '/v1/batches/b_1/cancel', {}],
      ['openai', '/v1/responses/resp_1/cancel', {}],
    ] as const) {
      for (let at = 0; at < 2; at += 1) {
        kit.vendors.next(vendor, counted)
        const answer = await kit.ask(`/llm/${vendor}${path}`, {
          ...{ token, headers: { 'anthropic-version': '2023-06-01' } },
          ...(body === undefined ? {} : { body }),
        })
        expect([path, answer.status, answer.headers.get('x-oauth3-error')]).toEqual([path, 200, null])
      }
    }
  })

  it('leaves work that only looks like it where it is: a session, what nobody knows', async () => {
    const agent = `work-${serial}`
    const token = await kit.addAgent(agent, [agent])
    await kit.addKey('openai', { tags: [agent] })
    await kit.grant('openai', {
      agent,
      limits: { tokens_per_day: 1_000 },
      groups: ['realtime', 'other', 'batches', 'deferred', 'stored'],
    })
    for (const [method, path] of [
      ['GET', '/v1/realtime?model=x'],
      ['GET', '/v1/something/new'],
      ['POST', '/v1/batches'],
      ['POST', '/v1/responses/resp_1/compact'],
      ['POST', '/v1/threads/t/runs'],
    ] as const) {
      const answer = await kit.ask(`/llm/openai${path}`, {
        method,
        token,
        ...(method === 'POST' ? { body: {} } : {}),
      })
      expect([path, answer.headers.get('x-oauth3-error')]).toEqual([path, 'unmetered'])
    }
  })
})
