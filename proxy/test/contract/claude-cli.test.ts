/** What the pinned CLI really does, in its container, against the Messages API played at the wire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelOf } from '../../src/claude-runs/apps/index.ts'
import { type ClaudeKit, createClaudeKit } from '../support/claude-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { say, use } from '../support/messages-api-double.ts'

const availability = await dockerOrSkip({ images: ['claude'] })

describe.skipIf(!availability.available)('the Claude Code CLI in its container', () => {
  let kit: ClaudeKit
  beforeAll(async () => {
    kit = await createClaudeKit({ poolSize: 1 })
    kit.runner.start()
  })
  afterAll(() => kit[Symbol.asyncDispose]())

  it('answers a prompt with one call, which holds model, system prompt and prompt and nothing of a tool', async () => {
    const { outcome, events, api } = await kit.run({
      prompt: 'Say hello.',
      model: 'claude-opus-5-5',
      system: 'You are terse.',
      appendSystem: 'Be kind.',
      maxOutputTokens: 4_321,
      answer: () => say('{"hello": "world"}'),
    })
    expect(outcome).toMatchObject({
      code: 'ok',
      text: '{"hello": "world"}',
      result: { hello: 'world' },
      stopReason: 'end_turn',
      usage: { inputTokens: 11, outputTokens: 7 },
      turns: 1,
      message: '',
    })
    expect(api.refused).toEqual([])
    expect(api.calls).toHaveLength(1)
    const [call] = api.calls
    expect(call?.body).toMatchObject({ model: 'claude-opus-5-5', max_tokens: 4_321, tools: [] })
    expect(JSON.stringify(call?.body.system)).toContain('You are terse.\\n\\nBe kind.')
    expect(JSON.stringify(call?.body.messages[0])).toContain('Say hello.')
    expect(events.filter(({ type }) => type === 'text')).not.toEqual([])
  })

  it.each(['sonnet', 'opus', 'haiku', 'opusplan'])(
    'asks for the model that %s stands for here',
    async (model) => {
      const { api } = await kit.run({ model, answer: () => say('x') })
      expect(api.calls.map(({ body }) => body.model)).toEqual([modelOf(model)])
      expect(modelOf(model)).not.toBe(model)
    },
  )

  it.each([
    '/help',
    '/context all',
    '/x',
    ' /help',
    '!ls',
    '#note',
    '@/etc/passwd',
    '-p',
    '--',
    '\u2028a\u2029b\r\nc',
    'naïve 🙂',
  ])('takes %j for a text and asks the model', async (prompt) => {
    const { outcome, api } = await kit.run({ prompt, answer: () => say('heard') })
    expect(outcome).toMatchObject({ code: 'ok', text: 'heard' })
    expect(api.calls).toHaveLength(1)
    const [message] = api.calls[0]?.body.messages ?? []
    const content = message?.content as readonly { text: string }[]
    expect(content.map(({ text }) => text)).toEqual([prompt.startsWith('/') ? `\n${prompt}` : prompt])
  })

  it('asks before a tool is used, and a denial reaches the model as text', async () => {
    const { outcome, api, asked, events } = await kit.run({
      tools: ['Bash', 'Read'],
      answer: (_call, at) =>
        at === 0 ? use('Bash', { command: 'echo hi', description: 'x' }) : say('so be it'),
      onTool: async () => ({ behavior: 'deny', message: 'Not on a Sunday.' }),
    })
    expect(outcome).toMatchObject({
      code: 'ok',
      text: 'so be it',
      denials: [{ tool: 'Bash', message: 'Not on a Sunday.' }],
    })
    expect(asked).toMatchObject([{ tool: 'Bash', input: { command: 'echo hi' } }])
    expect(api.calls[1]?.raw).toContain('Not on a Sunday.')
    expect(api.calls[0]?.body.tools?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Bash', 'Read']),
    )
    expect(events).toContainEqual(expect.objectContaining({ type: 'tool_result', isError: true }))
    // What was opened for the use is closed when its result comes: both name it alike.
    const result = events.find(({ type }) => type === 'tool_result')
    expect(asked[0]?.toolUseId).toEqual((result as { id: string }).id)
  })
})
