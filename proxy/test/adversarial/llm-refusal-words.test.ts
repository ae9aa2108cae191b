/**
 * LangChain for JavaScript goes by the words of a 429's message: "try again in 20 s" makes seven requests of one that cannot pass,
 * "billing" ends one that soon could, and no header takes either back (`@langchain/core`, utils/async_caller.ts).
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const ASKS_AGAIN =
  /(?:try again in|retry after)\s+(\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)\b/i
const GIVES_UP =
  /insufficient[_ -]?quota|exceeded (?:your|the current|the available).+quota|usage quota|quota (?:has been )?exhausted|billing|credit balance|out of credits|will reset at/i

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit({ environment: { OAUTH3_MAX_WAITING: '1' } })
  await kit.addKey('openai')
  await kit.addKey('anthropic')
  await kit.addKey('mistral')
})
afterAll(() => kit?.[Symbol.asyncDispose]())

let serial = 0
async function agentWith(limits?: Parameters<LlmKit['grant']>[1]): Promise<string> {
  serial += 1
  const agent = `words-${serial}`
  const token = await kit.addAgent(agent)
  if (limits !== undefined) await kit.grant('openai', { ...limits, agent })
  return token
}

const passed: Readonly<Record<string, () => Promise<Awaited<ReturnType<LlmKit['ask']>>>>> = {
  'requests of this minute': async () => {
    const token = await agentWith({ limits: { requests_per_minute: 1 } })
    await kit.ask(CHAT, { token, body: chatBody() })
    return kit.ask(CHAT, { token, body: chatBody() })
  },
  'tokens of this day, used up': async () => {
    const token = await agentWith({ limits: { tokens_per_day: 1_000 } })
    const usage = { prompt_tokens: 20, completion_tokens: 2_000, total_tokens: 2_020 }
    kit.vendors.next('openai', () => json({ choices: [], usage }))
    await kit.ask(CHAT, { token, body: chatBody({ max_tokens: 100 }) })
    return kit.ask(CHAT, { token, body: chatBody({ max_tokens: 100 }) })
  },
  'tokens of this day, one request': async () => {
    const token = await agentWith({ limits: { tokens_per_day: 1_000 } })
    return kit.ask(CHAT, { token, body: chatBody({ max_tokens: 2_000 }) })
  },
  'tokens of this day, held by another': async () => {
    const token = await agentWith({ limits: { tokens_per_day: 1_000 } })
    const hold = Promise.withResolvers<void>()
    kit.vendors.next('openai', async () => {
      await hold.promise
      return json({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })
    })
    const coming = kit.vendors.nextCall('openai')
    const first = kit.ask(CHAT, { token, body: chatBody({ max_tokens: 800 }) })
    await coming
    const second = await kit.ask(CHAT, { token, body: chatBody({ max_tokens: 800 }) })
    hold.resolve()
    await first
    return second
  },
  'dollars of this day': async () => {
    const token = await agentWith({ limits: { micro_usd_per_day: 10 } })
    return kit.ask(CHAT, { token, body: chatBody({ model: 'gpt-4o', max_tokens: 2_000 }) })
  },
  'asks that wait': async () => {
    const token = await agentWith()
    const headers = { prefer: 'wait=0', 'anthropic-version': '2023-06-01' }
    await kit.ask(CHAT, { token, headers, body: chatBody() })
    const body = { model: 'm', max_tokens: 5, messages: [] }
    return kit.ask('/llm/anthropic/v1/messages', { token, headers, body })
  },
  'keys in cooldown': async () => {
    const token = await agentWith()
    await kit.grant('mistral', { agent: `words-${serial}` })
    kit.vendors.next('mistral', () => json({}, 429, { 'retry-after': '30' }))
    await kit.ask('/llm/mistral/v1/chat/completions', { token, body: chatBody() })
    return kit.ask('/llm/mistral/v1/chat/completions', { token, body: chatBody() })
  },
}

it.each(Object.keys(passed))(
  'a 429 has no words that decide how often it is sent again: %s',
  async (name) => {
    const { status, json: body } = await (passed[name] as () => Promise<Awaited<ReturnType<LlmKit['ask']>>>)()
    const { message } = body.error
    expect([status, message]).toEqual([429, expect.any(String)])
    expect(message).not.toMatch(ASKS_AGAIN)
    expect(message).not.toMatch(GIVES_UP)
  },
)

it('a refusal at OpenRouter has the form that its SDK holds errors against: a whole number for `code`', async () => {
  await kit.addKey('openrouter')
  const token = await agentWith()
  const chat = '/llm/openrouter/api/v1/chat/completions'
  const refused = await kit.ask(chat, { token, headers: { prefer: 'wait=0' }, body: chatBody() })
  expect([refused.status, refused.json]).toEqual([
    403,
    {
      error: {
        code: 403,
        message: expect.stringMatching(/^waiting for/),
        metadata: { error_type: 'approval_pending' },
      },
    },
  ])
})
