import { expect, test } from 'vitest'
import { canonicalJson, sha256Hex } from '../../src/kernel/index.ts'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import { owner } from '../support/principals.ts'
import { ANN, createTelegramKit, UNHURRIED } from '../support/telegram-kit.ts'

const TOKEN = 'A'.repeat(22)

/** A card as the version before stored it, with its message in the chat. */
async function sentBefore(kit: Awaited<ReturnType<typeof createTelegramKit>>, id: string, hash: string) {
  const { messageId } = await kit.said(/.*/)
  kit.db.prepare('DELETE FROM cards').run()
  kit.db
    .prepare(
      `INSERT INTO cards (tenant_id, token, request_id, chat_id, consent_hash, message_id, created_at)
        VALUES ('default', ?, ?, ?, ?, ?, ?)`,
    )
    .run(TOKEN, id, String(kit.chatId), hash, messageId, Date.now())
  return (word: string) => kit.double.pressRaw(kit.chatId, messageId, `a1:${TOKEN}:${word}`, ANN).answered
}

test.each([
  ['24h', 'Granted for 24 hours'],
  ['model_always', 'Granted this model until you revoke it'],
  ['always_tokens200k', 'Granted for at most 200,000 tokens a day, until you revoke it'],
  ['deny', 'Denied'],
])('a card for a provider that the version before sent still takes %s', async (word, text) => {
  await using kit = await createTelegramKit()
  const { ask } = await kit.wants()
  await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
  const place = { scheme: 'https', host: 'api.openai.com', port: 443, private: false }
  const shown = { agent_id: ask.agentId, provider: 'openai', model: 'gpt-5', group: 'inference', place }
  const press = await sentBefore(kit, ask.id, sha256Hex(canonicalJson(shown)))
  expect(await press(word)).toEqual({ text, alert: false })
  expect((await kit.llm.access.find(ask.id))?.status).toBe(word === 'deny' ? 'denied' : 'approved')
})

test.each([
  ['once', 'Approved once'],
  ['trust24h', 'Trusted for 24 h'],
])('a card for code that the version before sent still takes %s', async (word, text) => {
  await using kit = await createTelegramKit()
  const { execution } = await kit.ask()
  await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
  const press = await sentBefore(kit, execution.requestId, execution.consentHash)
  expect(await press(word)).toEqual({ text, alert: false })
  expect((await kit.find(execution)).decision).toBe(word)
})

test('what the version before queued for the chat is sent', async () => {
  await using double = await startBotApiDouble({ flood: UNHURRIED })
  double.addChat({ id: ANN.id, type: 'private' })
  const first = await createTelegramKit({ start: false, double })
  const queued = (kit: typeof first, kind: string) =>
    kit.db.prepare('UPDATE outbox SET kind = ?, payload = ?').run(kind, JSON.stringify({ askId: ask.id }))
  const ask = await first.llm.access.ask({
    ...{ agentId: (await first.agentOf()).id, provider: 'openai', model: 'gpt-5' },
    ...{ group: 'inference', path: '/chat/completions' },
  })
  queued(first, 'provider_ask')
  first.telegram.start()
  const card = await first.said('May this agent use this provider?')
  await double.waitFor(async () => (await first.outbox.waiting('telegram:')) === 0, 'the record')
  await first[Symbol.asyncDispose]()

  await using second = await createTelegramKit({ start: false, double, dir: first.dir })
  const answer = { decision: 'deny', scope: 'provider' } as const
  const hash = second.llm.access.contentHash(ask)
  await second.llm.access.decide(ask.id, hash, answer, owner())
  expect(queued(second, 'provider_ask_update').changes).toBe(1)
  second.telegram.start()
  await double.waitFor(() => card.edits > 0, 'the edit')
  expect(card.text).toContain('Denied')
})
