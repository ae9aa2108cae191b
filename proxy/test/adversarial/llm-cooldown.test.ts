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
      expect(await errorOf(kit.token)).toBe('keys_resting')
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
  expect(await errorOf(third)).toBe('keys_resting')
  kit.advance(61_000)
  expect(await errorOf(third)).toBe('answered')
  expect(await errorOf(other)).toBe('keys_resting')
})

test('a 403 that an agent draws takes the key from nobody', async () => {
  refuseNext(403)
  expect(await errorOf(kit.token)).toBe('403')
  expect(await errorOf(kit.token)).toBe('answered')
})
