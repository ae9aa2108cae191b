import { expect, test } from 'vitest'
import { canonicalJson, sha256Hex } from '../../src/kernel/index.ts'
import { ANN, createTelegramKit } from '../support/telegram-kit.ts'

const TOKEN = 'A'.repeat(22)

/** A card as the version before stored it, with its message in the chat. */
async function sentBefore(kit: Awaited<ReturnType<typeof createTelegramKit>>, id: string, hash: string) {
  const { messageId } = await kit.said(/.*/)
  kit.db.prepare('DELETE FROM cards').run()
  kit.db
    .prepare(
      'INSERT INTO cards (token, request_id, chat_id, consent_hash, message_id, created_at) VALUES (?, ?, ?, ?, ?, ?)',
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
  await kit.double.waitFor(() => kit.outbox.waiting('telegram:') === 0, 'the record')
  const place = { scheme: 'https', host: 'api.openai.com', port: 443, private: false }
  const shown = { agent_id: ask.agentId, provider: 'openai', model: 'gpt-5', group: 'inference', place }
  const press = await sentBefore(kit, ask.id, sha256Hex(canonicalJson(shown)))
  expect(await press(word)).toEqual({ text, alert: false })
  expect(kit.llm.access.find(ask.id)?.status).toBe(word === 'deny' ? 'denied' : 'granted')
})

test.each([
  ['once', 'Approved once'],
  ['trust24h', 'Trusted for 24 h'],
])('a card for code that the version before sent still takes %s', async (word, text) => {
  await using kit = await createTelegramKit()
  const { execution } = await kit.ask()
  await kit.double.waitFor(() => kit.outbox.waiting('telegram:') === 0, 'the record')
  const press = await sentBefore(kit, execution.requestId, execution.consentHash)
  expect(await press(word)).toEqual({ text, alert: false })
  expect(kit.find(execution).decision).toBe(word)
})

test('what the version before queued for the chat is sent', async () => {
  await using kit = await createTelegramKit({ start: false })
  const ask = kit.llm.access.ask({
    ...{ agentId: kit.agentOf().id, provider: 'openai', model: 'gpt-5' },
    ...{ group: 'inference', path: '/chat/completions' },
  })
  kit.db
    .prepare("UPDATE outbox SET kind = 'provider_ask', payload = ?")
    .run(JSON.stringify({ askId: ask.id }))
  kit.telegram.start()
  const card = await kit.said('May this agent use this provider?')
  await kit.double.waitFor(() => kit.outbox.waiting('telegram:') === 0, 'the record')
  kit.transactor.transact(() => {
    const answer = { decision: 'deny', scope: 'provider' } as const
    kit.llm.access.decide(ask.id, kit.llm.access.contentHash(ask), answer, { actor: 'cli:0', name: null })
    kit.db
      .prepare("UPDATE outbox SET kind = 'provider_ask_update', payload = ?")
      .run(JSON.stringify({ askId: ask.id }))
  })
  kit.telegram.nudge()
  await kit.double.waitFor(() => card.edits > 0, 'the edit')
  expect(card.text).toContain('Denied')
})
