/** What the proxy puts into requests beyond what a client wrote, at servers that refuse it; and where built-in providers are. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { eventStream, json } from '../support/vendor-answers.ts'
import type { VendorCall } from '../support/vendor-doubles.ts'

let kit: LlmKit
let serial = 0
let model: string
beforeAll(async () => {
  kit = await createLlmKit({ moreNames: ['eu.api.openai.com'] })
  await kit.open('openai')
  await kit.open('deepseek')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
beforeEach(() => {
  serial += 1
  model = `demo-${serial}`
  kit.vendors.clearPlays()
})

const STREAM = [
  'data: {"id":"c","model":"demo","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n',
  'data: [DONE]\n\n',
]
/** A server that knows no `stream_options`, and says so as servers do that check their input. */
const strict = (status: number) => (call: VendorCall) =>
  call.json?.stream_options === undefined
    ? eventStream(STREAM)
    : json({ error: { message: 'Unrecognized request argument supplied: stream_options' } }, status)
const ask = (more: object = {}, vendor = 'openai', token = kit.token) =>
  kit.ask(`/llm/${vendor}/v1/chat/completions`, {
    token,
    body: { model, stream: true, messages: [{ role: 'user', content: 'hello' }], ...more },
  })
const callsFrom = (before: number, vendor: 'openai' | 'deepseek' = 'openai') =>
  kit.vendors.callsTo(vendor).slice(before)

describe('a server that refuses stream_options', () => {
  it.each([400, 422])('with %i is asked once more without it, and never again', async (status) => {
    const before = kit.vendors.callsTo('openai').length
    for (let at = 0; at < 2; at += 1) kit.vendors.next('openai', strict(status))
    const first = await ask()
    expect([first.status, first.text]).toEqual([200, STREAM.join('')])
    kit.vendors.next('openai', strict(status))
    const second = await ask()
    expect([second.status, second.text]).toEqual([200, STREAM.join('')])
    const calls = callsFrom(before)
    expect(calls.map((call) => call.json.stream_options)).toEqual([
      { include_usage: true },
      undefined,
      undefined,
    ])
    expect(new Set(calls.map((call) => call.key)).size).toBe(1)
  })

  it('is asked again with a body of a megabyte, byte for byte but for that', async () => {
    const before = kit.vendors.callsTo('openai').length
    for (let at = 0; at < 2; at += 1) kit.vendors.next('openai', strict(400))
    const content = 'x'.repeat(1_000_000)
    const answer = await ask({ messages: [{ role: 'user', content }] })
    expect(answer.status).toBe(200)
    const [, again] = callsFrom(before)
    expect(again?.body.toString()).toBe(
      JSON.stringify({ model, stream: true, messages: [{ role: 'user', content }] }),
    )
  })

  it('for another reason answers the client with that, and is asked for the tokens of the next stream', async () => {
    const before = kit.vendors.callsTo('openai').length
    const no = json({ error: { message: 'no such model' } }, 400)
    for (let at = 0; at < 2; at += 1) kit.vendors.next('openai', no)
    expect((await ask()).json.error.message).toBe('no such model')
    expect((await ask()).status).toBe(200)
    expect(callsFrom(before).map((call) => call.json.stream_options !== undefined)).toEqual([
      true,
      false,
      true,
    ])
    // It took it: what it refuses now is not refused for that.
    kit.vendors.next('openai', no)
    expect((await ask()).status).toBe(400)
    expect(callsFrom(before)).toHaveLength(4)
  })

  it('is not asked twice for what the client itself wrote', async () => {
    const before = kit.vendors.callsTo('openai').length
    kit.vendors.next('openai', strict(400))
    expect((await ask({ stream_options: { include_usage: true } })).status).toBe(400)
    expect(callsFrom(before)).toHaveLength(1)
  })

  it('under a limit of tokens counts with all that was reserved', async () => {
    const agent = `limited-${serial}`
    const token = await kit.addAgent(agent)
    await kit.grant('openai', { agent, limits: { tokens_per_day: 10_000 } })
    for (let at = 0; at < 2; at += 1) kit.vendors.next('openai', strict(400))
    expect((await ask({ max_completion_tokens: 6_000 }, 'openai', token)).status).toBe(200)
    expect((await ask({ max_completion_tokens: 6_000 }, 'openai', token)).status).toBe(429)
  })

  it('to one agent, by a body of its own, is asked for the tokens of another agent’s streams all the same', async () => {
    const agent = `other-${serial}`
    const token = await kit.addAgent(agent)
    await kit.grant('openai', { agent, limits: { tokens_per_day: 10_000 } })
    kit.vendors.next('openai', json({ error: { message: 'The body is too large.' } }, 400))
    kit.vendors.next('openai', eventStream(STREAM))
    expect((await ask()).status).toBe(200)
    for (let at = 0; at < 3; at += 1) {
      expect((await ask({ max_completion_tokens: 6_000 }, 'openai', token)).status).toBe(200)
    }
  })
})

it('is left out of all requests to a provider that it is switched off for, until it is switched on', async () => {
  const set = (value: string) => kit.admin('PUT', '/v1/providers/deepseek/params/include_usage', { value })
  for (const [value, isAsked] of [
    ['off', false],
    ['on', true],
    ['default', true],
  ] as const) {
    await set(value)
    const before = kit.vendors.callsTo('deepseek').length
    expect((await ask({}, 'deepseek')).status).toBe(200)
    expect(callsFrom(before, 'deepseek')[0]?.json.stream_options !== undefined).toBe(isAsked)
  }
  const odd = await kit.daemon.admin('PUT', '/v1/providers/deepseek/params/include_usage', { value: 'maybe' })
  expect(odd.status).toBe(400)
})

describe('a built-in provider at another address', () => {
  const set = (value: string, more: object = {}) =>
    kit.daemon.admin('PUT', '/v1/providers/openai/params/url', { value, ...more })
  const shown = async () =>
    (await kit.admin('GET', '/v1/providers')).providers.find((one: { name: string }) => one.name === 'openai')

  it('is reached there, and nowhere else, until it is put back', async () => {
    expect((await set('https://eu.api.openai.com/gateway/v1')).status).toBe(200)
    expect(await shown()).toMatchObject({
      url: 'https://eu.api.openai.com/gateway/v1',
      own: false,
      moved: true,
      keys: 1,
    })
    const before = kit.lookups.length
    await ask()
    expect(kit.lookups.slice(before)).toEqual(['eu.api.openai.com'])
    expect((await set('default')).status).toBe(200)
    expect(await shown()).toMatchObject({ url: 'https://api.openai.com/v1', moved: false })
    expect((await ask()).status).toBe(200)
    kit.vendors.faults.splice(0)
  })

  it.each([
    'http://eu.api.openai.com/v1',
    'https://10.0.0.1/v1',
    'https://localhost/v1',
    'https://user@eu.api.openai.com/v1',
    'https://eu.api.openai.com/v1?x=1',
    'https://eu.api.openai.com/../v1',
    'https://*.openai.com/v1',
    'ftp://eu.api.openai.com/v1',
    'off',
  ])('is refused at %s', async (url) => {
    expect((await set(url)).status).toBe(400)
    expect((await shown()).url).toBe('https://api.openai.com/v1')
  })

  it('may be in the own network when that is said', async () => {
    expect((await set('http://10.0.0.1:8080/v1', { private: true })).status).toBe(200)
    expect(await shown()).toMatchObject({ url: 'http://10.0.0.1:8080/v1', private: true })
    expect((await set('default')).status).toBe(200)
    expect((await shown()).private).toBe(false)
  })
})
