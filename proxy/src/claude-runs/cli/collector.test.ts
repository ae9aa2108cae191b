import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../index.ts'
import { createCollector } from './collector.ts'
import { parseMessage } from './messages.ts'

function collect(...values: readonly object[]) {
  const events: RunEvent[] = []
  const collector = createCollector((event) => events.push(event))
  for (const value of values) {
    const message = parseMessage(JSON.stringify(value))
    if (message !== null) collector.take(message)
  }
  return { collector, events }
}

const stream = (event: object, parent: string | null = null) => ({
  type: 'stream_event',
  event,
  parent_tool_use_id: parent,
})
const start = (usage: object = { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 3 }) =>
  stream({ type: 'message_start', message: { usage } })
const text = (value: string) =>
  stream({ type: 'content_block_delta', delta: { type: 'text_delta', text: value } })
const stop = (reason: string, output = 5) => [
  stream({ type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: output } }),
  stream({ type: 'message_stop' }),
]
const toolUse = {
  type: 'assistant',
  parent_tool_use_id: null,
  message: { model: 'm', content: [{ type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } }] },
}

describe('what a run came to', () => {
  it('is the last answer with any text, and the sum of what all answers used', () => {
    const { collector, events } = collect(
      start(),
      text('I look. '),
      toolUse,
      toolUse,
      ...stop('tool_use'),
      {
        type: 'user',
        message: {
          content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'a b' }] }],
        },
      },
      start(),
      text('Two '),
      text('files.'),
      ...stop('end_turn', 9),
    )
    expect(collector).toMatchObject({
      text: 'Two files.',
      turns: 2,
      stopReason: 'end_turn',
      usage: { inputTokens: 20, outputTokens: 14, cacheReadTokens: 6, cacheWriteTokens: 0 },
      hasBegun: true,
    })
    expect(events.map(({ type }) => type)).toEqual([
      'text',
      'tool_use',
      'usage',
      'turn_end',
      'tool_result',
      'text',
      'text',
      'usage',
      'turn_end',
    ])
    expect(events).toContainEqual({ type: 'tool_result', id: 't1', isError: false, text: 'a b' })
  })

  it('is what came before a last answer without any text', () => {
    const { collector } = collect(
      start(),
      text('All done.'),
      ...stop('tool_use'),
      start(),
      ...stop('end_turn'),
    )
    expect(collector.text).toBe('All done.')
  })

  it('holds what a cut answer had used by then', () => {
    const { collector } = collect(start(), text('half'))
    expect(collector).toMatchObject({
      text: 'half',
      stopReason: null,
      usage: { inputTokens: 10, outputTokens: 1 },
    })
  })

  it('leaves out what a subagent says', () => {
    const nested = stream(
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'aside' } },
      'toolu_1',
    )
    expect(collect(start(), nested, text('mine')).collector.text).toBe('mine')
  })

  it('counts the bytes of all that it gives', () => {
    expect(collect(start(), text('ä🙂')).collector.outputBytes).toBe(6)
  })

  it('begins anew with the next prompt, but for the sums', () => {
    const { collector } = collect(start(), text('first'), ...stop('end_turn'))
    collector.nextPrompt()
    expect(collector).toMatchObject({ text: '', stopReason: null, turns: 1, usage: { inputTokens: 10 } })
  })

  it.each([
    null,
    42,
    'x',
    {},
    { type: 'stream_event' },
    { type: 'stream_event', event: null },
    { type: 'stream_event', event: { type: 'content_block_delta', delta: { type: 'text_delta', text: 7 } } },
    { type: 'stream_event', event: { type: 'message_start', message: { usage: { input_tokens: -1 } } } },
    { type: 'assistant', message: { content: 'x' } },
    { type: 'assistant', message: null },
    { type: 'user', message: { content: [{ type: 'tool_result' }] } },
    { type: 'constructor' },
    { type: '__proto__' },
  ])('%j changes no text and no sum', (value) => {
    const { collector } = collect(value as object)
    expect(collector.text).toBe('')
    expect(collector.usage).toEqual({
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    })
  })
})

describe('what whoever wrote the prompt may have had a hand in', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const call = (input: string): string =>
    `{"type":"assistant","message":{"content":[{"type":"tool_use","id":"x","name":"Bash","input":${input}}]}}`

  it('is taken as deep as it can be told again, and no deeper', () => {
    expect(parseMessage(call(nested(100)))).toMatchObject({ kind: 'assistant' })
    for (const line of [call(nested(200_000)), `{"type":"result","result":${nested(200_000)}}`])
      expect(parseMessage(line)).toMatchObject({ kind: 'unreadable' })
  })

  it('gives a conversation no id that an argument could not be', () => {
    const init = (id: unknown) =>
      parseMessage(JSON.stringify({ type: 'system', subtype: 'init', session_id: id }))
    const id = '0c8f0c4e-58f5-4c5e-8a38-0a4f3a5d4c11'
    expect(init(id)).toEqual({ kind: 'init', sessionId: id })
    for (const other of ['--settings', `${id}\n`, '../x', '', 7, null])
      expect(init(other)).toEqual({ kind: 'init', sessionId: null })
  })

  it('asks nothing by an id that is long to say back', () => {
    const ask = (id: string) =>
      parseMessage(JSON.stringify({ type: 'control_request', request_id: id, request: { subtype: 'x' } }))
    expect(ask('a')).toEqual({ kind: 'other_request', id: 'a' })
    expect(ask('a'.repeat(1_000))).toEqual({ kind: 'other' })
  })
})
