/**
 * Ways around the proxy's promises that lie between its parts: a list of models that says a key back, answers in pieces, a
 * vendor's "no" that stops everybody, requests that two readers take differently.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { patience } from '../support/pace.ts'
import { findSecret } from '../support/secret-search.ts'
import { json } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'

const CHAT = '/llm/openai/v1/chat/completions'

let kit: LlmKit
let openai: string
let groq: string
beforeAll(async () => {
  kit = await createLlmKit()
  openai = await kit.open('openai')
  groq = await kit.open('groq')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => {
  expect(kit.vendors.faults.splice(0)).toEqual([])
  kit.vendors.clearPlays()
})

const listed = async (token?: string): Promise<string[]> => {
  const answer = await kit.ask('/v1/models', token === undefined ? {} : { token })
  expect(answer.status).toBe(200)
  return answer.json.data.map(({ id }: { id: string }) => id)
}
const models = (...names: readonly string[]) => json({ object: 'list', data: names.map((id) => ({ id })) })

describe('the list of all models', () => {
  it.each([
    ['as a name', () => models('gpt-demo', openai)],
    ['beside the names', () => json({ data: [{ id: 'gpt-demo', seen: `Bearer ${openai}` }] })],
    ['in base64', () => models('gpt-demo', Buffer.from(`Bearer ${openai}`).toString('base64'))],
    [
      'in escapes of JSON',
      () => ({
        headers: { 'content-type': 'application/json' },
        pieces: [
          `{"data":[{"id":"gpt-demo"},{"id":"${[...openai].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}]}`,
        ],
      }),
    ],
    ['over two names', () => models(openai.slice(0, 20), openai.slice(20))],
  ])('leaves out a provider that says the key back %s, and it alone', async (_how, play) => {
    kit.vendors.next('openai', play())
    const names = await listed()
    expect(names.filter((name) => name.startsWith('openai/'))).toEqual([])
    expect(names.filter((name) => name.startsWith('groq/'))).not.toEqual([])
    expect((await listed()).filter((name) => name.startsWith('openai/'))).not.toEqual([])
    for (const key of [openai, groq]) expect(findSecret(kit.evidence(), key)).toEqual([])
  })

  it('holds only names that a request could name, and not more than thousands', async () => {
    const bad = ['a b', 'a\nb', 'a\u001b[2J', 'é', '', 'x'.repeat(257), '\u202emodel']
    kit.vendors.next('openai', models(...bad, 'x'.repeat(256), 'org/model:free@1'))
    const from = (names: readonly string[]) => names.filter((name) => name.startsWith('openai/'))
    expect(from(await listed())).toEqual([`openai/${'x'.repeat(256)}`, 'openai/org/model:free@1'])
    kit.vendors.next('openai', models(...Array.from({ length: 5_100 }, (_, at) => `m-${at}`)))
    expect(from(await listed())).toHaveLength(5_000)
  })

  it('takes a place in the limits, and tells the owner when they are used up', async () => {
    const token = await kit.addAgent('limited')
    await kit.grant('openai', { agent: 'limited', limits: { requests_per_minute: 2 } })
    const before = kit.vendors.callsTo('openai').length
    expect(await listed(token)).not.toEqual([])
    expect(await listed(token)).not.toEqual([])
    expect(await listed(token)).toEqual([])
    expect(kit.vendors.callsTo('openai')).toHaveLength(before + 2)
    const chat = await kit.ask(CHAT, { token, body: chatBody() })
    expect([chat.status, chat.headers.get('x-oauth3-error')]).toEqual([429, 'limit_passed'])
  })

  it('asks no provider whose grant is for other paths', async () => {
    const token = await kit.addAgent('narrow')
    await kit.grant('openai', { agent: 'narrow', paths: ['/chat/completions'] })
    const before = kit.vendors.callsTo('openai').length
    expect(await listed(token)).toEqual([])
    expect(kit.vendors.callsTo('openai')).toHaveLength(before)
  })

  it('asks no provider with a key that the agent has not all tags of', async () => {
    const path = '/llm/xai/v1/models'
    const token = await kit.addAgent('untagged', ['eu'])
    await kit.addKey('xai', { tags: ['eu', 'vip'] })
    await kit.grant('xai', { agent: 'untagged' })
    expect(await listed(token)).toEqual([])
    expect((await kit.ask(path, { token })).headers.get('x-oauth3-error')).toBe('no_key')
    expect(kit.vendors.callsTo('xai')).toEqual([])
    await kit.admin('PUT', '/v1/agents/untagged/tags', { tags: ['eu', 'vip'] })
    expect(await listed(token)).not.toEqual([])
  })

  it('leaves out a provider whose list has no end, and ends what it still sends', async () => {
    kit.vendors.next('openai', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'application/json' } })
      const piece = `{"data":[${' '.repeat(1_048_576)}`
      while (await write(call, response, piece)) {}
    })
    const coming = kit.vendors.nextCall('openai')
    const names = await listed()
    await (await coming).gone
    expect(names.filter((name) => name.startsWith('openai/'))).toEqual([])
    expect(names.filter((name) => name.startsWith('groq/'))).not.toEqual([])
    expect((await coming).sent.length).toBeLessThan(64)
  })

  it('asks no provider of which the owner said no, though some of its models are granted', async () => {
    const token = await kit.addAgent('denied')
    await kit.grant('openai', { agent: 'denied', modelsAllowed: ['gpt-demo'] })
    expect(await listed(token)).not.toEqual([])
    const dear = { token, body: chatBody({ model: 'gpt-dear' }), headers: { prefer: 'wait=0' } }
    expect((await kit.ask(CHAT, dear)).headers.get('x-oauth3-error')).toBe('approval_pending')
    const { asks } = await kit.admin('GET', '/v1/asks')
    const { id, consent_hash } = asks.find((row: { agent: string }) => row.agent === 'denied')
    await kit.admin('POST', `/v1/asks/${id}/decision`, { decision: 'deny', consent_hash })
    const before = kit.vendors.callsTo('openai').length
    expect(await listed(token)).toEqual([])
    expect(kit.vendors.callsTo('openai')).toHaveLength(before)
  })

  // Its own time for a vendor is over only later.
  it('ends what it asked for when its client leaves', { timeout: patience(8_000) }, async () => {
    const gone = new AbortController()
    kit.vendors.next('openai', (call) => call.gone)
    const coming = kit.vendors.nextCall('openai')
    const left = kit.ask('/v1/models', { signal: gone.signal }).catch(() => 'left')
    const call = await coming
    gone.abort()
    expect(await left).toBe('left')
    await call.gone
  })

  it('is not asked for while the vendor says so, and nothing else is kept from it', async () => {
    await kit.open('mistral')
    kit.vendors.next('mistral', json({ message: 'slow down' }, 429, { 'retry-after': '1800' }))
    await listed()
    const before = kit.vendors.callsTo('mistral').length
    await listed()
    expect(kit.vendors.callsTo('mistral')).toHaveLength(before)
    const list = await kit.ask('/llm/mistral/v1/models')
    expect(list.headers.get('x-oauth3-error')).toBe('keys_in_cooldown')
    expect(Number(list.headers.get('x-oauth3-retry-after'))).toBeGreaterThan(1_700)
    expect((await kit.ask('/llm/mistral/v1/chat/completions', { body: chatBody() })).status).toBe(200)
  })

  it('puts a key in cooldown that the vendor refuses there', async () => {
    const value = await kit.open('deepseek')
    kit.vendors.endKey('deepseek', value)
    await listed()
    const before = kit.vendors.callsTo('deepseek').length
    expect(before).toBeGreaterThan(0)
    await listed()
    expect(kit.vendors.callsTo('deepseek')).toHaveLength(before)
  })
})

describe("a vendor's 403", () => {
  it('to one agent stops no other', async () => {
    const other = await kit.addAgent('other')
    await kit.grant('openai', { agent: 'other' })
    kit.vendors.next('openai', json({ error: { message: 'no access to this model' } }, 403))
    expect((await kit.ask(CHAT, { body: chatBody({ model: 'gpt-closed' }) })).status).toBe(403)
    expect((await kit.ask(CHAT, { token: other, body: chatBody() })).status).toBe(200)
  })
})

describe('a request that would be read in two ways', () => {
  const raw = async (lines: readonly string[], body: string): Promise<string> =>
    await kit.raw(
      [
        `POST ${CHAT} HTTP/1.1`,
        `Host: ${new URL(kit.url).host}`,
        'Connection: close',
        `Authorization: Bearer ${kit.token}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        ...lines,
        '',
        body,
      ].join('\r\n'),
    )

  it.each([
    [['Content-Type: application/json', 'Content-Type: text/plain'], JSON.stringify(chatBody())],
    [['Content-Type: text/plain', 'content-type: application/json'], JSON.stringify(chatBody())],
    [
      ['Content-Type: application/json', 'Content-Encoding: identity', 'Content-Encoding: gzip'],
      JSON.stringify(chatBody()),
    ],
    [['Content-Type: application/json'], '{"model":"gpt-demo","models":["a"],"Models":["b"],"messages":[]}'],
    [
      ['Content-Type: application/json'],
      '{"model":"gpt-demo","stream":true,"stream_options":{"include_usage":true,"include_usage":false}}',
    ],
  ])('is refused: %j', async (lines, body) => {
    const before = kit.vendors.callsTo('openai').length
    const answer = await raw(lines, body)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toMatch(/^x-oauth3-error: bad_request\r$/im)
    expect(kit.vendors.callsTo('openai')).toHaveLength(before)
  })
})

it('an echo is never read in pieces of ranges', async () => {
  const range = { range: 'bytes=0-9', 'if-range': '"demo"' }
  expect((await kit.ask(CHAT, { body: chatBody(), headers: range })).status).toBe(200)
  const headers = kit.vendors.callsTo('openai').at(-1)?.headers
  expect(headers).not.toHaveProperty('range')
  expect(headers).not.toHaveProperty('if-range')
})
