import { describe, expect, it } from 'vitest'
import { mergeUsage, readModel, readUsage, tokenUsage } from './read-usage.ts'

const read = (value: unknown) => {
  const told = readUsage(value)
  return told === null ? null : tokenUsage(told)
}
const counts = (
  input: number,
  output: number,
  cacheRead = 0,
  cacheWrite = 0,
  toldMicroUsd: number | null = null,
) => ({
  ...{ input, output, cacheRead, cacheWrite, toldMicroUsd },
})

describe('the tokens of an answer', () => {
  it.each([
    [
      'a chat completion',
      { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } },
      counts(10, 5),
    ],
    [
      'a chat completion with cached tokens, which are part of the prompt',
      { usage: { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } } },
      counts(10, 5, 4),
    ],
    [
      'DeepSeek',
      { usage: { prompt_tokens: 10, completion_tokens: 5, prompt_cache_hit_tokens: 8 } },
      counts(10, 5, 8),
    ],
    [
      'thinking that is in the total alone',
      { usage: { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135 } },
      counts(32, 103),
    ],
    ['embeddings', { usage: { prompt_tokens: 8, total_tokens: 8 } }, counts(8, 0)],
    [
      'OpenAI Responses, whose input holds the cached tokens',
      {
        usage: {
          input_tokens: 100,
          output_tokens: 7,
          input_tokens_details: { cached_tokens: 60 },
          total_tokens: 107,
        },
      },
      counts(100, 7, 60),
    ],
    [
      'the event that ends a Responses stream',
      { type: 'response.completed', response: { usage: { input_tokens: 3, output_tokens: 2 } } },
      counts(3, 2),
    ],
    [
      'Anthropic, whose input does not hold them',
      {
        usage: {
          input_tokens: 5,
          output_tokens: 7,
          cache_creation_input_tokens: 20,
          cache_read_input_tokens: 100,
        },
      },
      counts(125, 7, 100, 20),
    ],
    [
      'the first event of Anthropic',
      { type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } },
      counts(9, 1),
    ],
    [
      'Gemini, whose thoughts are output',
      {
        usageMetadata: {
          promptTokenCount: 20,
          candidatesTokenCount: 5,
          thoughtsTokenCount: 30,
          cachedContentTokenCount: 12,
        },
      },
      counts(20, 35, 12),
    ],
    [
      'Cohere, by what was counted, with what of it is not billed',
      {
        usage: {
          billed_units: { input_tokens: 1, output_tokens: 1 },
          tokens: { input_tokens: 70, output_tokens: 8 },
        },
      },
      { ...counts(70, 8), extras: { unbilledInput: 69 } },
    ],
    [
      'the last event of Cohere',
      { type: 'message-end', delta: { usage: { tokens: { input_tokens: 4, output_tokens: 6 } } } },
      counts(4, 6),
    ],
    [
      'Bedrock',
      {
        usage: {
          inputTokens: 2,
          outputTokens: 3,
          totalTokens: 25,
          cacheReadInputTokens: 15,
          cacheWriteInputTokens: 5,
        },
      },
      counts(22, 3, 15, 5),
    ],
    ['Ollama', { done: true, prompt_eval_count: 26, eval_count: 298 }, counts(26, 298)],
    [
      'OpenRouter with its price',
      { usage: { prompt_tokens: 1, completion_tokens: 2, cost: 0.00014 } },
      counts(1, 2, 0, 0, 140),
    ],
    [
      'OpenRouter with a key of the owner behind it',
      {
        usage: {
          ...{ prompt_tokens: 1, completion_tokens: 2, cost: 0.00001, is_byok: true },
          cost_details: { upstream_inference_cost: 0.0002 },
        },
      },
      counts(1, 2, 0, 0, 210),
    ],
    [
      'xAI with its price',
      { usage: { prompt_tokens: 1, completion_tokens: 2, cost_in_usd_ticks: 37_756_000 } },
      counts(1, 2, 0, 0, 3_776),
    ],
    ['Groq', { x_groq: { usage: { prompt_tokens: 3, completion_tokens: 4 } } }, counts(3, 4)],
    ['Moonshot', { choices: [{ usage: { prompt_tokens: 3, completion_tokens: 4 } }] }, counts(3, 4)],
  ])('are read of %s', (_what, answer, expected) => {
    expect(read(answer)).toEqual(expected)
  })

  it.each([
    ...[null, 7, 'x', [], {}, { usage: null }, { usage: {} }, { usage: [1] }, { usageMetadata: 3 }],
    { usage: { prompt_tokens: '7', completion_tokens: -1 } },
    { usage: { input_tokens: 1.5, output_tokens: 1e300 } },
    { choices: [{ message: { content: { usage: { prompt_tokens: 5 } } } }] },
  ])('are none in %j', (answer) => {
    expect(read(answer)).toBeNull()
  })

  it('leave out a count that is none, and keep the cache within the input', () => {
    expect(read({ usage: { prompt_tokens: Number.NaN, completion_tokens: 5, cost: -1 } })).toEqual(
      counts(0, 5),
    )
    expect(
      read({
        usage: { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 9 } },
      }),
    ).toEqual(counts(5, 1, 5))
    const huge = Number.MAX_SAFE_INTEGER
    expect(
      read({ usage: { input_tokens: huge, cache_read_input_tokens: huge, output_tokens: 1 } })?.input,
    ).toBe(0)
  })

  it("count once over Anthropic's events, which each count from the beginning", () => {
    const events = [
      { message: { usage: { input_tokens: 5, cache_read_input_tokens: 100, output_tokens: 1 } } },
      { type: 'message_delta', usage: { output_tokens: 30 } },
      { type: 'message_delta', usage: { input_tokens: 5, output_tokens: 42 } },
    ]
    const told = events.map(readUsage).reduce(mergeUsage, null)
    expect(told && tokenUsage(told)).toEqual(counts(105, 42, 100))
  })

  it('come with the name of the model', () => {
    expect(readModel({ model: 'gpt-5' })).toBe('gpt-5')
    expect(readModel({ modelVersion: 'gemini-2.5-pro' })).toBe('gemini-2.5-pro')
    expect(readModel({ message: { model: 'claude-x' } })).toBe('claude-x')
    expect(readModel({ response: { model: 'gpt-5' } })).toBe('gpt-5')
    expect(readModel({ model: 3 })).toBeNull()
  })
})
