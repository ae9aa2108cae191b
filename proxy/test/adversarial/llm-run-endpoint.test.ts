/** Ways for what runs inside a run to have more of a model than its app and its budget allow, or what is another's. */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AppId, DEFAULT_TENANT, newAppId, SecretValue } from '../../src/kernel/index.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { errorOf, MESSAGES, MODEL, message, useRunEndpoints } from '../support/run-endpoint-kit.ts'
import { findSecret } from '../support/secret-search.ts'
import { UNLIMITED } from '../support/usage-kit.ts'
import { json } from '../support/vendor-answers.ts'

const kit = useRunEndpoints()
let key = ''
beforeAll(async () => {
  key = await kit.addKey()
})

const arrived = (): number => kit.vendors.callsTo('anthropic').length
const budget = (of: { usd?: number; tokens?: number; requests?: number }) => ({
  budget: { usd: null, tokens: null, requests: null, ...of },
})

describe('whose a call is', () => {
  it.each([
    ['x-api-key', { 'x-api-key': 'TOKEN' }, ''],
    ['authorization', { authorization: 'Bearer TOKEN' }, ''],
    ['both', { 'x-api-key': 'TOKEN', authorization: 'Bearer TOKEN' }, ''],
    ['the query', {}, '?beta=true&key=TOKEN'],
  ])('the socket says, and no credential in %s', async (_place, headers, query) => {
    const { token } = await kit.domain.agents.add(
      { name: `agent-${_place.replaceAll(' ', '-')}` },
      'cli:1000',
    )
    kit.vendors.forbid(token)
    const run = await kit.run()
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('TOKEN', token)]),
    )
    const answer = await run.ask(message(), { headers: sent, path: MESSAGES + query.replace('TOKEN', token) })
    expect(answer.status).toBe(200)
    expect(kit.vendors.callsTo('anthropic').at(-1)?.key).toBe(key)
    expect(run.binding.usage()).toMatchObject({
      requests: 1,
      inputTokens: 25,
      cacheRead: 7,
      cacheWrite: 11,
      outputTokens: 15,
    })
    // Rounded up to whole millionths.
    expect(run.binding.usage().costUsd).toBe(344 / 1_000_000)
  })

  it('is no other run’s, and not its app’s figures either', async () => {
    const [one, other] = [await kit.run(), await kit.run()]
    await one.ask(message())
    expect(one.binding.usage().requests).toBe(1)
    expect(other.binding.usage().requests).toBe(0)
    one.binding.end()
    await expect(one.ask(message())).rejects.toThrow()
    expect((await other.ask(message())).status).toBe(200)
  })

  it('counts for its app, whose calls leave another app its own, however many runs they come from', async () => {
    const app = { id: 'app_greedy' as AppId, name: 'greedy' }
    const small = await kit.run()
    const held = Promise.withResolvers<void>()
    const answers: Promise<unknown>[] = []
    const codes = new Map<string | undefined, number>()
    const before = arrived()
    // Of one run 64 connections are taken, of one app 512 calls.
    for (let asked = 60; asked <= 9 * 60; asked += 60) {
      const one = await kit.run({ app })
      for (let at = 0; at < 60; at += 1) {
        kit.vendors.next('anthropic', async () => {
          await held.promise
          return json({ type: 'error', error: { type: 'api_error', message: 'late' } }, 500)
        })
        const answer = one.ask(message()).then(errorOf)
        answers.push(answer.then(({ code }) => codes.set(code, (codes.get(code) ?? 0) + 1)))
      }
      // Not all at once: so many handshakes take a busy machine longer than a vendor is waited for.
      await expect.poll(() => arrived() - before, { timeout: patience(30_000) }).toBe(Math.min(asked, 512))
    }
    const refused = 9 * 60 - 512
    await expect.poll(() => [...codes], { timeout: patience(30_000) }).toEqual([['rate_limited', refused]])
    kit.vendors.clearPlays()
    expect((await small.ask(message())).status).toBe(200)
    held.resolve()
    await Promise.all(answers)
    expect(codes.get('rate_limited')).toBe(refused)
  })

  it('is told to the owner by the name of its app', async () => {
    kit.domain.llm.nameApps((id) => (id === 'app_named' ? 'digest' : undefined))
    const run = await kit.run({ app: { id: 'app_named' as AppId, name: 'digest' } })
    await run.ask(message())
    const groups = await kit.domain.llm.usage.report('agent', '2020-01-01')
    expect(groups.find(({ key: name }) => name === 'digest (app)')).toMatchObject({
      requests: 1,
      outputTokens: 15,
    })
  })

  it('is not said by a token of a run at the agents’ own entrance', async () => {
    const run = await kit.run()
    const before = arrived()
    const answer = await run.ask(message(), { path: '/llm/anthropic/v1/messages' })
    expect(errorOf(answer)).toEqual({ status: 403, code: 'not_allowed' })
    expect(arrived()).toBe(before)
  })
})

describe('the key', () => {
  it('is in no byte that leaves by the socket, though the vendor says it back', async () => {
    const run = await kit.run()
    for (const stream of [false, true]) {
      kit.vendors.next('anthropic', (call) => ({
        headers: {
          'content-type': stream ? 'text/event-stream' : 'application/json',
          'x-echo': String(call.key),
        },
        pieces: stream
          ? [`event: ping\ndata: {"k":"${call.key?.slice(0, 20)}`, `${call.key?.slice(20)}"}\n\n`]
          : [JSON.stringify({ echo: call.key, headers: call.headers })],
      }))
      await run.ask(message({ stream })).catch(() => {})
    }
    kit.vendors.next('anthropic', (call) => json({ error: { message: `bad key ${call.key}` } }, 400))
    await run.ask(message())
    expect(run.got().length).toBeGreaterThan(300)
    expect(findSecret(new Map([['socket', run.got()]]), key)).toEqual([])
  })

  it('is only one that the app may have', async () => {
    const own = await kit.addKey(['billing'])
    const run = await kit.run({ app: { id: 'app_tags' as AppId, name: 'tags', tags: ['billing'] } })
    await run.ask(message())
    expect(kit.vendors.callsTo('anthropic').at(-1)?.key).toBe(own)
    const other = await kit.run()
    await other.ask(message())
    expect(kit.vendors.callsTo('anthropic').at(-1)?.key).toBe(key)
  })
})

describe('what a run may ask for', () => {
  it.each([
    ['GET', '/v1/models'],
    ['GET', '/v1/files'],
    ['POST', '/v1/files'],
    ['POST', '/v1/messages/batches'],
    ['POST', '/v1/complete'],
    ['POST', '/v1/oauth/token'],
    ['POST', '/v1/organizations/api_keys'],
    ['POST', '/v1/messages/../files'],
    ['POST', '/v1/messages%2fbatches'],
    ['POST', '//v1/messages'],
    ['POST', '/V1/messages'],
    ['POST', '/v1/chat/completions'],
    ['POST', '/llm/openai/v1/chat/completions'],
    ['POST', '/execute'],
    ['GET', '/health'],
    ['GET', '/v1/messages'],
    ['DELETE', '/v1/messages'],
  ])('is not %s %s', async (method, path) => {
    const run = await kit.run()
    const before = arrived()
    const answer = await run.ask(method === 'POST' ? message() : undefined, { method, path })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    // Claude Code takes 404 for a fault of the model.
    expect(answer.status).not.toBe(404)
    expect(arrived()).toBe(before)
    expect(errorOf(answer).code).toMatch(/^(?:not_allowed|bad_request)$/)
  })

  it('is no WebSocket, and nothing that is no HTTP', async () => {
    const run = await kit.run()
    const before = arrived()
    const raw = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(run.path)
        let got = ''
        socket.on('data', (part) => {
          got += part
        })
        socket.on('close', () => resolve(got))
        socket.on('error', () => {})
        socket.write(bytes)
      })
    const upgrade = await raw(
      'GET /v1/messages HTTP/1.1\r\nHost: m\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
    expect(upgrade).not.toMatch(/^HTTP\/1.1 (?:101|200)/)
    expect(await raw('\x16\x03\x01 no http\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    const two =
      'POST /v1/messages HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'
    expect(await raw(two)).toMatch(/^HTTP\/1.1 400/)
    expect(arrived()).toBe(before)
  })

  it.each([
    ['another model', { model: 'claude-opus-4-6' }],
    ['no model', { model: undefined }],
    ['one that only begins so', { model: `${MODEL}x` }],
    ['another spelling', { model: MODEL.toUpperCase() }],
    ['one of a tool', { tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-4-6' }] }],
    [
      'one deep in a tool',
      { tools: [{ type: 'agent_20260101', name: 'a', config: { agents: [{ model: 'claude-opus-4-6' }] } }] },
    ],
    ['a fallback', { fallbacks: [{ model: 'claude-opus-4-6' }] }],
  ])('is no model beyond its list: %s', async (_name, more) => {
    const run = await kit.run({ models: [MODEL] })
    const before = arrived()
    const answer = await run.ask(message(more))
    expect(errorOf(answer)).toEqual({ status: 403, code: 'not_allowed' })
    expect(answer.headers['x-should-retry']).toBe('false')
    expect(arrived()).toBe(before)
    expect(run.binding.refusal()).toMatchObject({ code: 'not_allowed' })
    expect((await run.ask(message())).status).toBe(200)
  })
})

describe('what is kept at the vendor', () => {
  it.each([
    ['a file', { content: [{ type: 'document', source: { type: 'file', file_id: 'file_of_another' } }] }],
    ['a container', {}],
  ])('under a key that others use is out of reach: %s', async (name, content) => {
    const agent = await kit.domain.agents.add({ name: `keeper-of-${name.replace(' ', '-')}` }, 'cli:1000')
    const { id } = kit.domain.llm.keys.list('anthropic').find(({ tags }) => tags.length === 0) ?? { id: 0 }
    await kit.domain.llm.sharing.used('anthropic', id, agent.agent.id)
    const run = await kit.run()
    const before = arrived()
    const more = name === 'a container' ? { container: 'container_of_another' } : {}
    const answer = await run.ask(
      message({ ...more, messages: [{ role: 'user', content: 'Read it.', ...content }] }),
    )
    expect(errorOf(answer)).toEqual({ status: 403, code: 'shared_key' })
    expect(arrived()).toBe(before)
  })
})

describe('a binding', () => {
  it('is refused for another tenant, an unknown provider and budgets that are none', async () => {
    await expect(kit.run({ tenant: 'ten_0000000000000000' as never })).rejects.toMatchObject({
      code: 'internal',
    })
    await expect(kit.run({ provider: 'nobody' })).rejects.toMatchObject({ code: 'invalid_request' })
    for (const usd of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(kit.run(budget({ usd }))).rejects.toMatchObject({ code: 'invalid_request' })
    }
  })

  it('recommends turns that a small budget has several of', async () => {
    expect((await kit.run()).binding.maxOutputTokens).toBeNull()
    expect((await kit.run(budget({ requests: 5 }))).binding.maxOutputTokens).toBeNull()
    expect((await kit.run(budget({ tokens: 20_000 }))).binding.maxOutputTokens).toBe(10_000)
    expect((await kit.run(budget({ tokens: 10 }))).binding.maxOutputTokens).toBe(4_096)
    expect((await kit.run(budget({ usd: 0.01 }))).binding.maxOutputTokens).toBe(32_000)
  })
})

describe('the seat of a subscription', () => {
  const seat = `sk-ant-oat01-${randomBytes(24).toString('hex')}`
  const api = createMessagesApi(() => say('hello'))
  const bySeat = () => kit.run({ app: { id: newAppId(), name: 'seated', usesSeat: true } })
  const called = () => api.calls.at(-1)?.headers ?? {}
  let seatId = 0
  beforeAll(async () => {
    const { llm, storage } = kit.domain
    await llm.providers.setParam('anthropic', 'url', await api.listen(), 'cli:1000', { private: true })
    const value = new SecretValue(seat)
    const input = { provider: 'anthropic', isSeat: true, value }
    seatId = (await storage.transaction((tx) => llm.keys.add(tx, input, 'cli:1000'))).id
  })
  afterAll(async () => {
    await kit.domain.llm.providers.setParam('anthropic', 'url', 'default', 'cli:1000')
    await api[Symbol.asyncDispose]()
  })
  afterEach(() => expect(api.refused).toEqual([]))

  it('goes as a bearer token with its word, never beside a key, whatever the run sends', async () => {
    await using run = await bySeat()
    for (const headers of [
      {},
      { authorization: 'Bearer mine' },
      { 'anthropic-beta': 'own-1, oauth-2025-04-20' },
    ]) {
      expect((await run.ask(message(), { headers })).status).toBe(200)
      expect(called().authorization).toBe(`Bearer ${seat}`)
      expect(called()['x-api-key']).toBeUndefined()
      expect(String(called()['anthropic-beta']).match(/oauth-2025-04-20/g)).toHaveLength(1)
    }
    expect(findSecret(new Map([['socket', run.got()]]), seat)).toEqual([])
  })

  it('is of no use to another run, nor to an agent with a grant, and a key none to it', async () => {
    await using keyed = await kit.run()
    expect((await keyed.ask(message())).status).toBe(200)
    expect([called()['x-api-key'], called().authorization]).toEqual([key, undefined])
    expect(kit.domain.llm.keys.isThere({ provider: 'anthropic', model: MODEL, tags: [] })).toBe(true)
    const { keys } = kit.domain.llm
    const ofAgents = await keys.pick({
      ...{ provider: 'anthropic', model: MODEL, tags: ['any'], agentId: 'agt_x' },
      use: { endpoint: 'POST /v1/messages', model: MODEL },
    })
    expect(ofAgents).toMatchObject({ isSeat: false })
  })

  it('ends with its removal, in the middle too, and no key takes its place', async () => {
    await using run = await bySeat()
    await kit.domain.storage.transaction((tx) => kit.domain.llm.keys.remove(tx, seatId, 'cli:1000'))
    const before = api.calls.length
    const refused = await run.ask(message())
    expect(errorOf(refused)).toEqual({ code: 'no_key', status: expect.any(Number) })
    expect(refused.text).toContain('oauth3 key add anthropic --seat')
    expect(api.calls).toHaveLength(before)
  })

  it('is none at a vendor without seats', () => {
    const identity = { tenant: DEFAULT_TENANT, runId: 'run_x', provider: 'openai', models: null }
    const app = { id: newAppId(), name: 'x', usesSeat: true }
    const none = { usd: null, tokens: null, requests: null }
    expect(() => kit.domain.llmProxy.bind({ ...identity, app, limits: UNLIMITED, budget: none })).toThrow(
      'not known to have seats',
    )
  })
})
