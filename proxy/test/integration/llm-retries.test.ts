/** What real clients do with a refusal: they retry by themselves, and must not where that cannot help within a minute. */
import Anthropic from '@anthropic-ai/sdk'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const HELLO = { model: 'demo', max_tokens: 5, messages: [{ role: 'user' as const, content: 'Say hello.' }] }

let kit: LlmKit
let serial = 0
beforeAll(async () => {
  kit = await createLlmKit()
})
afterAll(() => kit?.[Symbol.asyncDispose]())

/** Each counts its requests, with the retries that its SDK makes by default. */
const clients = {
  openai: (apiKey: string, fetch: typeof globalThis.fetch) =>
    new OpenAI({ apiKey, fetch, baseURL: kit.base('openai', '/v1') }).chat.completions.create(HELLO),
  anthropic: (apiKey: string, fetch: typeof globalThis.fetch) =>
    new Anthropic({ apiKey, fetch, baseURL: kit.base('anthropic') }).messages.create(HELLO),
  groq: (apiKey: string, fetch: typeof globalThis.fetch) =>
    new Groq({ apiKey, fetch, baseURL: kit.base('groq') }).chat.completions.create(HELLO),
}

async function refusedAfter(vendor: keyof typeof clients, token: string) {
  let requests = 0
  const counting: typeof globalThis.fetch = (input, init) => {
    requests += 1
    return fetch(input, init)
  }
  const error = await clients[vendor](token, counting).then(
    () => null,
    (thrown: { status?: number; headers?: Headers; message: string }) => thrown,
  )
  return { requests, status: error?.status, headers: error?.headers, message: error?.message }
}

describe.each(Object.keys(clients) as (keyof typeof clients)[])('the SDK of %s', (vendor) => {
  it('is told at once that no key is stored, instead of asking for it again and again', async () => {
    const agent = `keyless-${++serial}`
    const token = await kit.addAgent(agent)
    await kit.grant(vendor, { agent })
    const { requests, status, headers, message } = await refusedAfter(vendor, token)
    expect([requests, status, headers?.get('x-oauth3-error')]).toEqual([1, 403, 'no_key'])
    expect(message).toContain(`oauth3 key add ${vendor}`)
  })
})

/** What no other try mends is tried once, whatever its client thinks of the status, and is no 404: Claude Code would speak of the model. */
describe.each([
  [
    'a provider that is not there',
    async (token: string) => kit.ask('/llm/nobody/v1/messages', { token, body: HELLO }),
  ],
  [
    'a token that was revoked',
    async () => kit.ask('/llm/anthropic/v1/messages', { token: 'oa3_revoked', body: HELLO }),
  ],
  [
    'a key that is not there',
    async (token: string) => kit.ask('/llm/mistral/v1/chat/completions', { token, body: HELLO }),
  ],
  ['what no card grants', async (token: string) => kit.ask('/llm/openai/v1/organization/users', { token })],
])('the refusal of %s', (_what, ask) => {
  it('is final', async () => {
    const agent = `final-${++serial}`
    const token = await kit.addAgent(agent)
    await kit.grant('mistral', { agent })
    const { status, headers } = await ask(token)
    expect([400, 401, 402, 403]).toContain(status)
    expect([headers.get('x-should-retry'), headers.get('retry-after')]).toEqual(['false', null])
  })
})

describe('the Anthropic SDK', () => {
  it('is told at once that the day is used up, instead of sleeping until it ends', async () => {
    const agent = `spent-${++serial}`
    const token = await kit.addAgent(agent)
    await kit.addKey('anthropic')
    await kit.grant('anthropic', { agent, limits: { tokens_per_day: 30 } })
    const { requests, status, headers } = await refusedAfter('anthropic', token)
    expect([requests, status, headers?.get('x-oauth3-error')]).toEqual([1, 429, 'limit_passed'])
    expect(headers?.get('x-should-retry')).toBe('false')
    // Those who ask no such header would obey this one.
    expect(headers?.get('retry-after')).toBeNull()
    expect(Number(headers?.get('x-oauth3-retry-after'))).toBeGreaterThan(0)
  })
})
