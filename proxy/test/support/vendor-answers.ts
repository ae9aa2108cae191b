import { bedrockEvent } from './event-stream.ts'
import type { VendorCall } from './vendor-doubles.ts'

/** What the vendors answer by default: bodies and streams as the documents show them, with figures that tests add up. */
export interface VendorAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** One piece is one write. */
  readonly pieces: readonly (string | Buffer)[]
}

export const json = (
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): VendorAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  pieces: [JSON.stringify(body)],
})

export const eventStream = (pieces: readonly (string | Buffer)[]): VendorAnswer => ({
  headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
  pieces,
})

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const named = (event: string, value: unknown): string => `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`

/** What one default answer of each family tells of tokens, as usage must be recorded. */
export const TOLD = {
  chat: { input: 19, output: 10, cacheRead: 4, cacheWrite: 0 },
  responses: { input: 36, output: 87, cacheRead: 8, cacheWrite: 0 },
  anthropic: { input: 25 + 11 + 7, output: 15, cacheRead: 7, cacheWrite: 11 },
  gemini: { input: 8, output: 21 + 5, cacheRead: 3, cacheWrite: 0 },
  cohere: { input: 206, output: 13, cacheRead: 0, cacheWrite: 0 },
  bedrock: { input: 30, output: 62, cacheRead: 0, cacheWrite: 0 },
  mistral: { input: 19, output: 10, cacheRead: 0, cacheWrite: 0 },
  ollama: { input: 26, output: 298, cacheRead: 0, cacheWrite: 0 },
  embeddings: { input: 5, output: 0, cacheRead: 0, cacheWrite: 0 },
} as const

export const WORDS = ['Hello', ' there', ', how', ' are', ' you', '? ✓']

const CHAT_USAGE = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 3 },
}
const TOOL_ARGUMENTS = ['{"city":', '"Z\u00fcrich"}']

/** OpenAI's chat completions; the usage in a stream only where it was asked for, as OpenAI has it. */
export function chatAnswer(
  call: VendorCall,
  extraUsage: Readonly<Record<string, unknown>> = {},
): VendorAnswer {
  const { model, stream, stream_options: options, tools } = call.json
  const usage = { ...CHAT_USAGE, ...extraUsage }
  const base = { id: 'chatcmpl-demo', created: 1_790_000_000, model, system_fingerprint: 'fp_demo' }
  const wantsTool = Array.isArray(tools) && tools.length > 0
  if (stream !== true) {
    const message = wantsTool
      ? {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'call_demo',
              type: 'function',
              function: { name: tools[0].function.name, arguments: TOOL_ARGUMENTS.join('') },
            },
          ],
        }
      : { role: 'assistant', content: WORDS.join('') }
    return json({
      ...base,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: wantsTool ? 'tool_calls' : 'stop' }],
      usage,
    })
  }
  const asked = options?.include_usage === true
  const chunk = (delta: unknown, finish: string | null = null): string =>
    data({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...(asked ? { usage: null } : {}),
    })
  const deltas = wantsTool
    ? [
        {
          tool_calls: [
            {
              index: 0,
              id: 'call_demo',
              type: 'function',
              function: { name: tools[0].function.name, arguments: '' },
            },
          ],
        },
        ...TOOL_ARGUMENTS.map((text) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
      ]
    : WORDS.map((content) => ({ content }))
  return eventStream([
    chunk({ role: 'assistant', content: '' }),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, wantsTool ? 'tool_calls' : 'stop'),
    ...(asked ? [usageChunk(call, usage)] : []),
    'data: [DONE]\n\n',
  ])
}

/** The last chunk but `[DONE]`: no choices, and the tokens. */
export const usageChunk = (call: VendorCall, usage: unknown = CHAT_USAGE): string =>
  data({
    id: 'chatcmpl-demo',
    created: 1_790_000_000,
    model: call.json.model,
    system_fingerprint: 'fp_demo',
    object: 'chat.completion.chunk',
    choices: [],
    usage,
  })

/** Mistral tells the tokens in the chunk that ends the answer, asked or not, and knows no stream_options. */
export function mistralAnswer(call: VendorCall): VendorAnswer {
  const usage = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 }
  if (call.json.stream !== true) return chatAnswer(call, { ...usage, prompt_tokens_details: undefined })
  const base = {
    id: 'cmpl-demo',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: call.json.model,
  }
  return eventStream([
    data({
      ...base,
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
    }),
    ...WORDS.map((content) =>
      data({ ...base, choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
    ),
    data({
      ...base,
      choices: [{ index: 0, delta: { content: '' }, finish_reason: 'stop' }],
      usage,
    }),
    'data: [DONE]\n\n',
  ])
}

export function responsesAnswer(call: VendorCall): VendorAnswer {
  const usage = {
    input_tokens: 36,
    input_tokens_details: { cached_tokens: 8 },
    output_tokens: 87,
    output_tokens_details: { reasoning_tokens: 40 },
    total_tokens: 123,
  }
  const text = WORDS.join('')
  const part = { type: 'output_text', text, annotations: [] }
  const item = { id: 'msg_demo', type: 'message', status: 'completed', role: 'assistant', content: [part] }
  const response = (status: string, more: object): object => ({
    id: 'resp_demo',
    object: 'response',
    created_at: 1_790_000_000,
    status,
    model: call.json.model,
    output: [],
    usage: null,
    ...more,
  })
  const whole = response('completed', { output: [item], usage })
  if (call.json.stream !== true) return json(whole)
  const events: [string, object][] = [
    ['response.created', { response: response('in_progress', {}) }],
    [
      'response.output_item.added',
      { output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    ],
    [
      'response.content_part.added',
      { item_id: 'msg_demo', output_index: 0, content_index: 0, part: { ...part, text: '' } },
    ],
    ...WORDS.map((delta): [string, object] => [
      'response.output_text.delta',
      { item_id: 'msg_demo', output_index: 0, content_index: 0, delta },
    ]),
    ['response.output_text.done', { item_id: 'msg_demo', output_index: 0, content_index: 0, text }],
    ['response.output_item.done', { output_index: 0, item }],
    ['response.completed', { response: whole }],
  ]
  return eventStream(
    events.map(([type, more], index) => named(type, { type, sequence_number: index, ...more })),
  )
}

interface ToolUse {
  readonly name: string
  readonly input: object
}

/** `use`: the tool that it wants used; null: it says something. Left out: the first that the request knows. */
export function messagesAnswer(call: VendorCall, use: ToolUse | null = firstTool(call)): VendorAnswer {
  const { model, stream } = call.json
  const start = { input_tokens: 25, cache_creation_input_tokens: 11, cache_read_input_tokens: 7 }
  const message = { id: 'msg_demo', type: 'message', role: 'assistant', model, stop_sequence: null }
  const stop = use ? 'tool_use' : 'end_turn'
  if (stream !== true) {
    return json({
      ...message,
      content: use
        ? [{ type: 'tool_use', id: 'toolu_demo', ...use }]
        : [{ type: 'text', text: WORDS.join('') }],
      stop_reason: stop,
      usage: { ...start, output_tokens: 15 },
    })
  }
  const block = use
    ? { type: 'tool_use', id: 'toolu_demo', name: use.name, input: {} }
    : { type: 'text', text: '' }
  const deltas = use
    ? inTwo(JSON.stringify(use.input)).map((text) => ({ type: 'input_json_delta', partial_json: text }))
    : WORDS.map((text) => ({ type: 'text_delta', text }))
  const events: object[] = [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { ...start, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 9 } },
    {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: 15 },
    },
    { type: 'message_stop' },
  ]
  return eventStream(events.map((event) => named((event as { type: string }).type, event)))
}

function firstTool({ json: { tools } }: VendorCall): ToolUse | null {
  const isThere = Array.isArray(tools) && tools.length > 0
  return isThere ? { name: tools[0].name, input: JSON.parse(TOOL_ARGUMENTS.join('')) } : null
}

const inTwo = (text: string): readonly string[] => [text.slice(0, 8), text.slice(8)]

export function geminiAnswer(call: VendorCall): VendorAnswer {
  const model = /models\/([^:?]+)/.exec(call.url)?.[1]
  const piece = (text: string, more: object): object => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...more }],
    modelVersion: model,
    responseId: 'demo-response',
  })
  const usage = (candidates: number) => ({
    usageMetadata: {
      promptTokenCount: 8,
      candidatesTokenCount: candidates,
      thoughtsTokenCount: 5,
      cachedContentTokenCount: 3,
      totalTokenCount: 8 + candidates + 5,
    },
  })
  if (!call.url.includes(':streamGenerateContent')) {
    return json({ ...piece(WORDS.join(''), { finishReason: 'STOP' }), ...usage(21) })
  }
  const chunks = WORDS.map((text, index) => ({
    ...piece(text, index === WORDS.length - 1 ? { finishReason: 'STOP' } : {}),
    ...usage(index === WORDS.length - 1 ? 21 : index),
  }))
  // Without alt=sse the stream is one JSON array, written bit by bit.
  if (new URL(call.url, 'https://x').searchParams.get('alt') !== 'sse') {
    return {
      headers: { 'content-type': 'application/json' },
      pieces: [
        ...chunks.map((chunk, index) => `${index === 0 ? '[' : ',\r\n'}${JSON.stringify(chunk)}`),
        ']',
      ],
    }
  }
  return eventStream(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`))
}

export function cohereAnswer(call: VendorCall): VendorAnswer {
  const usage = {
    billed_units: { input_tokens: 11, output_tokens: 12 },
    tokens: { input_tokens: 206, output_tokens: 13 },
  }
  if (call.json.stream !== true) {
    return json({
      id: 'demo-chat',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text: WORDS.join('') }] },
      usage,
    })
  }
  const events: object[] = [
    { id: 'demo-chat', type: 'message-start', delta: { message: { role: 'assistant', content: [] } } },
    { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
    ...WORDS.map((text) => ({ type: 'content-delta', index: 0, delta: { message: { content: { text } } } })),
    { type: 'content-end', index: 0 },
    { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } },
  ]
  return eventStream(events.map((event) => named((event as { type: string }).type, event)))
}

export function bedrockAnswer(call: VendorCall): VendorAnswer {
  const usage = { inputTokens: 30, outputTokens: 62, totalTokens: 92 }
  if (!call.url.endsWith('/converse-stream')) {
    return json({
      output: { message: { role: 'assistant', content: [{ text: WORDS.join('') }] } },
      stopReason: 'end_turn',
      usage,
      metrics: { latencyMs: 12 },
    })
  }
  return {
    headers: { 'content-type': 'application/vnd.amazon.eventstream' },
    pieces: [
      bedrockEvent('messageStart', { role: 'assistant' }),
      ...WORDS.map((text) => bedrockEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
      bedrockEvent('contentBlockStop', { contentBlockIndex: 0 }),
      bedrockEvent('messageStop', { stopReason: 'end_turn' }),
      bedrockEvent('metadata', { usage, metrics: { latencyMs: 12 } }),
    ],
  }
}

export function ollamaAnswer(call: VendorCall): VendorAnswer {
  const { model, stream } = call.json
  const base = { model, created_at: '2026-11-01T00:00:00Z' }
  const last = { done: true, done_reason: 'stop', prompt_eval_count: 26, eval_count: 298 }
  if (stream === false)
    return json({ ...base, message: { role: 'assistant', content: WORDS.join('') }, ...last })
  return {
    headers: { 'content-type': 'application/x-ndjson' },
    pieces: [
      ...WORDS.map(
        (content) => `${JSON.stringify({ ...base, message: { role: 'assistant', content }, done: false })}\n`,
      ),
      `${JSON.stringify({ ...base, message: { role: 'assistant', content: '' }, ...last })}\n`,
    ],
  }
}
