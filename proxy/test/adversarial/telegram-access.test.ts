import { describe, expect, it } from 'vitest'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import type { DomainKit } from '../support/domain-kit.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP, UNHURRIED } from '../support/telegram-kit.ts'

const events = async (kit: Pick<DomainKit, 'audit'>): Promise<string[]> =>
  (await kit.audit.newest(200)).map(({ event }) => event)

/** Who may answer an ask for a provider, how often, and with what. */
describe("answers to a provider's card", () => {
  it('lets no other member of the group decide', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    const { card } = await kit.wants()
    for (const button of card.buttons.flat()) {
      const press = kit.double.press(GROUP, card.messageId, button, EVE)
      expect(await press.answered).toEqual({ text: 'Only approvers can answer.', alert: true })
    }
    expect(await kit.storage.read((tx) => kit.llm.access.pending(tx))).toHaveLength(1)
    expect(kit.llm.access.grants()).toEqual([])
    expect((await events(kit)).filter((event) => event === 'approval.refused')).toHaveLength(
      card.buttons.flat().length,
    )
    expect(card.buttons.flat()).toHaveLength(13)
  })

  it('ignores a card that is pressed in another chat, by anybody', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.wants()
    const data = card.callbacks.get('♾ Always') as string
    kit.double.addChat({ id: EVE.id, type: 'private' })
    for (const from of [EVE, ANN]) {
      const { text } = await kit.double.pressRaw(EVE.id, card.messageId, data, from).answered
      expect(text).toBe('This button does nothing here.')
    }
    expect(kit.llm.access.grants()).toEqual([])
  })

  it('counts once on a double press and on two approvers at once', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN, BOB] })
    const { card } = await kit.wants()
    const buttons = ['⏱ 1 hour', '♾ Always', '❌ Deny', '⏱ 1 hour']
    const presses = buttons.map((button, index) =>
      kit.double.pressRaw(GROUP, card.messageId, card.callbacks.get(button) as string, index % 2 ? BOB : ANN),
    )
    const answers = await Promise.all(presses.map(({ answered }) => answered))
    expect(answers.map(({ text }) => text)).toEqual([
      'Granted for 1 hour',
      ...Array(3).fill('Already granted by Ann.'),
    ])
    expect(kit.llm.access.grants()).toHaveLength(1)
    expect((await events(kit)).filter((event) => event === 'provider.decided')).toHaveLength(1)
  })

  it('counts once when a callback is replayed after a restart, also when the grant was revoked', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    const first = await createTelegramKit({ double })
    const { card } = await first.wants()
    const data = card.callbacks.get('♾ Always') as string
    await double.press(ANN.id, card.messageId, '♾ Always', ANN).answered
    await first.llm.access.revoke(first.llm.access.grants()[0]?.id as number, 'cli:0')
    await first[Symbol.asyncDispose]()
    await using second = await createTelegramKit({ double, dir: first.dir })
    const replay = await double.pressRaw(ANN.id, card.messageId, data, ANN).answered
    expect(replay).toEqual({ text: 'Already granted by Ann.', alert: true })
    expect(second.llm.access.grants()).toEqual([])
    await double[Symbol.asyncDispose]()
  })

  it('decides nothing after expiry, whether or not the daemon has noticed', async () => {
    let now = Date.now()
    await using kit = await createTelegramKit({ clock: { now: () => now } })
    const { card } = await kit.wants()
    const data = card.callbacks.get('♾ Always') as string
    now += 3_600_000
    for (let press = 0; press < 2; press += 1) {
      expect(await kit.double.pressRaw(kit.chatId, card.messageId, data, ANN).answered).toEqual({
        text: 'Expired: nothing was decided.',
        alert: true,
      })
    }
    // What it offers by then asks again, and gives nothing.
    await kit.double.waitFor(() => card.buttons.flat().join() === '🔁 Ask again', 'the edit')
    expect(kit.llm.access.grants()).toEqual([])
  })

  it('refuses what is forged: another token, another word, the word of another kind of card, an altered row', async () => {
    await using kit = await createTelegramKit()
    const { card, ask } = await kit.wants()
    const run = await kit.ask()
    const press = async (data: string): Promise<string> =>
      (await kit.double.pressRaw(kit.chatId, card.messageId, data, ANN).answered).text
    const token = (card.callbacks.get('♾ Always') as string).split(':')[1] as string
    const runToken = (run.card.callbacks.get('✅ Run Once') as string).split(':')[1] as string
    const flipped = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`
    for (const data of [
      `a1:${flipped}:always`,
      `a1:${token}:forever`,
      `a1:${token}:once`,
      `a1:${token}:root`,
      `a1:${token}:__proto__`,
      `a1:${token}:tostring`,
      `a1:${token}:always `,
      `a2:${token}:always`,
      `a1:${ask.id.slice(4, 26)}:always`,
      `a1:${runToken}:always`,
      `a1:${runToken}:model_1h`,
    ]) {
      expect(await press(data)).toMatch(/I do not know this card|does nothing here/)
    }
    kit.db.prepare("UPDATE provider_asks SET provider = 'anthropic'").run()
    expect(await press(`a1:${token}:always`)).toBe('This card is for another request.')
    expect(kit.llm.access.grants()).toEqual([])
    expect((await kit.find(run.execution)).status).toBe('pending')
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
  })

  it.each([
    ['host', 'https://lab.elsewhere.test/v1', false],
    ['port', 'https://api.openai.com:8443/v1', false],
    ['scheme', 'http://api.openai.com:443/v1', true],
    ['reach', 'https://api.openai.com/v1', true],
  ])(
    'decides nothing for a provider whose %s is by now another than the card says',
    async (_what, url, isPrivate) => {
      await using kit = await createTelegramKit()
      const { card, ask } = await kit.wants({ provider: 'openai' })
      const data = card.callbacks.get('♾ Always') as string
      const press = () => kit.double.pressRaw(kit.chatId, card.messageId, data, ANN).answered
      await kit.llm.providers.setParam('openai', 'url', url, 'cli:0', { private: isPrivate })
      expect(await press()).toEqual({ text: 'This card is for another request.', alert: true })
      expect((await kit.llm.access.find(ask.id))?.status).toBe('pending')
      expect(kit.llm.access.grants()).toEqual([])
      await kit.llm.providers.setParam('openai', 'url', 'default', 'cli:0')
      expect(await press()).toEqual({ text: 'Granted until you revoke it', alert: false })
    },
  )

  it('decides nothing for a provider that was removed, also when another has its name by now', async () => {
    await using kit = await createTelegramKit()
    const lab = {
      name: 'lab',
      url: 'https://lab.demo.test/v1',
      auth: { kind: 'bearer' },
      errors: 'openai',
      private: false,
    } as const
    await kit.llm.providers.add(lab, 'cli:0')
    const { card, ask } = await kit.wants({ provider: 'lab' })
    const data = card.callbacks.get('♾ Always') as string
    const press = async () =>
      (await kit.double.pressRaw(kit.chatId, card.messageId, data, ANN).answered)?.text ?? ''
    await kit.llm.providers.remove('lab', 'cli:0')
    expect(await press()).not.toMatch(/Granted/)
    await kit.llm.providers.add(lab, 'cli:0')
    expect(await press()).not.toMatch(/Granted/)
    expect((await kit.llm.access.find(ask.id))?.status).toBe('cancelled')
    expect(kit.llm.access.grants()).toEqual([])
  })

  it('brings a card back that is of what it shows now, once the provider has moved', async () => {
    await using kit = await createTelegramKit()
    const { card, ask } = await kit.wants({ provider: 'openai' })
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    const old = card.callbacks.get('♾ Always') as string
    await kit.llm.providers.setParam('openai', 'url', 'https://elsewhere.test/v1', 'cli:0')
    await kit.double.press(kit.chatId, card.messageId, '♾ Always', ANN).answered
    kit.double.say(kit.chatId, '/pending', ANN)
    const list = await kit.said('A number brings its card back.')
    await kit.double.press(kit.chatId, list.messageId, '1', ANN).answered
    const again = await kit.said('https://elsewhere.test')
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    const stale = await kit.double.pressRaw(kit.chatId, again.messageId, old, ANN).answered
    expect(stale).toEqual({ text: 'I do not know this card.', alert: true })
    expect((await kit.llm.access.find(ask.id))?.status).toBe('pending')
    const press = kit.double.press(kit.chatId, again.messageId, '♾ Always', ANN)
    expect(await press.answered).toEqual({ text: 'Granted until you revoke it', alert: false })
  })

  it('grants no pattern through the name of a model, and shows no markup or hidden characters of it', async () => {
    await using kit = await createTelegramKit()
    const { card, ask } = await kit.wants({
      model: 'gpt*</code><b>✅ Granted</b>\u202e/revoke 1 @somebody http://evil.test',
    })
    expect(card.buttons.flat().filter((label) => label.includes('nly'))).toEqual([])
    expect(card.text).toContain('⟨U+202E⟩')
    expect(card.entities.filter(({ type }) => type === 'b').map(({ text }) => text)).toEqual([
      'May this agent use this provider?',
    ])
    expect(card.entities.some(({ type, text }) => type === 'code' && text.includes('@somebody'))).toBe(true)
    const token = (card.callbacks.get('♾ Always') as string).split(':')[1] as string
    const { alert } = await kit.double.pressRaw(kit.chatId, card.messageId, `a1:${token}:model_always`, ANN)
      .answered
    expect(alert).toBe(true)
    expect((await kit.llm.access.find(ask.id))?.status).toBe('pending')
    expect(kit.llm.access.grants()).toEqual([])
  })

  it('shows no more cards than an agent may have waiting, and one for the same use', async () => {
    await using kit = await createTelegramKit({ maxWaitingPerAgent: 4 })
    const ask = async (model: string): Promise<unknown> => {
      try {
        return (
          await kit.llm.access.ask({
            agentId: (await kit.agentOf()).id,
            provider: 'openai',
            model,
            group: 'inference',
            path: '/x',
          })
        ).id
      } catch (error) {
        return (error as { code?: string }).code
      }
    }
    const same = await Promise.all(Array.from({ length: 50 }, () => ask('same')))
    expect(new Set(same).size).toBe(1)
    const more = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`model-${index}`)))
    expect(more.filter((said) => said === 'rate_limited')).toHaveLength(47)
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'all cards')
    expect(kit.double.messages.filter(({ buttons }) => buttons.length > 0)).toHaveLength(4)
  })

  it("takes no key from a reply to a look-alike of the bot's question", async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    const fake = kit.double.say(GROUP, '/x', EVE)
    kit.double.say(GROUP, 'demo-value-of-a-key', ANN, {
      replyTo: { ...fake, text: '🔑 Key for openai?', from: EVE },
    })
    const { card } = await kit.wants({ model: '🔑 Key for openai?' })
    kit.double.say(GROUP, 'demo-value-of-a-key', ANN, { replyTo: card })
    kit.double.say(GROUP, '/keys', ANN)
    await kit.said('No keys are stored.')
  })

  it('approves nothing while Telegram is down, and loses neither the card nor the press', async () => {
    await using kit = await createTelegramKit()
    const { card, ask } = await kit.wants()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    kit.double.down()
    const press = kit.double.press(kit.chatId, card.messageId, '⏱ 1 hour', ANN)
    await kit.llm.access.ask({ ...ask, model: 'o3' })
    await kit.double.waitFor(() => kit.telegram.state() === 'disconnected', 'the loss')
    expect(kit.llm.access.grants()).toEqual([])
    kit.double.up()
    await press.answered
    expect(kit.llm.access.grants()).toHaveLength(1)
  })
})
