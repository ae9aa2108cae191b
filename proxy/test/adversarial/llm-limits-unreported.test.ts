/** Limits on tokens and money over answers whose figures never come, or come where nobody looks. */
import { describe, expect, it } from 'vitest'
import { CHAT, useLimitsKit } from '../support/limits-kit.ts'
import { chatBody } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import { said } from '../support/vendor-meter.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const limits = useLimitsKit()
const { ask, limited } = limits

describe('a stream that is left before its figures', () => {
  /** A client that takes the first piece and goes. */
  async function leave(token: string, body: unknown, path = CHAT): Promise<void> {
    const gone = new AbortController()
    const response = await fetch(limits.kit.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
      },
      body: JSON.stringify(body),
      signal: gone.signal,
    })
    expect((await response.body?.getReader().read())?.done).toBe(false)
    gone.abort()
  }
  const EVENTS = { headers: { 'content-type': 'text/event-stream' } }
  const usageOf = (output: number) =>
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 20, completion_tokens: output, total_tokens: output + 20 } })}\n\n`

  it('is read on until they come, hidden reasoning and all', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    const more = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await more.promise
      await write(call, response, usageOf(8_800))
      response.end()
    })
    const coming = limits.kit.vendors.nextCall('openai')
    await leave(token, chatBody({ model: 'left-1', stream: true, max_tokens: 9_000 }))
    // What it may use is held as long as it is under way.
    const beside = await ask('openai', CHAT, token, chatBody({ max_tokens: 2_000 }))
    expect(beside.code).toBe('limit_passed')
    const call = await coming
    expect(call.signal.aborted).toBe(false)
    more.resolve()
    expect(await limits.kit.usageOf('left-1', 1)).toMatchObject({ output_tokens: 8_800, untold: 0 })
    const after = await ask('openai', CHAT, token, chatBody({ max_tokens: 1_300 }))
    expect(after.code).toBe('limit_passed')
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).status).toBe(200)
  })

  it('counts with all that was reserved when they do not come, over a restart too', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    const end = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await end.promise
      response.destroy()
    })
    await leave(token, chatBody({ model: 'left-2', stream: true, max_tokens: 9_000 }))
    end.resolve()
    await limits.kit.usageOf('left-2', 1)
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
    await limits.kit.daemon.restart()
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 500 }))).status).toBe(200)
  })

  it('counts so when the daemon stops meanwhile', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await call.gone
    })
    await leave(token, chatBody({ stream: true, max_tokens: 9_000 }))
    await limits.kit.daemon.restart()
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
  })

  it.each<[string, VendorName, string, string]>([
    ['without any', 'openai', CHAT, said('one word')],
    [
      'with those of its input alone',
      'anthropic',
      '/llm/anthropic/v1/messages',
      `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 20, output_tokens: 1 } } })}\n\n`,
    ],
    [
      'with those of a piece in the middle',
      'google',
      '/llm/google/v1beta/models/gemini-demo:streamGenerateContent?alt=sse',
      `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'a' }] } }], usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 1 } })}\n\n`,
    ],
  ])('counts with all that was reserved when the vendor ends it %s', async (_how, vendor, path, piece) => {
    const token = await limited(vendor, { tokens_per_day: 10_000 })
    const body = (most: number) =>
      vendor === 'google'
        ? { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { maxOutputTokens: most } }
        : chatBody({ stream: true, max_tokens: most })
    limits.kit.vendors.next(vendor, { headers: { 'content-type': 'text/event-stream' }, pieces: [piece] })
    const headers = { 'anthropic-version': '2023-06-01' }
    expect((await ask(vendor, path, token, body(9_000), headers)).status).toBe(200)
    expect((await ask(vendor, path, token, body(1_000), headers)).code).toBe('limit_passed')
  })

  it('is ended at the vendor once its grant is taken back', async () => {
    const agent = 'left-and-revoked'
    const token = await limits.kit.addAgent(agent)
    const grant = await limits.kit.grant('openai', { agent, limits: { tokens_per_day: 10_000 } })
    const gone = Promise.withResolvers<void>()
    limits.kit.vendors.next('openai', async (call, response) => {
      begin(call, response, EVENTS)
      await write(call, response, said('one word'))
      await gone.promise
      while (await write(call, response, said('more'))) {}
    })
    const coming = limits.kit.vendors.nextCall('openai')
    await leave(token, chatBody({ stream: true, max_tokens: 9_000 }))
    await limits.kit.revokeGrant(grant)
    gone.resolve()
    await (await coming).gone
  })

  it('counts a whole answer without figures with all that was reserved', async () => {
    const token = await limited('openai', { tokens_per_day: 10_000 })
    limits.kit.vendors.next('openai', json({ choices: [] }))
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 9_000 }))).status).toBe(200)
    expect((await ask('openai', CHAT, token, chatBody({ max_tokens: 1_000 }))).code).toBe('limit_passed')
  })
})

describe('what leads past the bytes of a body, or hides what was used', () => {
  const words = ' and what it says'.repeat(10_000)
  it.each<[string, VendorName, string, unknown]>([
    [
      'an item that is kept, by its id alone',
      'openai',
      '/llm/openai/v1/responses',
      { model: 'gpt-5', max_output_tokens: 16, input: [{ id: 'msg_1' }, { role: 'user', content: 'x' }] },
    ],
    [
      'text of a document that begins like an image',
      'cohere',
      '/llm/cohere/v2/chat',
      {
        ...{ model: 'command-a', max_tokens: 16, messages: [{ role: 'user', content: 'x' }] },
        documents: [{ id: 'd', data: { url: `iVBORw0KGgo${words}` } }],
      },
    ],
    [
      'the larger maximum in the name of another vendor',
      'deepseek',
      '/llm/deepseek/v1/chat/completions',
      chatBody({ max_tokens: 1, max_completion_tokens: 100_000 }),
    ],
  ])('is held at the most that it may be: %s', async (_name, vendor, path, body) => {
    const token = await limited(vendor, { tokens_per_day: 60_000 })
    const { code, arrived } = await ask(vendor, path, token, body)
    expect([code, arrived]).toEqual(['limit_passed', []])
  })

  it.each<[string, string, Record<string, string>]>([
    ['fields', '?fields=candidates,usageMetadata(promptTokenCount)', {}],
    ['$fields, encoded', '?alt=sse&%24fields=candidates', {}],
    ['x-goog-fieldmask', '', { 'x-goog-fieldmask': 'candidates,usageMetadata.promptTokenCount' }],
  ])('is refused where it leaves figures out: %s', async (_name, query, headers) => {
    const token = await limited('google', { tokens_per_day: 60_000 })
    const path = `/llm/google/v1beta/models/gemini-2.5-pro:generateContent${query}`
    const contents = [{ role: 'user', parts: [{ text: 'x' }] }]
    const { code, arrived } = await ask('google', path, token, { contents }, headers)
    expect([code, arrived]).toEqual(['unmetered', []])
  })

  it('takes sealed reasoning for no more than an image', async () => {
    const token = await limited('anthropic', { tokens_per_day: 60_000 })
    const content = [{ type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix' }]
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content },
      { role: 'user', content: 'y' },
    ]
    const body = { model: 'claude-sonnet-4-5', max_tokens: 32_000, messages }
    const headers = { 'anthropic-version': '2023-06-01' }
    expect((await ask('anthropic', '/llm/anthropic/v1/messages', token, body, headers)).status).toBe(200)
  })
})
