/** Ways around a limit on tokens or money by what nobody is told of, is told later, or costs more than it seems to. */
import { describe, expect, it } from 'vitest'
import { CHAT, messageOf, useLimitsKit } from '../support/limits-kit.ts'
import { chatBody } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const PRICED = 'gpt-4o'

const limits = useLimitsKit()
const { ask, limited } = limits

describe('an endpoint whose use nobody is told', () => {
  it.each<[VendorName, string]>([
    ...(
      [
        'realtime/client_secrets',
        'realtime/sessions',
        'realtime/transcription_sessions',
        'realtime/calls',
        'batches',
        'videos',
        'images/generations',
        'audio/speech',
        'assistants',
        'threads/runs',
        'fine_tuning/jobs',
        'vector_stores',
        'fine_tuning/jobs/j_1/resume',
        'batches/b_1/cancel/again',
        'assistants/a_1/cancel',
        'containers',
        'evals',
        'chat/completions/chatcmpl_1',
        'files/parser/create',
        'files/file_1/ocr',
        'something/new',
      ] as const
    ).map((path): [VendorName, string] => ['openai', `/llm/openai/v1/${path}`]),
    ['xai', '/llm/xai/v1/chat/deferred-completion/1'],
    ['xai', '/llm/xai/v1/images/generations'],
    ['google', '/llm/google/v1alpha/auth_tokens'],
    ['google', '/llm/google/v1beta/models/gemini-demo:batchGenerateContent'],
    ['google', '/llm/google/v1beta/models/veo-demo:predictLongRunning'],
    ['google', '/llm/google/v1beta/models/gemini-demo%3AbatchGenerateContent:generateContent'],
    ['google', '/llm/google/v1beta/cachedContents'],
    ['anthropic', '/llm/anthropic/v1/messages/batches'],
    ['bedrock', '/llm/bedrock/async-invoke'],
    ['bedrock', '/llm/bedrock/model/amazon.nova-reel/invoke'],
  ])('%s: %s is not asked under a limit', async (vendor, path) => {
    const token = await limited(vendor, { tokens_per_day: 1_000_000 })
    const { status, code, arrived } = await ask(vendor, path, token, {
      model: 'demo',
      prompt: 'x',
      session: {},
    })
    expect([status, code, arrived]).toEqual([403, 'unmetered', []])
  })

  it.each([
    ['later', '/llm/openai/v1/responses', { input: 'x', background: true }],
    ['later at xAI', CHAT, chatBody({ deferred: true })],
    ['in a batch tier', CHAT, chatBody({ service_tier: 'batch' })],
    ['by a tool of the vendor', '/llm/openai/v1/responses', { input: 'x', tools: [{ type: 'web_search' }] }],
    ['in a container', '/llm/openai/v1/responses', { input: 'x', tools: [{ type: 'code_interpreter' }] }],
    ['by a tool without a type', CHAT, chatBody({ tools: [{ googleSearch: {} }] })],
    ['by a search', CHAT, chatBody({ web_search_options: {} })],
    ['by a plugin', CHAT, chatBody({ plugins: [{ id: 'web' }] })],
    [
      'by a model that goes on by itself',
      '/llm/openai/v1/responses',
      { model: 'o3-deep-research', input: 'x' },
    ],
    ['by something new', CHAT, chatBody({ brand_new_member: 1 })],
    ['by something new, escaped', CHAT, chatBody({ Tools: [{ type: 'web_search' }] })],
  ])('nor is work done %s', async (_name, path, body) => {
    const token = await limited('openai', { tokens_per_day: 1_000_000 })
    const { code, arrived } = await ask('openai', path, token, { model: 'gpt-demo', ...body })
    expect([code, arrived]).toEqual(['unmetered', []])
  })

  it('nor is a body that is not looked through', async () => {
    const token = await limited('openai', { tokens_per_day: 1_000_000 })
    const body = JSON.stringify(chatBody())
    for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'br' }]) {
      const { code, arrived } = await ask('openai', CHAT, token, body, headers)
      expect([code, arrived]).toEqual(['unmetered', []])
    }
  })

  it.each(['utf-8', 'none', 'identity'])(
    '%s is no coding, and the body is looked through',
    async (encoding) => {
      const token = await limited('openai', { tokens_per_day: 1_000_000 })
      const body = JSON.stringify(chatBody())
      expect((await ask('openai', CHAT, token, body, { 'content-encoding': encoding })).status).toBe(200)
    },
  )

  it('and what is free passes', async () => {
    const token = await limited('openai', { tokens_per_day: 1 })
    expect((await limits.kit.ask('/llm/openai/v1/models', { token })).status).toBe(200)
    const claude = await limited('anthropic', { tokens_per_day: 1 })
    const headers = { 'anthropic-version': '2023-06-01' }
    const body = chatBody({ model: 'claude-demo' })
    expect(
      (await ask('anthropic', '/llm/anthropic/v1/messages/count_tokens', claude, body, headers)).status,
    ).toBe(200)
  })
})

describe('a member that decides something, in another type', () => {
  it.each([
    ['stream', '"true"'],
    ['stream', '1'],
    ['model', '["gpt-dear"]'],
    ['model', 'null'],
    ['n', '"200"'],
    ['n', '0.5'],
    ['n', '-1'],
    ['max_tokens', '"100000"'],
    ['max_completion_tokens', '1e999'],
    ['background', '"true"'],
    ['deferred', '1'],
    ['service_tier', '["priority"]'],
    ['stream_options', '"x"'],
    ['generationConfig', '[]'],
    ['n', '1,"N":200'],
    ['max_tokens', '1,"max_tokens":100000'],
    ['service_tier', '"default","service_tier":"priority"'],
  ])('is refused, with a limit or without: "%s":%s', async (name, value) => {
    const rest = name === 'model' ? {} : { model: 'gpt-demo' }
    const body = `{"${name}":${value},${JSON.stringify({ ...rest, messages: [] }).slice(1)}`
    for (const of of [{}, { tokens_per_day: 1_000_000 }]) {
      const token = await limited('openai', of)
      const { status, code, answer, arrived } = await ask('openai', CHAT, token, body)
      expect([status, code, arrived]).toEqual([400, 'bad_request', []])
      expect(messageOf(answer)).toContain(name)
    }
  })
})

describe('a search of the vendor, which costs money beside its tokens', () => {
  const router = '/llm/openrouter/api/v1/chat/completions'
  it.each<[VendorName, string, Record<string, unknown>]>([
    ['openai', CHAT, { model: 'gpt-4o-search-preview' }],
    ['openai', CHAT, { model: 'gpt-5-search-api-2025-10-14' }],
    ['openai', CHAT, { web_search_options: {} }],
    ['openai', '/llm/openai/v1/responses', { input: 'x', tools: [{ type: 'web_search' }] }],
    ['openrouter', router, { model: 'openai/gpt-4o:online' }],
    ['openrouter', router, { model: 'openai/gpt-4o:Online' }],
    ['openrouter', router, { model: 'openai/gpt-4o:online:nitro' }],
    ['openrouter', router, { model: 'openai/gpt-4o', models: ['openai/gpt-4o:online'] }],
    ['openrouter', router, { model: 'openai/gpt-4o', plugins: [{ id: 'web' }] }],
    ['openrouter', router, { model: 'perplexity/sonar-pro' }],
    ['openrouter', router, { model: 'perplexity/llama-3.1-sonar-small-128k-online' }],
    ['xai', '/llm/xai/v1/chat/completions', { search_parameters: { mode: 'on' } }],
  ])('%s: is refused under a limit of either kind: %s %j', async (vendor, path, more) => {
    const messages = path === '/llm/openai/v1/responses' ? {} : { messages: [] }
    const body = { model: PRICED, ...messages, max_tokens: 10, ...more }
    for (const of of [{ tokens_per_day: 1_000_000 }, { micro_usd_per_day: 10_000_000 }]) {
      const { code, status, arrived } = await ask(vendor, path, await limited(vendor, of), body)
      expect([status, code, arrived]).toEqual([403, 'unmetered', []])
    }
  })

  it('is held for under a limit on money where every answer is one and tells its cost', async () => {
    const path = '/llm/perplexity/chat/completions'
    const body = chatBody({ model: 'sonar', max_tokens: 10 })
    const tokens = await limited('perplexity', { tokens_per_day: 1_000_000 })
    const refused = await ask('perplexity', path, tokens, body)
    expect([refused.code, refused.arrived]).toEqual(['unmetered', []])
    expect(messageOf(refused.answer)).toContain('limit on money')
    const both = { tokens_per_day: 1_000_000, micro_usd_per_day: 10_000_000 }
    expect((await ask('perplexity', path, await limited('perplexity', both), body)).status).toBe(200)
  })
})

describe('another price than the usual one', () => {
  const claude = '/llm/anthropic/v1/messages'
  const long = { type: 'ephemeral', ttl: '1h' }
  it.each<[VendorName, string, Record<string, unknown>, Record<string, string>]>([
    ['openai', CHAT, { service_tier: 'priority' }, {}],
    ['openai', CHAT, { service_tier: 'auto' }, {}],
    ['openai', CHAT, { modalities: ['text', 'audio'] }, {}],
    ['anthropic', claude, { speed: 'fast' }, {}],
    ['anthropic', claude, { inference_geo: 'us' }, {}],
    ['anthropic', claude, { system: [{ type: 'text', text: 'x', cache_control: long }] }, {}],
    ['anthropic', claude, { cache_control: long }, {}],
    ['anthropic', claude, {}, { 'anthropic-beta': 'fast-mode-2026-02-01' }],
    ['openai', CHAT, {}, { 'x-vertex-ai-llm-shared-request-type': 'priority' }],
  ])('%s: is refused under a limit of money alone: %s %j %j', async (vendor, path, more, headers) => {
    const model = vendor === 'anthropic' ? 'claude-sonnet-4-5' : PRICED
    const body = chatBody({ model, max_tokens: 10, ...more })
    const all = { 'anthropic-version': '2023-06-01', ...headers }
    const money = await limited(vendor, { micro_usd_per_day: 10_000_000 })
    const dear = await ask(vendor, path, money, body, all)
    expect([dear.code, dear.arrived]).toEqual(['unmetered', []])
    const tokens = await limited(vendor, { tokens_per_day: 1_000_000 })
    expect((await ask(vendor, path, tokens, body, all)).status).toBe(200)
  })

  it('is held for where the vendor tells it only afterwards, also by many at once', async () => {
    const token = await limited('openrouter', { micro_usd_per_day: 1_000_000 })
    const path = '/llm/openrouter/api/v1/chat/completions'
    const hold = Promise.withResolvers<void>()
    limits.kit.vendors.next('openrouter', async () => {
      await hold.promise
      return json({ choices: [], usage: { prompt_tokens: 20, completion_tokens: 1_000, cost: 0.5 } })
    })
    const coming = limits.kit.vendors.nextCall('openrouter')
    const body = chatBody({ model: 'nobody/knows', max_tokens: 1_000 })
    const first = limits.kit.ask(path, { token, body })
    await coming
    expect((await ask('openrouter', path, token, body)).code).toBe('limit_passed')
    hold.resolve()
    await first
  })
})

describe('what the vendor has stored', () => {
  const prompt = 'arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aprompt%2FABC'
  it.each<[string, VendorName, string, Record<string, unknown>]>([
    ['a prompt', 'openai', '/llm/openai/v1/responses', { model: 'gpt-demo', prompt: { id: 'pmpt_1' } }],
    [
      'a preset',
      'openrouter',
      '/llm/openrouter/api/v1/chat/completions',
      chatBody({ model: '@preset/mine' }),
    ],
    [
      'a preset behind a model',
      'openrouter',
      '/llm/openrouter/api/v1/chat/completions',
      chatBody({ model: 'openai/gpt-4o@preset/mine', max_tokens: 10 }),
    ],
    ['a prompt in the place of a model', 'bedrock', `/llm/bedrock/model/${prompt}/converse`, {}],
  ])(
    'may bring tools and texts along, and is not asked under a limit: %s',
    async (_name, vendor, path, body) => {
      const token = await limited(vendor, { tokens_per_day: 5_000_000 })
      const { code, arrived } = await ask(vendor, path, token, body)
      expect([code, arrived]).toEqual(['unmetered', []])
    },
  )
})
