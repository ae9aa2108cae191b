import { describe, expect, it } from 'vitest'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import type { DomainKit } from '../support/domain-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { asAgent } from '../support/principals.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP, UNHURRIED } from '../support/telegram-kit.ts'

const events = async (kit: Pick<DomainKit, 'audit'>): Promise<string[]> =>
  (await kit.audit.newest(100)).map(({ event }) => event)

/** Families 7, 8, 9, 10, 11 and 14 on the Telegram surface. */
describe('who answers in Telegram, and how often', () => {
  it('lets no other member of the group decide', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    const { card, execution } = await kit.ask()
    for (const button of card.buttons.flat()) {
      const press = kit.double.press(GROUP, card.messageId, button, EVE)
      expect(await press.answered).toEqual({ text: 'Only approvers can answer.', alert: true })
    }
    expect((await kit.find(execution)).status).toBe('pending')
    expect((await events(kit)).filter((event) => event === 'approval.refused')).toHaveLength(5)
  })

  it('ignores a card that is pressed in another chat, by anybody', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    const data = card.callbacks.get('✅ Run Once') as string
    kit.double.addChat({ id: EVE.id, type: 'private' })
    for (const from of [EVE, ANN]) {
      expect((await kit.double.pressRaw(EVE.id, card.messageId, data, from).answered).text).toBe(
        'This button does nothing here.',
      )
    }
    kit.double.push({
      callback_query: {
        id: '99',
        from: { is_bot: false, ...ANN },
        inline_message_id: 'x',
        chat_instance: '1',
        data,
      },
    })
    await kit.double.waitFor(
      () => kit.double.calls.some(({ payload }) => payload.callback_query_id === '99'),
      'the answer',
    )
    expect((await kit.find(execution)).status).toBe('pending')
  })

  it('gives a stranger his own id and nothing else, whatever he writes', async () => {
    await using kit = await createTelegramKit()
    await kit.ask()
    kit.double.addChat({ id: EVE.id, type: 'private' })
    for (const text of [
      'hello',
      '/help',
      '/status',
      '/pending',
      '/list_secrets',
      '/audit',
      '/agents',
      '/trusted',
      '/revoke 1',
      '/remove_secret A',
    ]) {
      kit.double.say(EVE.id, text, EVE)
    }
    const secret = kit.double.say(EVE.id, '/add_secret STOLEN demo-value-x', EVE)
    kit.double.say(EVE.id, '/start', EVE)
    kit.double.say(EVE.id, '/id', EVE)
    await kit.double.waitFor(
      () => kit.double.messages.filter(({ chatId, fromBot }) => chatId === EVE.id && fromBot).length === 2,
      'the ids',
    )
    const told = kit.double.messages.filter(({ chatId, fromBot }) => chatId === EVE.id && fromBot)
    expect(new Set(told.map(({ text }) => text))).toEqual(new Set([`This chat's id is ${EVE.id}.`]))
    expect(secret.deleted).toBe(false)
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
    expect(await events(kit)).toContain('telegram.rejected')
  })

  it('does not let a stranger flood the chat of others, the audit or itself', async () => {
    await using kit = await createTelegramKit()
    kit.double.addChat({ id: EVE.id, type: 'private' })
    for (let index = 0; index < 300; index += 1) kit.double.say(EVE.id, index % 2 ? '/id' : 'spam', EVE)
    await kit.double.waitFor(() => kit.double.unconfirmed === 0, 'all to be read', patience(20_000))
    expect(kit.double.messages.filter(({ fromBot }) => fromBot).length).toBeLessThan(15)
    expect((await events(kit)).filter((event) => event === 'telegram.rejected').length).toBeLessThan(70)
  })

  it('ignores forwarded commands, edited messages and channel posts', async () => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.say(kit.chatId, '/add_secret A demo-value-1', ANN, { forwarded: true })
    const chat = { id: kit.chatId, type: 'private' }
    kit.double.push({
      edited_message: { message_id: 5, chat, from: ANN, date: 1, text: '/add_secret A demo-value-2' },
    })
    kit.double.push({ channel_post: { message_id: 6, chat, date: 1, text: '/add_secret A demo-value-3' } })
    kit.double.say(kit.chatId, '/list_secrets', ANN)
    await kit.said('No secrets are stored.')
  })

  it('takes no value from a reply to what the bot did not ask, or to a look-alike of its question', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    const fake = kit.double.say(GROUP, '/x', EVE)
    const lookalike = { ...fake, text: '🔑 Value of BANK_KEY?', from: EVE }
    kit.double.say(GROUP, '/y', ANN, { replyTo: lookalike })
    kit.double.push({
      message: {
        message_id: 900,
        chat: { id: GROUP, type: 'supergroup' },
        from: { is_bot: false, ...ANN },
        text: 'demo-value-zzz',
        reply_to_message: {
          message_id: 901,
          chat: { id: GROUP, type: 'supergroup' },
          from: { is_bot: false, ...EVE },
          text: lookalike.text,
        },
      },
    })
    const { card } = await kit.ask({ description: '🔑 Value of BANK_KEY? tell me' })
    kit.double.say(GROUP, 'demo-value-yyy', ANN, { replyTo: card })
    kit.double.say(GROUP, '/list_secrets', ANN)
    await kit.said('No secrets are stored.')
  })

  it('runs once on a double press and on two approvers at once', async () => {
    const sandbox = createScriptedSandbox()
    await using kit = await createTelegramKit({ sandbox, chatId: GROUP, approvers: [ANN, BOB] })
    const { card, execution } = await kit.ask()
    const data = card.callbacks.get('✅ Run Once') as string
    const presses = [ANN, BOB, ANN, BOB, ANN].map((from) =>
      kit.double.pressRaw(GROUP, card.messageId, data, from),
    )
    const answers = await Promise.all(presses.map(({ answered }) => answered))
    expect(answers.map(({ text }) => text)).toEqual([
      'Approved once',
      ...Array(4).fill('Already decided by Ann: Approved once'),
    ])
    await kit.reaches(execution, 'success')
    expect(sandbox.orders).toHaveLength(1)
    expect((await events(kit)).filter((event) => event === 'execution.started')).toHaveLength(1)
  })

  it('runs once when a callback is replayed after a restart', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    const sandbox = createScriptedSandbox()
    const first = await createTelegramKit({ double, sandbox })
    const { card, execution } = await first.ask()
    const data = card.callbacks.get('✅ Run Once') as string
    await double.press(ANN.id, card.messageId, '✅ Run Once', ANN).answered
    await first.reaches(execution, 'success')
    await first[Symbol.asyncDispose]()
    await using second = await createTelegramKit({ double, sandbox, dir: first.dir })
    const replay = await double.pressRaw(ANN.id, card.messageId, data, ANN).answered
    expect(replay.text).toBe('Already decided by Ann: Approved once')
    expect((await second.find(execution)).status).toBe('success')
    expect(sandbox.orders).toHaveLength(1)
    await double[Symbol.asyncDispose]()
  })

  it('refuses what is forged or stale: after deny, cancel and expiry, for another request or consent, malformed', async () => {
    let now = Date.now()
    const sandbox = createScriptedSandbox()
    await using kit = await createTelegramKit({ sandbox, clock: { now: () => now } })
    const pressAll = async (messageId: number, data: string): Promise<string> =>
      (await kit.double.pressRaw(kit.chatId, messageId, data, ANN).answered).text

    const denied = await kit.ask({ skillId: 'denied' })
    const deniedData = denied.card.callbacks.get('✅ Run Once') as string
    await kit.double.press(kit.chatId, denied.card.messageId, '❌ Deny', ANN).answered
    expect(await pressAll(denied.card.messageId, deniedData)).toBe('Already decided by Ann: Denied')

    const cancelled = await kit.ask({ skillId: 'cancelled' })
    const cancelledData = cancelled.card.callbacks.get('♾ Always Trust') as string
    await kit.executions.cancel(asAgent((await kit.agentOf()).id), cancelled.execution.requestId)
    expect(await pressAll(cancelled.card.messageId, cancelledData)).toBe('Already cancelled.')

    const expired = await kit.ask({ skillId: 'expired' })
    const expiredData = expired.card.callbacks.get('⏱ Trust 24h') as string
    now += 3_600_000
    expect(await pressAll(expired.card.messageId, expiredData)).toBe('Expired: nothing was decided.')
    expect(await pressAll(expired.card.messageId, expiredData)).toBe('Expired: nothing was decided.')

    const altered = await kit.ask({ skillId: 'altered' })
    const alteredData = altered.card.callbacks.get('✅ Run Once') as string
    kit.db
      .prepare('UPDATE cards SET consent_hash = ? WHERE request_id = ?')
      .run('f'.repeat(64), altered.execution.requestId)
    expect(await pressAll(altered.card.messageId, alteredData)).toBe('This card is for another request.')

    const token = alteredData.split(':')[1] as string
    const flipped = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`
    for (const data of [
      `a1:${flipped}:once`,
      `a1:${token}:root`,
      `a1:${token}:__proto__`,
      `a1:${token}`,
      `a1:${token}:once `,
      `a2:${token}:once`,
      `a1::once`,
      'once',
      `a1:${altered.execution.requestId.slice(4, 26)}:once`,
      `a1:%' OR 1=1 --aaaaaaaaaa:once`,
    ]) {
      expect(await pressAll(altered.card.messageId, data)).toMatch(
        /I do not know this card|does nothing here/,
      )
    }
    expect((await kit.find(altered.execution)).status).toBe('pending')
    expect(sandbox.orders).toEqual([])
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
  })

  it('approves nothing and loses nothing while Telegram is down, slow or taken by another poller', async () => {
    const sandbox = createScriptedSandbox()
    await using kit = await createTelegramKit({ sandbox })
    const { card, execution } = await kit.ask()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    kit.double.down()
    const press = kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN)
    const other = await kit.submit({ skillId: 'meanwhile' })
    await kit.double.waitFor(() => kit.telegram.state() === 'disconnected', 'the loss')
    expect([(await kit.find(execution)).status, (await kit.find(other)).status]).toEqual([
      'pending',
      'pending',
    ])
    for (const status of [429, 502, 409])
      kit.double.failNext({ method: 'getUpdates', status, ...(status === 429 ? { retryAfter: 1 } : {}) })
    kit.double.failNext({ method: 'sendMessage', status: 500 })
    kit.double.failNext({ method: 'sendMessage', status: 429, retryAfter: 1 })
    kit.double.up()
    await kit.double.waitFor(
      async () => (await kit.find(execution)).status === 'success',
      'the run',
      patience(40_000),
    )
    expect((await press.answered.catch(() => ({ text: 'Approved once' }))).text).toBe('Approved once')
    await kit.double.waitFor(
      () => kit.double.messages.some(({ text }) => text.includes('meanwhile')),
      'the other card',
      40_000,
    )
    expect(sandbox.orders).toHaveLength(1)
  })

  it('does not let an agent approve itself through what it writes into its request', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask({
      description: '/revoke 1 /add_secret A b',
      code: '/add_secret A demo-value-1',
    })
    expect(card.entities.some(({ type, text }) => type === 'code' && text.includes('/revoke 1'))).toBe(true)
    expect((await kit.find(execution)).status).toBe('pending')
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
  })

  it('shows one card for the same request however often it comes, and no more cards than an agent may have waiting', async () => {
    await using kit = await createTelegramKit({ maxWaitingPerAgent: 5 })
    const same = await Promise.all(Array.from({ length: 500 }, () => kit.submit()))
    expect(new Set(same.map(({ requestId }) => requestId)).size).toBe(1)
    const results = await Promise.allSettled(
      Array.from({ length: 500 }, (_, index) => kit.submit({ skillId: `flood-${index}` })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'all cards')
    expect(kit.double.messages.filter(({ buttons }) => buttons.length > 0)).toHaveLength(5)
  })

  it('sends no card for what was cancelled before the chat could be reached', async () => {
    await using kit = await createTelegramKit({ start: false })
    const execution = await kit.submit()
    await kit.executions.cancel(asAgent((await kit.agentOf()).id), execution.requestId)
    const next = await kit.submit({ skillId: 'next' })
    kit.telegram.start()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    expect(kit.double.messages).toHaveLength(1)
    expect(kit.double.messages[0]?.text).toContain(next.codeHash.slice(0, 12))
    expect(kit.double.messages[0]?.text).toContain('runs next')
  })

  it('sends no card whose time ran out before the chat could be reached', async () => {
    let now = Date.now()
    await using kit = await createTelegramKit({ start: false, clock: { now: () => now } })
    await kit.submit()
    now += 3_600_000
    kit.telegram.start()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    expect(kit.double.messages).toEqual([])
  })

  it('lets a decision stand whose press is too old to be answered, and tries to answer it once', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED, queryLifetimeMs: -1 })
    double.addChat({ id: ANN.id, type: 'private' })
    await using kit = await createTelegramKit({ double })
    const { card, execution } = await kit.ask()
    double.press(ANN.id, card.messageId, '✅ Run Once', ANN)
    await kit.reaches(execution, 'success')
    await double.waitFor(() => card.text.includes('Succeeded'), 'the outcome')
    expect(double.calls.filter(({ method }) => method === 'answerCallbackQuery')).toHaveLength(1)
    expect(kit.logs.join()).not.toContain('could not be answered')
    await double[Symbol.asyncDispose]()
  })
})
