import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import { Exchange } from './exchange.ts'
import { createHeldRequests } from './held-requests.ts'
import { HOLD_TIMES, patienceOf, streamFormOf } from './patience.ts'
import { type Reading, shapeAt } from './read-head.ts'

const MIB = 1_048_576
const exchange = (
  method = 'POST',
  response: object | null = {},
  headers: Readonly<Record<string, string>> = {},
): Exchange => new Exchange({ method, headers } as IncomingMessage, response as ServerResponse | null)
const reading = (rest: string, query = '', waitSeconds: number | null = null): Reading =>
  ({ rest, credential: { query }, head: { waitSeconds } }) as Reading
const waits = (form: 'openai' | null, wait: number | null): number =>
  patienceOf(
    reading('/chat/completions', '', wait),
    exchange(),
    { held: createHeldRequests(), holdTimes: HOLD_TIMES },
    { agentId: 'agt_a', form, bodyBytes: 0 },
  ).waitMs / 1_000

describe('a request waits for the owner', () => {
  it.each([
    ['no stream, nothing said', null, null, 55],
    ['no stream, as long as it says', null, 120, 120],
    ['no stream, more than there is', null, 3_600, 120],
    ['a stream, nothing said', 'openai', null, 3_600],
    ['a stream, less than there is', 'openai', 30, 30],
    ['a stream, more than there is', 'openai', 99_999, 3_600],
    ['none that will not', 'openai', 0, 0],
  ] as const)('%s', (_what, form, wait, seconds) => {
    expect(waits(form, wait)).toBe(seconds)
  })

  it('and a stream begins before the first client gives up an answer that does not come', () => {
    expect(HOLD_TIMES.beginMs).toBeLessThan(60_000)
    expect(waits(null, null)).toBeLessThan(60)
  })
})

describe('places to wait in', () => {
  it('are few for one agent, and never all of them', () => {
    const held = createHeldRequests()
    const taken = Array.from({ length: 200 }, () => held.take('agt_a', 10)).filter((place) => place !== null)
    expect(taken).toHaveLength(64)
    expect(held.take('agt_b', 10)).not.toBeNull()
    taken[0]?.[Symbol.dispose]()
    taken[0]?.[Symbol.dispose]()
    expect([held.take('agt_a', 10) === null, held.take('agt_a', 10) === null]).toEqual([false, true])
  })

  it('are few in bytes too, and what was refused takes none', () => {
    const held = createHeldRequests()
    expect(held.take('agt_a', 17 * MIB)).toBeNull()
    const two = [held.take('agt_a', 8 * MIB), held.take('agt_a', 8 * MIB)]
    expect(two).not.toContain(null)
    expect(held.take('agt_a', 1)).toBeNull()
    expect(held.take('agt_b', 8 * MIB)).not.toBeNull()
    for (const place of two) place?.[Symbol.dispose]()
    expect(held.take('agt_a', 16 * MIB)).not.toBeNull()
  })
})

describe('an answer that begins while its request waits', async () => {
  const providers = await createTestProviders()
  const formOf = (name: string, rest: string, query: string, asksForStream: boolean, at = exchange()) => {
    const provider = found(providers, name)
    return streamFormOf({
      ...{
        provider,
        shape: shapeAt(provider, rest),
        reading: reading(rest, query),
        exchange: at,
        asksForStream,
      },
    })
  }
  it('is none that waits for the SDK of Google that reads no comments (@google/generative-ai)', () => {
    const stream = (client: string) =>
      formOf(
        'google',
        '/v1beta/models/m:streamGenerateContent',
        'alt=sse',
        true,
        exchange('POST', {}, { 'x-goog-api-client': client }),
      )
    expect(stream('genai-js/0.24.1')).toBeNull()
    expect(stream('my-app/1 genai-js/0.24.1')).toBeNull()
    expect(stream('google-genai-sdk/3.3.0 gl-node/v24')).toBe('google')
  })

  it.each([
    ['openai', '/v1/chat/completions', '', 'openai'],
    ['openai', '/v1/responses', '', 'responses'],
    ['anthropic', '/v1/messages', 'beta=true', 'anthropic'],
    ['openrouter', '/v1/messages', '', 'anthropic'],
    ['google', '/v1beta/models/m:streamGenerateContent', 'alt=sse', 'google'],
    ['google', '/v1beta/openai/chat/completions', '', 'openai'],
    ['cohere', '/v2/chat', '', 'openai'],
  ] as const)('is a stream of events in the form of its endpoint: %s %s?%s', (name, rest, query, form) => {
    expect(formOf(name, rest, query, true)).toBe(form)
  })

  it.each([
    ['openai', '/v1/embeddings', ''],
    ['openai', '/v1/audio/speech', ''],
    ['ollama', '/api/chat', ''],
    ['google', '/v1beta/models/m:streamGenerateContent', ''],
    ['google', '/v1beta/models/m:generateContent', 'alt=sse'],
    ['anthropic', '/v1/messages/count_tokens', ''],
    ['anthropic', '/v1/messages/batches', ''],
    ['openai', '/v1/responses/resp_1', ''],
  ])('is none where the vendor answers in another form: %s %s?%s', (name, rest, query) => {
    expect(formOf(name, rest, query, true)).toBeNull()
  })

  it('is none where nobody asked for one, of another method, and of a WebSocket', () => {
    expect(formOf('openai', '/v1/chat/completions', '', false)).toBeNull()
    expect(formOf('openai', '/v1/chat/completions', '', true, exchange('GET'))).toBeNull()
    expect(formOf('openai', '/v1/responses', '', true, exchange('POST', null))).toBeNull()
  })
})
