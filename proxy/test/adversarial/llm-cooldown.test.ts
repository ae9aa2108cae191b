/** One agent makes the vendor refuse a key that others share: by a rush, or by requests that the key has no scope for. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const PATH = '/llm/mistral/v1/chat/completions'
const body = { model: 'mistral-demo', messages: [{ role: 'user', content: 'hello' }] }

let kit: LlmKit
let other: string
beforeEach(async () => {
  kit = await createLlmKit()
  await kit.open('mistral')
  other = await kit.addAgent('other')
  await kit.grant('mistral', { agent: 'other' })
})
afterEach(() => kit[Symbol.asyncDispose]())

const refuseNext = (status: number): void =>
  kit.vendors.next('mistral', {
    status,
    headers: { 'content-type': 'application/json', 'retry-after': '1800' },
    pieces: ['{"message":"no"}'],
  })
const errorOf = async (token: string): Promise<string> => {
  const answer = await kit.ask(PATH, { body, token })
  return answer.status === 200 ? 'answered' : (answer.headers.get('x-oauth3-error') ?? `${answer.status}`)
}

test.each([429, 401])(
  'a %i that one agent draws again and again takes the key from no other agent',
  async (status) => {
    for (let at = 0; at < 4; at += 1) {
      refuseNext(status)
      expect(await errorOf(kit.token)).toBe(`${status}`)
      expect(await errorOf(kit.token)).toBe('keys_in_cooldown')
      expect(await errorOf(other)).toBe('answered')
      kit.advance(3_700_000)
    }
  },
)

test('a key that refuses two agents is left alone by all, and taken up again', async () => {
  const third = await kit.addAgent('third')
  await kit.grant('mistral', { agent: 'third' })
  for (const token of [kit.token, other]) {
    refuseNext(429)
    expect(await errorOf(token)).toBe('429')
  }
  // Its one try, half-open.
  refuseNext(429)
  expect(await errorOf(third)).toBe('429')
  expect(await errorOf(third)).toBe('keys_in_cooldown')
  const fourth = await kit.addAgent('fourth')
  await kit.grant('mistral', { agent: 'fourth' })
  kit.advance(61_000)
  expect(await errorOf(fourth)).toBe('answered')
  expect(await errorOf(other)).toBe('keys_in_cooldown')
})

test('two agents that draw refusals together take the key from no third one that the vendor answers', async () => {
  const third = await kit.addAgent('third')
  await kit.grant('mistral', { agent: 'third' })
  for (const token of [kit.token, other]) {
    refuseNext(401)
    expect(await errorOf(token)).toBe('401')
  }
  expect(await Promise.all([errorOf(third), errorOf(third)])).toEqual(['answered', 'keys_in_cooldown'])
  expect(await errorOf(third)).toBe('answered')
  expect(await errorOf(other)).toBe('keys_in_cooldown')
})

test('many agents that draw refusals one after the other take the key from another for moments only', async () => {
  const drawers = await Promise.all(
    ['a', 'b', 'c', 'd', 'e', 'f'].map(async (agent) => {
      const token = await kit.addAgent(agent)
      await kit.grant('mistral', { agent })
      return token
    }),
  )
  const said: string[] = []
  for (const [at, token] of drawers.entries()) {
    refuseNext(401)
    expect(await errorOf(token)).toBe('401')
    if (at % 2 === 0) continue
    kit.advance(11_000)
    // The next one comes before the other each time.
    const next = drawers[at + 1]
    if (next === undefined) said.push(await errorOf(other))
  }
  expect(said).toEqual(['answered'])
  expect(await errorOf(other)).toBe('answered')
})

test('a 403 that an agent draws takes the key from nobody', async () => {
  refuseNext(403)
  expect(await errorOf(kit.token)).toBe('403')
  expect(await errorOf(kit.token)).toBe('answered')
})

test.each([429, 401])('a %i on one model leaves the others of the same key alone', async (status) => {
  refuseNext(status)
  expect(await errorOf(kit.token)).toBe(`${status}`)
  expect(await errorOf(kit.token)).toBe('keys_in_cooldown')
  const answer = await kit.ask(PATH, { body: { ...body, model: 'mistral-other' } })
  expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([200, null])
})

test('a 401 on one endpoint alone leaves chats with the same key alone', async () => {
  refuseNext(401)
  expect((await kit.ask('/llm/mistral/v1/models')).status).toBe(401)
  expect((await kit.ask('/llm/mistral/v1/models')).headers.get('x-oauth3-error')).toBe('keys_in_cooldown')
  expect(await errorOf(kit.token)).toBe('answered')
})

test('a 401 that says that the key is invalid is about the key', async () => {
  kit.vendors.next('mistral', {
    status: 401,
    headers: { 'content-type': 'application/json' },
    pieces: ['{"error":{"message":"no","code":"inval', 'id_api_key"}}'],
  })
  const refused = await kit.ask('/llm/mistral/v1/models')
  expect([refused.status, refused.json.error.code]).toEqual([401, 'invalid_api_key'])
  expect(await errorOf(kit.token)).toBe('keys_in_cooldown')
})

test('a vendor that asks for hours is asked again after what the owner allows at most', async () => {
  const short = await createLlmKit({ environment: { OAUTH3_LLM_MAX_COOLDOWN: '90' } })
  try {
    await short.open('mistral')
    short.vendors.next('mistral', { status: 429, headers: { 'retry-after': '7200' }, pieces: ['{}'] })
    expect((await short.ask(PATH, { body })).status).toBe(429)
    const inCooldown = await short.ask(PATH, { body })
    expect(inCooldown.headers.get('x-oauth3-error')).toBe('keys_in_cooldown')
    expect(Number(inCooldown.headers.get('retry-after'))).toBeLessThanOrEqual(90)
    short.advance(91_000)
    expect((await short.ask(PATH, { body })).status).toBe(200)
  } finally {
    await short[Symbol.asyncDispose]()
  }
})
