import { bedrockEvent } from './event-stream.ts'
import { perMillion, type Recorded, sse } from './recorded-answer.ts'

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

/** Those of all vendors but OpenAI, as their API references and price pages have them. */
export const RECORDED_VENDORS: readonly Recorded[] = [
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
