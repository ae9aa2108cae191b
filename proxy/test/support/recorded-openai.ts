import { type Answer, perMillion, type Recorded, sse } from './recorded-answer.ts'

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
/** OpenAI's, as its API reference and its price page have them. */
export const RECORDED_OPENAI: readonly Recorded[] = [
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
]
