/** What a client is told once nobody answered in the time that it was held: where to answer, and in a form that it tries once. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const MESSAGES = '/llm/anthropic/v1/messages'
const CLAUDE_CODE = 'claude-cli/2.1.332 (external, sdk-cli)'
const AT_ONCE = { prefer: 'wait=0' }
const hello = { model: 'claude-demo', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }

let kit: LlmKit
let alone: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  alone = await createLlmKit({ environment: { TELEGRAM_BOT_TOKEN: '', TELEGRAM_CHAT_ID: '' } })
  for (const each of [kit, alone]) {
    await each.addKey('openai')
    await each.addKey('anthropic')
  }
})
afterAll(async () => {
  await kit?.[Symbol.asyncDispose]()
  await alone?.[Symbol.asyncDispose]()
})

it('an ask names the places where it can be answered, and no chat where none is set up', async () => {
  const told = async (by: LlmKit): Promise<string> =>
    (await by.ask(CHAT, { headers: AT_ONCE, body: chatBody() })).json.error.message
  expect(await told(kit)).toMatch(
    /^waiting for your approval \(oauth3\): .* Answer in the Telegram chat, or with: oauth3 approve ask_/,
  )
  const message = await told(alone)
  expect(message).toMatch(
    /^waiting for your approval \(oauth3\): .* Answer with: oauth3 approve ask_[^ ]+ \(or oauth3 watch\)/,
  )
  expect(message).not.toMatch(/chat|telegram/i)
})

it('Claude Code is told nothing that it takes for a failed sign-in', async () => {
  const ask = (path: string, headers: Record<string, string>) =>
    kit.ask(path, { headers: { ...AT_ONCE, ...headers }, body: hello })
  const waiting = await ask(MESSAGES, { 'user-agent': CLAUDE_CODE })
  expect([waiting.status, waiting.headers.get('x-oauth3-error')]).toEqual([423, 'approval_pending'])
  expect(waiting.json.error.message).toMatch(/^waiting for your approval/)
  // It repeats what it does not know, unless it is told not to.
  expect(waiting.headers.get('x-should-retry')).toBe('false')
  const { asks } = await kit.admin('GET', '/v1/asks')
  const mine = asks.find((one: { provider: string }) => one.provider === 'anthropic')
  await kit.admin('POST', `/v1/asks/${mine.id}/decision`, {
    decision: 'deny',
    consent_hash: mine.consent_hash,
  })
  const denied = await ask(MESSAGES, { 'user-agent': CLAUDE_CODE })
  expect([denied.status, denied.headers.get('x-oauth3-error')]).toEqual([423, 'approval_denied'])
  expect(denied.headers.get('x-should-retry')).toBe('false')
  // A token that is wrong is one.
  const wrong = await kit.ask(MESSAGES, {
    token: 'oa3_wrong',
    headers: { 'user-agent': CLAUDE_CODE },
    body: hello,
  })
  expect(wrong.status).toBe(401)
  for (const agent of ['Anthropic/JS 1.14.0', 'not claude-cli/2'])
    expect((await ask(MESSAGES, { 'user-agent': agent })).status).toBe(403)
})

it('what waits for the owner is tried once, and says when it is worth asking again', async () => {
  const answer = await kit.ask(CHAT, { headers: AT_ONCE, body: chatBody() })
  expect([answer.status, answer.headers.get('x-should-retry'), answer.headers.get('retry-after')]).toEqual([
    403,
    'false',
    '15',
  ])
})
