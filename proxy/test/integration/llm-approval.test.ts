import { connect } from 'node:net'
import Anthropic, { type APIError as AnthropicError } from '@anthropic-ai/sdk'
import { type ApiError as GoogleError, GoogleGenAI } from '@google/genai'
import OpenAI, { type APIError } from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DoubleMessage } from '../support/bot-api-double.ts'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { patience } from '../support/pace.ts'
import { ANN } from '../support/telegram-kit.ts'
import { chatAnswer, WORDS } from '../support/vendor-answers.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const HELLO = { model: 'gpt-demo', messages: [{ role: 'user' as const, content: 'Say hello.' }] }

let kit: LlmKit
let token: string
let agent: string
let serial = 0
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.addKey('openai')
  await kit.addKey('anthropic')
  await kit.addKey('google')
})
beforeEach(async () => {
  agent = `asker-${++serial}x`
  token = await kit.addAgent(agent)
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const client = (): OpenAI => new OpenAI({ apiKey: token, baseURL: kit.base('openai', '/v1'), maxRetries: 0 })
const card = (): Promise<DoubleMessage> =>
  kit.daemon.telegram.waitForMessage(
    ({ text, buttons }) => buttons.length > 0 && text.includes(agent) && text.includes('May this agent'),
  )
const press = (message: DoubleMessage, button: string): Promise<{ text: string }> =>
  kit.daemon.telegram.press(kit.daemon.chatId, message.messageId, button, ANN).answered
const forwarded = (): number => kit.vendors.calls.length
const cards = (): DoubleMessage[] =>
  kit.daemon.telegram.messages.filter(
    ({ text, fromBot }) =>
      fromBot && text.includes(agent) && /May this agent|Granted|Denied|Expired/.test(text),
  )

describe('the first use of a provider', () => {
  it('waits for the owner and goes on by itself after the press; the next needs none', async () => {
    const before = forwarded()
    const asked = client().chat.completions.create(HELLO)
    const shown = await card()
    expect(shown.text).toContain('openai')
    expect(shown.text).toContain('api.openai.com')
    expect(shown.text).toContain('gpt-demo')
    expect(shown.text).toContain('/chat/completions')
    expect(forwarded()).toBe(before)
    expect(await press(shown, '⏱ 24 hours')).toMatchObject({ text: 'Granted for 24 hours' })
    expect((await asked).choices[0]?.message.content).toBe(WORDS.join(''))
    await client().chat.completions.create({ ...HELLO, model: 'gpt-other' })
    expect(cards()).toHaveLength(1)
    await kit.daemon.telegram.waitFor(
      () => shown.buttons.length === 0 && shown.text.includes('Ann'),
      'the outcome',
    )
  })

  it('answers at once with approval_pending and Retry-After when the caller will not wait', async () => {
    const before = forwarded()
    const error = (await client()
      .chat.completions.create(HELLO, { headers: { prefer: 'wait=0' } })
      .catch((thrown: unknown) => thrown)) as APIError
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(error.code).toBe('approval_pending')
    expect(error.message).toContain('openai')
    expect(error.headers?.get('x-oauth3-error')).toBe('approval_pending')
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0)
    expect(forwarded()).toBe(before)
    await press(await card(), '♾ Always')
    await client().chat.completions.create(HELLO, { headers: { prefer: 'wait=0' } })
    expect(kit.vendors.callsTo('openai').at(-1)?.headers.prefer).toBeUndefined()
  })

  it('is asked for with the names of apps whose runs may go by the same key, as long as they may', async () => {
    const { admin } = kit.daemon
    for (const [name, provider] of [
      ['cauldron', 'openai'],
      ['elsewhere', 'google'],
    ])
      expect((await admin('POST', '/v1/apps', { name, provider })).status).toBeLessThan(300)
    const asked = () => kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    await asked()
    const shown = await card()
    expect(shown.text).toMatch(/Runs of cauldron may go by the same key.*shared_key/)
    expect(shown.text).toContain(
      `oauth3 key add openai --tag ${agent}, and: oauth3 agent tag ${agent} --tag ${agent}`,
    )
    expect(shown.text).not.toContain('elsewhere')
    await press(shown, '❌ Deny')
    expect((await admin('DELETE', '/v1/apps/cauldron')).status).toBe(200)
    agent = `asker-${++serial}x`
    token = await kit.addAgent(agent)
    await asked()
    expect((await card()).text).not.toContain('shared_key')
  })

  it('comes to nothing for a session whose client has left, however politely', async () => {
    const before = forwarded()
    const { hostname, port } = new URL(kit.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `GET /llm/openai/v1/realtime?model=gpt-demo HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZGVtby1rZXktZGVtby1rZXk=\r\n\r\nearly`,
    )
    const asked = await card()
    socket.destroy()
    for (let turn = 0; turn < 20; turn += 1) await kit.ask('/health')
    await press(asked, '♾ Always')
    await kit.grant('openai', { agent })
    await client().chat.completions.create(HELLO)
    expect(forwarded()).toBe(before + 1)
  })

  it('says no in the error of every SDK, and does not ask the owner again', async () => {
    const asked = client()
      .chat.completions.create(HELLO)
      .catch((thrown: unknown) => thrown)
    await press(await card(), '❌ Deny')
    const error = (await asked) as APIError
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(error.message).toMatch(/owner said no/)
    expect(error.code).toBe('approval_denied')
    const again = await kit.ask(CHAT, { token, body: chatBody() })
    expect([again.status, again.headers.get('x-oauth3-error')]).toEqual([403, 'approval_denied'])
    expect(Number(again.headers.get('x-oauth3-retry-after'))).toBeGreaterThan(0)
    expect(cards()).toHaveLength(1)
    kit.advance(11 * 60_000)
    const later = await kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    expect(later.headers.get('x-oauth3-error')).toBe('approval_pending')
  })

  it('says no to Anthropic’s and Google’s SDKs in their own words', async () => {
    const wait0 = { prefer: 'wait=0' }
    const anthropic = new Anthropic({
      apiKey: token,
      baseURL: kit.base('anthropic'),
      maxRetries: 0,
      defaultHeaders: wait0,
    })
    const error = (await anthropic.messages
      .create({ ...HELLO, max_tokens: 5 })
      .catch((thrown: unknown) => thrown)) as AnthropicError
    expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError)
    expect(error.error).toMatchObject({ type: 'error', error: { type: 'permission_error' } })
    expect(error.message).toContain('anthropic')
    const google = new GoogleGenAI({
      apiKey: token,
      httpOptions: { baseUrl: kit.base('google'), headers: wait0 },
    })
    const other = (await google.models
      .generateContent({ model: 'gemini-demo', contents: 'hello' })
      .catch((thrown: unknown) => thrown)) as GoogleError
    expect(JSON.parse(other.message)).toMatchObject({
      error: { code: 403, status: 'PERMISSION_DENIED', message: expect.stringContaining('google') },
    })
  })

  it('asks once, however many requests come at once, and one press lets all of them go', async () => {
    const asked = Array.from({ length: 30 }, () => client().chat.completions.create(HELLO))
    await press(await card(), '⏱ 1 hour')
    for (const answer of await Promise.all(asked)) expect(answer.choices).toHaveLength(1)
    expect(cards()).toHaveLength(1)
  })

  it('sends nothing to the provider for a caller that has left before the press', async () => {
    const leave = new AbortController()
    const asked = client().chat.completions.create(HELLO, { signal: leave.signal })
    const refused = expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
    const shown = await card()
    leave.abort()
    await refused
    // The daemon hears of it from its socket, a few turns of its loop later.
    for (let turn = 0; turn < 50; turn++) await kit.ask('/health')
    const before = forwarded()
    await press(shown, '⏱ 1 hour')
    // A request that came later has its answer, the one that left was never sent.
    await client().chat.completions.create(HELLO)
    expect(forwarded()).toBe(before + 1)
  })

  it('can be for one model alone: another one is asked for', async () => {
    const asked = client().chat.completions.create(HELLO)
    await press(await card(), 'Only it: 24 h')
    await asked
    await client().chat.completions.create(HELLO)
    const other = await kit.ask(CHAT, {
      token,
      body: chatBody({ model: 'gpt-dear' }),
      headers: { prefer: 'wait=0' },
    })
    expect(other.headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(kit.vendors.callsTo('openai').map(({ json }) => json?.model)).not.toContain('gpt-dear')
  })

  it('is answered on the owner’s own terminal as well', async () => {
    const asked = client().chat.completions.create(HELLO)
    await card()
    const { asks } = await kit.admin('GET', '/v1/asks')
    const ask = asks.find((row: { agent: string }) => row.agent === agent)
    expect(ask).toMatchObject({ provider: 'openai', model: 'gpt-demo', status: 'pending' })
    await kit.admin('POST', `/v1/asks/${ask.id}/decision`, {
      decision: '1h',
      consent_hash: ask.consent_hash,
    })
    await asked
    kit.advance(3_600_001)
    const expired = await kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    expect(expired.headers.get('x-oauth3-error')).toBe('approval_pending')
  })

  it('shows a hostile name of a model as text, and nothing of it is a button or a tag', async () => {
    const model = '<b>x</b>\u202egpt\n🧠 Model: `safe`'
    const asked = await kit.ask(CHAT, { token, body: chatBody({ model }), headers: { prefer: 'wait=0' } })
    expect(asked.headers.get('x-oauth3-error')).toBe('approval_pending')
    const shown = await card()
    expect(shown.text).toContain('<b>x</b>')
    expect(shown.text).not.toContain('\u202e')
    expect(shown.text.split('\n').filter((line) => line.includes('Model:'))).toHaveLength(1)
  })

  it('is in /grants, and ended by /revoke', async () => {
    const asked = client().chat.completions.create(HELLO)
    await press(await card(), '♾ Always')
    await asked
    const { telegram, chatId } = kit.daemon
    telegram.say(chatId, '/grants', ANN)
    const list = await telegram.waitForMessage(
      ({ text, fromBot }) => fromBot && text.includes('End one with /revoke') && text.includes(agent),
    )
    const id = new RegExp(`P(\\d+)\\. ${agent} `).exec(list.text)?.[1]
    expect(id).toBeDefined()
    telegram.say(chatId, `/revoke P${id}`, ANN)
    await telegram.waitForMessage(({ text, fromBot }) => fromBot && text.includes(`Revoked P${id}.`))
    const refused = await kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    expect(refused.headers.get('x-oauth3-error')).toBe('approval_pending')
  })
})

describe('a limit of a grant', () => {
  const notices = (): DoubleMessage[] =>
    kit.daemon.telegram.messages.filter(({ text }) => text.includes('Limit passed') && text.includes(agent))

  it('on requests a minute answers 429 in the shape of the vendor, and tells the owner once', async () => {
    const two = { requests_per_minute: 2 }
    for (const provider of ['openai', 'anthropic', 'google'])
      await kit.grant(provider, { agent, limits: two })
    const openai = client()
    for (let count = 0; count < 2; count++) await openai.chat.completions.create(HELLO)
    const before = forwarded()
    for (let count = 0; count < 3; count++) {
      const error = (await openai.chat.completions
        .create(HELLO)
        .catch((thrown: unknown) => thrown)) as APIError
      expect(error).toBeInstanceOf(OpenAI.RateLimitError)
      expect(error.code).toBe('limit_passed')
      expect(error.message).toContain('The limit of requests a minute for openai is used up')
      const seconds = Number(error.headers?.get('retry-after'))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(61)
    }
    expect(forwarded()).toBe(before)
    // Notices leave when cards leave room for them: the chat takes one message a second.
    await kit.daemon.telegram.waitFor(() => notices().length > 0, 'the notice', patience(40_000))
    const anthropic = new Anthropic({ apiKey: token, baseURL: kit.base('anthropic'), maxRetries: 0 })
    const message = { ...HELLO, max_tokens: 5 }
    for (let count = 0; count < 2; count++) await anthropic.messages.create(message)
    const other = (await anthropic.messages
      .create(message)
      .catch((thrown: unknown) => thrown)) as AnthropicError
    expect(other).toBeInstanceOf(Anthropic.RateLimitError)
    expect(other.error).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    const google = new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: kit.base('google') } })
    const wanted = { model: 'gemini-demo', contents: 'hello' }
    for (let count = 0; count < 2; count++) await google.models.generateContent(wanted)
    const third = (await google.models
      .generateContent(wanted)
      .catch((thrown: unknown) => thrown)) as GoogleError
    expect(JSON.parse(third.message)).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } })
    await kit.daemon.telegram.waitFor(
      () => notices().length === 3,
      'a notice for each grant',
      patience(40_000),
    )
    expect(notices().filter(({ text }) => text.includes('openai'))).toHaveLength(1)
    kit.advance(61_000)
    await openai.chat.completions.create(HELLO)
  })

  it('on tokens a day is not passed by many requests together', async () => {
    await kit.grant('openai', { agent, limits: { tokens_per_day: 5_000 } })
    const before = forwarded()
    const go = Promise.withResolvers<void>()
    for (let count = 0; count < 40; count++) {
      kit.vendors.next('openai', async (call) => {
        await go.promise
        return chatAnswer(call)
      })
    }
    let refused = 0
    const asked = Array.from({ length: 40 }, async () => {
      const answer = await kit.ask(CHAT, { token, body: chatBody({ max_tokens: 1_000 }) })
      if (answer.status !== 200) refused += 1
      return answer
    })
    await kit.daemon.telegram.waitFor(() => forwarded() - before + refused === 40, 'all of them')
    go.resolve()
    const answers = await Promise.all(asked)
    const passed = answers.filter(({ status }) => status === 200)
    expect(passed.length).toBeGreaterThan(0)
    expect(passed.length).toBeLessThanOrEqual(5)
    expect(forwarded() - before).toBe(passed.length)
    for (const { status, headers } of answers)
      if (status !== 200) expect([status, headers.get('x-oauth3-error')]).toEqual([429, 'limit_passed'])
    kit.vendors.clearPlays()
    // What was settled is counted in place of what was feared.
    expect((await kit.ask(CHAT, { token, body: chatBody({ max_tokens: 1_000 }) })).status).toBe(200)
  })

  it('on money a day counts by the price, and outlives a restart', async () => {
    const model = `dear-${serial}`
    await kit.admin('PUT', '/v1/prices', { provider: 'openai', model, input: 1_000_000, output: 1_000_000 })
    await kit.grant('openai', { agent, limits: { micro_usd_per_day: 200 } })
    const ask = () => kit.ask(CHAT, { token, body: chatBody({ model, max_tokens: 10 }) })
    // 19 in and 10 out are 29 each; more than that is held for each while it is under way.
    let passed = 0
    while ((await ask()).status === 200) {
      passed += 1
      await kit.usageOf(model, passed)
    }
    expect(passed).toBeGreaterThan(2)
    expect(passed * 29).toBeLessThanOrEqual(200)
    expect((await ask()).headers.get('x-oauth3-error')).toBe('limit_passed')
    await kit.daemon.restart()
    expect((await ask()).headers.get('x-oauth3-error')).toBe('limit_passed')
  })

  it('on paths and models asks the owner for what is beyond them', async () => {
    await kit.grant('openai', { agent, paths: ['/embeddings'], modelsAllowed: ['embed-*'] })
    const embedded = await kit.ask('/llm/openai/v1/embeddings', {
      token,
      body: { model: 'embed-demo', input: 'x' },
    })
    expect(embedded.status).toBe(200)
    for (const [path, body, code] of [
      [CHAT, chatBody({ model: 'embed-demo' }), 'approval_pending'],
      ['/llm/openai/v1/embeddings', { model: 'gpt-demo', input: 'x' }, 'approval_pending'],
      ['/llm/openai/v1/embeddingsX', { model: 'embed-demo', input: 'x' }, 'owner_only'],
    ] as const) {
      const refused = await kit.ask(path, { token, body, headers: { prefer: 'wait=0' } })
      expect(refused.headers.get('x-oauth3-error'), path).toBe(code)
    }
  })
})
