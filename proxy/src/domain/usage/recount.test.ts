/**
 * Answers as the vendors' API references show them, recounted by a reader that shares nothing with the product's: one formula a
 * vendor, written down from its reference and its price page, over the answer as it stands.
 */
import { describe, expect, it } from 'vitest'
import { bedrockEvent } from '../../../test/support/event-stream.ts'
import { createPriceBook, priced } from './prices.ts'
import { createUsageReader } from './reader.ts'

// biome-ignore lint/suspicious/noExplicitAny: the shapes are the vendors'
type Answer = any

interface Recorded {
  readonly name: string
  readonly provider: string
  readonly model: string
  readonly answer: Answer
  /** In place of one JSON body. */
  readonly as?: { readonly type: string; readonly bytes: Buffer }
  /** Tokens in, tokens out, US dollars (null: a part has no known price). */
  readonly recount: (answer: Answer) => readonly [input: number, output: number, usd: number | null]
}

const sse = (...events: object[]) => ({
  type: 'text/event-stream',
  bytes: Buffer.from(
    `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`,
  ),
})
const perMillion = (...parts: readonly (readonly [tokens: number, usd: number])[]): number =>
  parts.reduce((sum, [tokens, usd]) => sum + tokens * usd, 0) / 1_000_000

/** $2.50 in, $1.25 cached, $10 out. */
const openaiChat: Recorded['recount'] = ({ usage: u }) => [
  u.prompt_tokens,
  u.completion_tokens,
  perMillion(
    [u.prompt_tokens - u.prompt_tokens_details.cached_tokens, 2.5],
    [u.prompt_tokens_details.cached_tokens, 1.25],
    [u.completion_tokens, 10],
  ),
]
const CHAT = {
  id: 'chatcmpl-B9',
  object: 'chat.completion',
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 1_190,
    completion_tokens: 100,
    total_tokens: 1_290,
    prompt_tokens_details: { cached_tokens: 640, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 60,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  },
  service_tier: 'default',
}
const RESPONSE = {
  id: 'resp_67',
  object: 'response',
  status: 'completed',
  model: 'gpt-5.4-2026-03-05',
  output: [
    { type: 'reasoning' },
    { type: 'web_search_call', status: 'completed' },
    { type: 'message', content: [] },
  ],
  service_tier: 'default',
  tools: [{ type: 'web_search' }],
  usage: {
    input_tokens: 300_000,
    input_tokens_details: { cached_tokens: 100_000 },
    output_tokens: 2_000,
    output_tokens_details: { reasoning_tokens: 500 },
    total_tokens: 302_000,
  },
}
/** Above 272,000 of input everything is at the long rate: $5 in, $0.50 cached, $22.50 out; a search is a cent. */
const openaiResponse: Recorded['recount'] = ({ usage: u, output }) => [
  u.input_tokens,
  u.output_tokens,
  perMillion(
    [u.input_tokens - u.input_tokens_details.cached_tokens, 5],
    [u.input_tokens_details.cached_tokens, 0.5],
    [u.output_tokens, 22.5],
  ) +
    0.01 * output.filter((item: Answer) => item.type === 'web_search_call').length,
]
const MESSAGE = {
  id: 'msg_01',
  type: 'message',
  model: 'claude-sonnet-4-6',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: {
    input_tokens: 2_095,
    cache_creation_input_tokens: 700,
    cache_read_input_tokens: 5_000,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 500 },
    output_tokens: 503,
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
    service_tier: 'standard',
    inference_geo: 'not_available',
  },
}
const anthropic: Recorded['recount'] = ({ usage: u }) => [
  u.input_tokens + u.cache_creation_input_tokens + u.cache_read_input_tokens,
  u.output_tokens,
  perMillion(
    [u.input_tokens, 3],
    [u.cache_creation.ephemeral_5m_input_tokens, 3.75],
    [u.cache_creation.ephemeral_1h_input_tokens, 6],
    [u.cache_read_input_tokens, 0.3],
    [u.output_tokens, 15],
  ) +
    0.01 * u.server_tool_use.web_search_requests,
]
const GEMINI = {
  candidates: [
    {
      content: { parts: [{ text: 'x' }], role: 'model' },
      finishReason: 'STOP',
      groundingMetadata: { webSearchQueries: ['a', 'b', 'c'] },
    },
  ],
  usageMetadata: {
    promptTokenCount: 1_000,
    candidatesTokenCount: 300,
    thoughtsTokenCount: 200,
    toolUsePromptTokenCount: 50,
    totalTokenCount: 1_550,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 400 },
      { modality: 'AUDIO', tokenCount: 600 },
    ],
  },
  modelVersion: 'gemini-2.5-flash',
}
/** $0.30 text, $1 sound, $2.50 out with thoughts; 3.5 cents for a grounded prompt. */
const gemini: Recorded['recount'] = ({ usageMetadata: u, candidates }) => [
  u.promptTokenCount + u.toolUsePromptTokenCount,
  u.candidatesTokenCount + u.thoughtsTokenCount,
  perMillion(
    [u.promptTokensDetails[0].tokenCount + u.toolUsePromptTokenCount, 0.3],
    [u.promptTokensDetails[1].tokenCount, 1],
    [u.candidatesTokenCount + u.thoughtsTokenCount, 2.5],
  ) + (candidates[0].groundingMetadata ? 0.035 : 0),
]

const RECORDED: readonly Recorded[] = [
  { name: 'chat completion', provider: 'openai', model: 'gpt-4o', answer: CHAT, recount: openaiChat },
  {
    name: 'stream of a chat completion',
    provider: 'openai',
    model: 'gpt-4o',
    answer: CHAT,
    as: sse(
      { model: CHAT.model, service_tier: 'default', choices: [{ delta: { content: 'Hello' } }], usage: null },
      { model: CHAT.model, service_tier: 'default', choices: [], usage: CHAT.usage },
    ),
    recount: openaiChat,
  },
  {
    name: 'flex, at half the price',
    provider: 'openai',
    model: 'gpt-4o',
    answer: { ...CHAT, service_tier: 'flex' },
    recount: (answer) => {
      const [input, output, usd] = openaiChat(answer)
      return [input, output, (usd ?? 0) / 2]
    },
  },
  {
    name: 'priority, at 1.7 times the price',
    provider: 'openai',
    model: 'gpt-4o',
    answer: { ...CHAT, service_tier: 'priority' },
    recount: (answer) => {
      const [input, output, usd] = openaiChat(answer)
      return [input, output, (usd ?? 0) * 1.7]
    },
  },
  { name: 'response', provider: 'openai', model: 'gpt-5.4', answer: RESPONSE, recount: openaiResponse },
  {
    name: 'stream of a response',
    provider: 'openai',
    model: 'gpt-5.4',
    answer: RESPONSE,
    as: sse(
      { type: 'response.created', response: { ...RESPONSE, usage: null } },
      { type: 'response.completed', response: RESPONSE },
    ),
    recount: openaiResponse,
  },
  {
    name: 'embeddings',
    provider: 'openai',
    model: 'text-embedding-3-small',
    answer: {
      object: 'list',
      data: [{ object: 'embedding', embedding: [0.1, 0.2] }],
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    recount: ({ usage: u }) => [u.prompt_tokens, 0, perMillion([u.prompt_tokens, 0.02])],
  },
  {
    name: 'images by their tokens',
    provider: 'openai',
    model: 'gpt-image-1',
    answer: {
      created: 1_713_833_628,
      data: [{ b64_json: 'AAAA' }],
      usage: {
        total_tokens: 4_210,
        input_tokens: 50,
        output_tokens: 4_160,
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
      },
    },
    recount: ({ usage: u }) => [
      u.input_tokens,
      u.output_tokens,
      perMillion(
        [u.input_tokens_details.text_tokens, 5],
        [u.input_tokens_details.image_tokens, 10],
        [u.output_tokens, 40],
      ),
    ],
  },
  {
    name: 'images by the piece, whose price depends on the request',
    provider: 'openai',
    model: 'dall-e-3',
    answer: { created: 1, data: [{ url: 'https://x.invalid/1.png', revised_prompt: 'x' }] },
    recount: () => [0, 0, null],
  },
  {
    name: 'sound in and out',
    provider: 'openai',
    model: 'gpt-audio',
    answer: {
      ...{ model: 'gpt-audio-2025-08-28', choices: [] },
      usage: {
        ...{ prompt_tokens: 500, completion_tokens: 400, total_tokens: 900 },
        prompt_tokens_details: { audio_tokens: 450, text_tokens: 50, cached_tokens: 0 },
        completion_tokens_details: { audio_tokens: 300, text_tokens: 100 },
      },
    },
    recount: ({ usage: { prompt_tokens_details: i, completion_tokens_details: o } }) => [
      i.audio_tokens + i.text_tokens,
      o.audio_tokens + o.text_tokens,
      perMillion([i.text_tokens, 2.5], [i.audio_tokens, 32], [o.text_tokens, 10], [o.audio_tokens, 64]),
    ],
  },
  {
    name: 'transcription by tokens',
    provider: 'openai',
    model: 'gpt-4o-transcribe',
    answer: {
      text: 'x',
      usage: {
        type: 'tokens',
        input_tokens: 140,
        input_token_details: { text_tokens: 20, audio_tokens: 120 },
        output_tokens: 30,
        total_tokens: 170,
      },
    },
    recount: ({ usage: u }) => [
      u.input_tokens,
      u.output_tokens,
      perMillion(
        [u.input_token_details.text_tokens, 2.5],
        [u.input_token_details.audio_tokens, 6],
        [u.output_tokens, 10],
      ),
    ],
  },
  {
    name: 'transcription by the second',
    provider: 'openai',
    model: 'whisper-1',
    answer: { text: 'x', usage: { type: 'duration', seconds: 61 } },
    recount: ({ usage: u }) => [0, 0, (u.seconds * 0.006) / 60],
  },
  { name: 'message', provider: 'anthropic', model: 'claude-sonnet-4-6', answer: MESSAGE, recount: anthropic },
  {
    name: 'stream of a message',
    provider: 'anthropic',
    model: 'claude-sonnet-4-6',
    answer: MESSAGE,
    as: sse(
      {
        type: 'message_start',
        message: {
          model: MESSAGE.model,
          usage: { ...MESSAGE.usage, output_tokens: 3, server_tool_use: undefined },
        },
      },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: 503, server_tool_use: MESSAGE.usage.server_tool_use },
      },
      { type: 'message_stop' },
    ),
    recount: anthropic,
  },
  {
    name: 'one result of a batch',
    provider: 'anthropic',
    model: 'claude-haiku-4-5',
    answer: {
      type: 'message',
      model: 'claude-haiku-4-5-20251001',
      usage: { input_tokens: 1_000, output_tokens: 500, service_tier: 'batch' },
    },
    recount: ({ usage: u }) => [
      u.input_tokens,
      u.output_tokens,
      perMillion([u.input_tokens, 0.5], [u.output_tokens, 2.5]),
    ],
  },
  {
    name: 'grounded answer with sound',
    provider: 'google',
    model: 'gemini-2.5-flash',
    answer: GEMINI,
    recount: gemini,
  },
  {
    name: 'stream of one',
    provider: 'google',
    model: 'gemini-2.5-flash',
    answer: GEMINI,
    as: sse(
      {
        candidates: [{ content: {} }],
        usageMetadata: { ...GEMINI.usageMetadata, candidatesTokenCount: 1, totalTokenCount: 1_251 },
        modelVersion: GEMINI.modelVersion,
      },
      GEMINI,
    ),
    recount: gemini,
  },
  {
    name: 'a picture',
    provider: 'google',
    model: 'gemini-2.5-flash-image',
    answer: {
      candidates: [{ content: { parts: [{ inlineData: { data: 'AAAA' } }] }, finishReason: 'STOP' }],
      usageMetadata: {
        promptTokenCount: 8,
        candidatesTokenCount: 1_300,
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1_290 }],
      },
      modelVersion: 'gemini-2.5-flash-image',
    },
    recount: ({ usageMetadata: u }) => [
      u.promptTokenCount,
      u.candidatesTokenCount,
      perMillion(
        [u.promptTokenCount, 0.3],
        [u.candidatesTokensDetails[0].tokenCount, 30],
        [u.candidatesTokenCount - u.candidatesTokensDetails[0].tokenCount, 2.5],
      ),
    ],
  },
  {
    name: 'long prompt',
    provider: 'google',
    model: 'gemini-2.5-pro',
    answer: {
      candidates: [{ finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 200_001, candidatesTokenCount: 100, cachedContentTokenCount: 1 },
      modelVersion: 'gemini-2.5-pro',
    },
    recount: ({ usageMetadata: u }) => [
      u.promptTokenCount,
      u.candidatesTokenCount,
      perMillion(
        [u.promptTokenCount - u.cachedContentTokenCount, 2.5],
        [u.cachedContentTokenCount, 0.25],
        [u.candidatesTokenCount, 15],
      ),
    ],
  },
  {
    name: 'Converse, whose caches stand beside the input; no price is known',
    provider: 'bedrock',
    model: 'us.anthropic.claude-sonnet-4-6',
    answer: {
      usage: {
        inputTokens: 10,
        outputTokens: 20,
        totalTokens: 30,
        cacheReadInputTokens: 5,
        cacheWriteInputTokens: 7,
      },
    },
    recount: ({ usage: u }) => [
      u.inputTokens + u.cacheReadInputTokens + u.cacheWriteInputTokens,
      u.outputTokens,
      null,
    ],
  },
  {
    name: 'stream of Converse',
    provider: 'bedrock',
    model: 'us.anthropic.claude-sonnet-4-6',
    answer: { usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 } },
    as: {
      type: 'application/vnd.amazon.eventstream',
      bytes: bedrockEvent('metadata', {
        usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 },
        metrics: { latencyMs: 5 },
      }),
    },
    recount: ({ usage: u }) => [u.inputTokens, u.outputTokens, null],
  },
  {
    name: 'chat completion',
    provider: 'mistral',
    model: 'mistral-large-2512',
    answer: {
      model: 'mistral-large-2512',
      choices: [],
      usage: { prompt_tokens: 16, completion_tokens: 34, total_tokens: 50 },
    },
    recount: ({ usage: u }) => [
      u.prompt_tokens,
      u.completion_tokens,
      perMillion([u.prompt_tokens, 0.5], [u.completion_tokens, 1.5]),
    ],
  },
  {
    name: 'pages that were read',
    provider: 'mistral',
    model: 'mistral-ocr-2512',
    answer: {
      pages: [{ index: 0, markdown: '#' }],
      model: 'mistral-ocr-2512',
      usage_info: { pages_processed: 3, doc_size_bytes: 9 },
    },
    recount: () => [0, 0, null],
  },
  {
    name: 'chat, by what is billed of it',
    provider: 'cohere',
    model: 'command-a-03-2025',
    answer: {
      message: {},
      usage: {
        billed_units: { input_tokens: 5, output_tokens: 418 },
        tokens: { input_tokens: 71, output_tokens: 418 },
      },
    },
    recount: ({ usage: { tokens: t, billed_units: b } }) => [
      t.input_tokens,
      t.output_tokens,
      perMillion([b.input_tokens, 2.5], [b.output_tokens, 10]),
    ],
  },
  {
    name: 'reranking, by the search',
    provider: 'cohere',
    model: 'rerank-v3.5',
    answer: { results: [], meta: { billed_units: { search_units: 2 } } },
    recount: ({ meta: { billed_units: b } }) => [0, 0, b.search_units * 0.002],
  },
  {
    name: 'the money that is told',
    provider: 'openrouter',
    model: 'openai/gpt-5.5',
    answer: {
      model: 'openai/gpt-5.5',
      choices: [],
      usage: {
        prompt_tokens: 194,
        completion_tokens: 2,
        total_tokens: 196,
        cost: 0.00095,
        cost_details: { upstream_inference_cost: null },
      },
    },
    recount: ({ usage: u }) => [u.prompt_tokens, u.completion_tokens, u.cost],
  },
  {
    name: 'the money that is told in ticks',
    provider: 'xai',
    model: 'grok-4.5',
    answer: {
      model: 'grok-4.5',
      choices: [],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 10,
        total_tokens: 150,
        num_sources_used: 3,
        cost_in_usd_ticks: 37_756_000,
      },
    },
    recount: ({ usage: u }) => [
      u.prompt_tokens,
      u.total_tokens - u.prompt_tokens,
      u.cost_in_usd_ticks / 1e10,
    ],
  },
  {
    name: 'cached tokens by names of its own',
    provider: 'deepseek',
    model: 'deepseek-chat',
    answer: {
      model: 'deepseek-chat',
      choices: [],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 10,
        total_tokens: 110,
        prompt_cache_hit_tokens: 80,
        prompt_cache_miss_tokens: 20,
      },
    },
    recount: ({ usage: u }) => [
      u.prompt_tokens,
      u.completion_tokens,
      perMillion(
        [u.prompt_cache_miss_tokens, 0.28],
        [u.prompt_cache_hit_tokens, 0.028],
        [u.completion_tokens, 0.42],
      ),
    ],
  },
]

describe('an answer is booked as a reader of its own counts it', () => {
  const book = createPriceBook([])

  it.each(RECORDED.map((one) => [one.provider, one.name, one] as const))('%s: %s', (_, _name, one) => {
    const [input, output, usd] = one.recount(one.answer)
    const { type, bytes } = one.as ?? {
      type: 'application/json',
      bytes: Buffer.from(JSON.stringify(one.answer)),
    }
    for (const cut of [bytes.length, 100, 7]) {
      const reader = createUsageReader({ contentType: type, dropUsageChunk: false })
      for (let at = 0; at < bytes.length; at += cut) reader?.push(bytes.subarray(at, at + cut))
      reader?.end()
      const usage = reader?.usage() ?? null
      expect(usage).toMatchObject({ input, output })
      if (usage === null) continue
      const cost = priced(usage, book.find(one.provider, one.model), one.provider, one.model)
      expect([cost.isWhole, cost.isWhole ? cost.microUsd : null]).toEqual([
        usd !== null,
        usd === null ? null : Math.ceil(Number((usd * 1_000_000).toFixed(6))),
      ])
    }
  })
})
