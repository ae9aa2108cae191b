import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { paceOf } from '../../src/notify/bot-api/index.ts'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import { patience } from '../support/pace.ts'
import { asAgent } from '../support/principals.ts'
import { ANN, createTelegramKit, EVE, GROUP, UNHURRIED } from '../support/telegram-kit.ts'

describe('Telegram in trouble', () => {
  it('keeps cards while Telegram is down, says disconnected, and delivers them in order afterwards', async () => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.down()
    await kit.submit({ skillId: 'first' })
    await kit.submit({ skillId: 'second' })
    await kit.double.waitFor(() => kit.telegram.state() === 'disconnected', 'the loss')
    expect(await kit.outbox.waiting('telegram:')).toBe(2)
    kit.double.up()
    await kit.double.waitFor(() => kit.double.messages.length === 2, 'both cards', patience(20_000))
    expect(kit.double.messages.map(({ text }) => /runs (\w+)/.exec(text)?.[1])).toEqual(['first', 'second'])
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection', patience(20_000))
  })

  it('waits as long as a 429 asks, then goes on with the same message', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({ method: 'sendMessage', status: 429, retryAfter: 2 })
    const { card } = await kit.ask()
    const sends = kit.double.calls.filter(({ method }) => method === 'sendMessage')
    expect(sends.map(({ status }) => status)).toEqual([429, 200])
    expect((sends[1]?.atMs ?? 0) - (sends[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(1_950)
    expect(card.text).toContain('demo-skill')
  })

  it('keeps within the flood control of a group when many cards come at once', async () => {
    const double = await startBotApiDouble({ flood: { perSecond: 20, burst: 4, groupPerMinute: 1_000 } })
    double.addChat({ id: ANN.id, type: 'private' })
    await using kit = await createTelegramKit({ double, telegram: { pace: { burst: 3, perSecond: 20 } } })
    for (let index = 0; index < 15; index += 1) await kit.submit({ skillId: `skill-${index}` })
    await double.waitFor(() => double.messages.length === 15, 'all cards')
    expect(double.calls.filter(({ status }) => status === 429)).toEqual([])
    await double[Symbol.asyncDispose]()
  })

  it("keeps Telegram's own limits when nothing else is said", async () => {
    const double = await startBotApiDouble()
    double.addChat({ id: ANN.id, type: 'private' })
    await using kit = await createTelegramKit({ double, telegram: { pace: paceOf(String(ANN.id)) } })
    for (let index = 0; index < 7; index += 1) await kit.submit({ skillId: `skill-${index}` })
    await double.waitFor(() => double.messages.length === 7, 'all cards', patience(15_000))
    expect(double.calls.filter(({ status }) => status === 429)).toEqual([])
    await double[Symbol.asyncDispose]()
  })

  it('sends again after 5xx, and never twice after success', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({ method: 'sendMessage', status: 503, times: 2 })
    const { card } = await kit.ask()
    await kit.double.press(kit.chatId, card.messageId, '❌ Deny', ANN).answered
    expect(kit.double.messages.filter(({ fromBot }) => fromBot)).toHaveLength(1)
  })

  it('does not send the document again when the card behind it has to be retried', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({ method: 'sendMessage', status: 500 })
    await kit.ask({ code: 'console.log(1)\n'.repeat(100) })
    expect(kit.double.messages.map(({ document }) => document !== undefined)).toEqual([true, false])
  })

  it('falls back to a card without formatting, behind the code as a file, when Telegram refuses the card', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({
      method: 'sendMessage',
      status: 400,
      description: "Bad Request: can't parse entities: planned",
    })
    const { card, execution } = await kit.ask()
    expect(
      kit.double.messages.map(({ document }) => document?.fileName.replace(/[0-9a-f]{12,}/, '#')),
    ).toEqual(['demo-skill-#.ts.txt', 'details-req_#.txt', undefined])
    expect(kit.double.messages[0]?.document?.bytes.toString()).toBe('console.log("hello")\n')
    expect(card.text).toContain(execution.codeHash.slice(0, 12))
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    await kit.reaches(execution, 'success')
  })

  it('gives up an edit of a deleted card and goes on with the next message', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    kit.double.deleteAsPerson(kit.chatId, card.messageId)
    await kit.executions.cancel(asAgent((await kit.agentOf()).id), execution.requestId)
    await kit.double.waitFor(() => kit.logs.some((line) => line.includes('given up')), 'the log')
    expect(kit.logs.join()).toContain('message to edit not found')
    await kit.ask({ skillId: 'next' })
  })

  it('keeps cards while the bot is blocked', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    const chat = double.addChat({ id: ANN.id, type: 'private' })
    chat.blocked = true
    await using kit = await createTelegramKit({ double })
    await kit.submit()
    await double.waitFor(() => kit.logs.some((line) => line.includes('unblock it')), 'the log')
    expect(await kit.outbox.waiting('telegram:')).toBe(1)
    await double[Symbol.asyncDispose]()
  })

  it('backs off while another program polls, says so, and recovers', async () => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.conflict(true)
    await kit.double.waitFor(() => kit.logs.some((line) => line.includes('another program polls')), 'the log')
    expect(kit.telegram.state()).toBe('disconnected')
    const { card, execution } = await kit.ask()
    const press = kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN)
    expect((await kit.find(execution)).status).toBe('pending')
    kit.double.conflict(false)
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the recovery', patience(20_000))
    await press.answered
    await kit.reaches(execution, 'success')
  })

  it('names the host of a webhook that somebody set, and takes the updates back', async () => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.stealWebhook('https://elsewhere.example/hook?key=demo')
    await kit.double.waitFor(
      () => kit.logs.some((line) => line.includes('a webhook to elsewhere.example')),
      'the log',
    )
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the recovery', patience(20_000))
  })

  it('says what a wrong token means, without printing it', async () => {
    const double = await startBotApiDouble({ token: '1111111111:demo-another-token-here' })
    const impostor = { ...double, token: '2222222222:demo-wrong-token-value' }
    await using kit = await createTelegramKit({ double: impostor })
    await double.waitFor(() => kit.logs.some((line) => line.includes('check it with @BotFather')), 'the log')
    expect(kit.telegram.state()).toBe('disconnected')
    expect(await kit.telegram.check.run(AbortSignal.timeout(5_000))).toEqual({
      ok: false,
      said: 'getMe: 401 Unauthorized',
    })
    expect(kit.logs.join()).not.toContain('demo-wrong-token')
    await double[Symbol.asyncDispose]()
  })

  it('never logs the token, whatever goes wrong', async () => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.down()
    await kit.submit()
    const check = await kit.telegram.check.run(AbortSignal.timeout(5_000))
    expect(check.ok).toBe(false)
    await kit.double.waitFor(() => kit.logs.some((line) => line.includes('cannot be reached')), 'the log')
    const secret = kit.double.token.split(':')[1] as string
    expect(kit.logs.join() + JSON.stringify(check)).not.toContain(secret)
    expect(JSON.stringify(kit.db.prepare('SELECT * FROM outbox').all())).not.toContain(secret)
  })

  it('confirms an update only after it was handled, so a restart loses none', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    const first = await createTelegramKit({ double })
    const { card, execution } = await first.ask()
    await first[Symbol.asyncDispose]()
    const press = double.press(ANN.id, card.messageId, '✅ Run Once', ANN)
    expect(double.unconfirmed).toBe(1)
    await using second = await createTelegramKit({ double, dir: first.dir })
    await press.answered
    await second.reaches(execution, 'success')
    await double.waitFor(() => double.unconfirmed === 0, 'the confirmation')
    await double.waitFor(() => card.text.includes('Succeeded'), 'the outcome')
    await double[Symbol.asyncDispose]()
  })

  it('takes updates by webhook, and only from who knows the secret token', async () => {
    const secret = 'demo-webhook-secret-0123'
    await using kit = await createTelegramKit({
      start: false,
      webhook: { url: 'https://oauth3.example/hooks/telegram', secret: new SecretValue(secret) },
    })
    const { webhook } = kit.telegram
    expect(webhook?.path).toBe('/hooks/telegram')
    const server = createServer((request, response) => webhook?.handler(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/telegram`
    kit.double.deliverWebhooksTo(address)
    kit.telegram.start()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the webhook')
    const { card, execution } = await kit.ask()
    const data = card.callbacks.get('✅ Run Once')
    const forged = {
      update_id: 1,
      callback_query: {
        id: '1',
        from: ANN,
        message: { message_id: card.messageId, chat: { id: kit.chatId, type: 'private' } },
        data,
      },
    }
    for (const token of [undefined, '', 'demo-webhook-secret-0124', `${secret}x`]) {
      const headers: Record<string, string> =
        token === undefined ? {} : { 'x-telegram-bot-api-secret-token': token }
      const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(forged) })
      expect(answer.status).toBe(401)
    }
    const garbage = await fetch(address, {
      method: 'POST',
      headers: { 'x-telegram-bot-api-secret-token': secret },
      body: '[',
    })
    expect(garbage.status).toBe(400)
    expect((await kit.audit.newest(10)).filter(({ event }) => event === 'telegram.rejected')).toHaveLength(4)
    expect((await kit.find(execution)).status).toBe('pending')
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    await kit.reaches(execution, 'success')
    server.closeAllConnections()
    server.close()
  })

  it('stops in seconds while an answer to a press is tried again, and what was decided stands', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    kit.double.failNext({ method: 'answerCallbackQuery', status: 429, retryAfter: 5, times: 3 })
    const press = kit.double.press(kit.chatId, card.messageId, '❌ Deny', ANN)
    press.answered.catch(() => {})
    await kit.double.waitFor(
      () => kit.double.calls.some(({ method }) => method === 'answerCallbackQuery'),
      'the first try',
    )
    const stopped = performance.now()
    await kit.telegram[Symbol.asyncDispose]()
    expect(performance.now() - stopped).toBeLessThan(3_300)
    expect((await kit.find(execution)).status).toBe('denied')
    expect(kit.double.unconfirmed).toBe(0)
  })

  it('stops in seconds while a command waits for an answer that does not come', async () => {
    const begun = Promise.withResolvers<void>()
    const telegram: object = {
      health: () => {
        begun.resolve()
        return new Promise(() => {})
      },
    }
    await using kit = await createTelegramKit({ telegram })
    kit.double.say(kit.chatId, '/status', ANN)
    await begun.promise
    const stopped = performance.now()
    await kit.telegram[Symbol.asyncDispose]()
    expect(performance.now() - stopped).toBeLessThan(3_300)
  })

  it('sends a card at once, not at the next look into the queue', async () => {
    await using kit = await createTelegramKit()
    const tookMs: number[] = []
    for (let index = 0; index < 9; index += 1) {
      await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
      const calls = kit.double.calls.length
      const asked = performance.now()
      await kit.submit({ skillId: `skill-${index}` })
      const wasSent = () => kit.double.calls.slice(calls).some(({ method }) => method === 'sendMessage')
      while (!wasSent()) await new Promise((resolve) => setTimeout(resolve, 2))
      tookMs.push(performance.now() - asked)
    }
    expect(tookMs.toSorted((a, b) => a - b)[4]).toBeLessThan(80)
  })

  it('answers commands before cards that wait in a slow group', async () => {
    await using kit = await createTelegramKit({
      chatId: GROUP,
      telegram: { pace: { burst: 1, perSecond: 2 } },
    })
    for (let index = 0; index < 6; index += 1) await kit.submit({ skillId: `skill-${index}` })
    kit.double.say(GROUP, '/agents', ANN)
    await kit.said('demo-agent agt_')
    expect(kit.double.messages.filter(({ buttons }) => buttons.length > 0).length).toBeLessThan(4)
  })
})

describe('the state of the chat', () => {
  it.each([
    [400, 'Bad Request: TOPIC_CLOSED'],
    [400, 'Bad Request: message thread not found'],
    [400, 'Bad Request: not enough rights to send text messages to the chat'],
    [400, 'Bad Request: need administrator rights in the channel chat'],
    [400, 'Bad Request: CHAT_SEND_PLAIN_FORBIDDEN'],
    [400, 'Bad Request: CHAT_RESTRICTED'],
    [400, 'Bad Request: PEER_ID_INVALID'],
    [403, 'Forbidden: bot was kicked from the supergroup chat'],
    [403, 'Forbidden: user is deactivated'],
  ])('keeps what is refused with %i %j, and says so where a person looks', async (status, description) => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.failNext({ method: 'sendMessage', status, description, times: 50 })
    await kit.submit({ skillId: 'kept' })
    await kit.double.waitFor(async () => (await kit.telegram.note()) !== null, 'the note')
    expect(await kit.telegram.note()).toContain(description)
    expect(await kit.telegram.note()).toContain('1 waiting, and kept')
    expect(await kit.telegram.check.run(AbortSignal.timeout(5_000))).toMatchObject({ ok: false })
    expect(await kit.outbox.waiting('telegram:')).toBe(1)
    expect(kit.logs.filter((line) => line.includes('given up'))).toEqual([])
  })

  it('tells by a sign of life whether words that nobody knows are about the chat or the content', async () => {
    await using kit = await createTelegramKit()
    const words = { status: 400, description: 'Bad Request: SOMETHING_NEW' }
    kit.double.failNext({ ...words, method: 'sendMessage', times: 50 })
    kit.double.failNext({ ...words, method: 'sendChatAction' })
    await kit.submit({ skillId: 'kept' })
    await kit.double.waitFor(async () => (await kit.telegram.note()) !== null, 'the note')
    expect(await kit.outbox.waiting('telegram:')).toBe(1)
    await using other = await createTelegramKit()
    other.double.failNext({ ...words, method: 'sendMessage', times: 50 })
    await other.submit({ skillId: 'hopeless' })
    await other.double.waitFor(() => other.logs.some((line) => line.includes('given up')), 'the log')
    expect(await other.outbox.waiting('telegram:')).toBe(0)
    expect(await other.telegram.note()).toBeNull()
  })

  it('follows a group that became a supergroup, asks anew there for what waits, and remembers it', async () => {
    const NEW = -1_009_000_000_001
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    const { execution } = await kit.ask({ skillId: 'waited-before' })
    kit.double.upgrade(GROUP, NEW)
    await kit.submit({ skillId: 'came-after' })
    const fits =
      (skill: string) => (message: { chatId: number; text: string; buttons: readonly unknown[] }) =>
        message.chatId === NEW && message.text.includes(skill) && message.buttons.length > 0
    await kit.double.waitForMessage(fits('came-after'))
    const card = await kit.double.waitForMessage(fits('waited-before'))
    await kit.double.press(NEW, card.messageId, '❌ Deny', ANN).answered
    expect((await kit.find(execution)).status).toBe('denied')
    expect(await kit.telegram.note()).toContain(`set TELEGRAM_CHAT_ID to ${NEW}`)
    expect((await kit.audit.newest(50)).map(({ event }) => event)).toContain('telegram.chat_moved')
    // Commands are taken there, and in the old chat no more.
    kit.double.say(NEW, '/pending', ANN)
    await kit.double.waitForMessage(({ chatId, text }) => chatId === NEW && text.includes('came-after for'))
  })

  it('follows the service message of its own group as well', async () => {
    const NEW = -1_009_000_000_002
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    kit.double.upgrade(GROUP, NEW)
    kit.double.say(GROUP, 'upgraded', ANN, { migrateTo: NEW })
    await kit.double.waitForMessage(
      ({ chatId, text }) => chatId === NEW && text.includes('became a supergroup'),
    )
  })

  it('goes nowhere because somebody says so', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    kit.double.addChat({ id: -77, type: 'group' })
    kit.double.say(-77, 'migrate', EVE, { migrateTo: -78 })
    kit.double.say(GROUP, '/agents', ANN)
    await kit.said('There are no agents.')
    expect(await kit.telegram.note()).toBeNull()
  })
})
