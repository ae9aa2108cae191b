import { describe, expect, it } from 'vitest'
import { paceOf } from '../../src/notify/bot-api/index.ts'
import { addAgent, createScriptedSandbox, requestOf } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { approver, asAgent, owner } from '../support/principals.ts'
import { ANN, BOB, createTelegramKit, GROUP } from '../support/telegram-kit.ts'

describe('what keeps cards from the chat', () => {
  it('is not a member of the group who is no approver and writes without end', async () => {
    await using kit = await createTelegramKit({
      chatId: GROUP,
      approvers: [ANN],
      telegram: { pace: paceOf(String(GROUP)) },
    })
    kit.double.failNext({ method: 'deleteMessage', status: 429, retryAfter: 1, times: 20 })
    for (let index = 0; index < 100; index += 1) {
      for (const text of ['/help', '/audit', '/id', '/start']) kit.double.say(GROUP, text, BOB)
      if (index % 5 === 0) kit.double.say(GROUP, '/add_secret DEMO demo-value-of-bob', BOB)
    }
    await kit.double.waitFor(() => kit.double.unconfirmed === 0, 'all to be read', patience(20_000))
    expect(await kit.outbox.waiting('telegram:')).toBe(0)
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
    const said = kit.double.messages.filter(({ fromBot }) => fromBot)
    expect(said.length).toBeGreaterThan(0)
    expect(said.length).toBeLessThan(5)
    for (const skillId of ['first', 'second']) {
      kit.double.say(GROUP, '/help', BOB)
      const asked = performance.now()
      await kit.ask({ skillId })
      // A hundred replies at the pace of a group would be six minutes.
      expect(performance.now() - asked).toBeLessThan(20_000)
    }
  })

  it('is not a reply to a stranger while a card waits', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    kit.double.failNext({ method: 'sendMessage', status: 500, times: 2 })
    const asked = kit.ask()
    kit.double.say(GROUP, '/help', BOB)
    await kit.double.waitFor(() => kit.double.unconfirmed === 0, 'the command to be read')
    await asked
    expect(kit.double.messages.filter(({ fromBot }) => fromBot)).toHaveLength(1)
  })

  it('is not what is late of requests whose code is gone by then', async () => {
    await using kit = await createTelegramKit({ start: false })
    const denied = await kit.submit({ skillId: 'denied', code: 'console.log("denied")\n' })
    const cancelled = await kit.submit({ skillId: 'cancelled', code: 'console.log("cancelled")\n' })
    await kit.executions.decide(denied.requestId, denied.consentHash, 'deny', owner('0', 'a'))
    await kit.executions.cancel(asAgent(cancelled.agentId), cancelled.requestId)
    while (await kit.retention.turn()) {
      // Until nothing of them is left.
    }
    expect(kit.db.prepare('SELECT count(*) FROM code').pluck().get()).toBe(0)
    expect(await kit.outbox.waiting('telegram:')).toBe(4)
    const whole = await kit.submit({ skillId: 'whole' })
    kit.telegram.start()
    const card = await kit.double.waitForMessage(({ buttons }) => buttons.length > 0)
    expect(card.text).toContain(whole.codeHash.slice(0, 12))
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    expect(kit.logs.filter((line) => line.includes('cannot be opened'))).toEqual([])
  })

  it.each(['consent', 'code'])('is not another request whose stored %s cannot be opened', async (part) => {
    await using kit = await createTelegramKit({ start: false })
    const broken = await kit.submit({ skillId: 'broken', code: 'console.log("broken")\n' })
    const whole = await kit.submit({ skillId: 'whole' })
    if (part === 'consent') {
      kit.db.prepare("UPDATE executions SET consent = '{} ' WHERE request_id = ?").run(broken.requestId)
    } else {
      kit.db.prepare("UPDATE code SET text = 'other' WHERE hash = ?").run(broken.codeHash)
    }
    kit.telegram.start()
    const card = await kit.double.waitForMessage(({ buttons }) => buttons.length > 0)
    expect(card.text).toContain(whole.codeHash.slice(0, 12))
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    expect(kit.double.messages).toHaveLength(1)
    expect(kit.logs.filter((line) => line.includes('cannot be opened'))).toHaveLength(1)
    expect((await kit.find(broken)).status).toBe('pending')
  })

  it.each([
    ['what is stored of another request', "UPDATE executions SET changes = '{' WHERE request_id = ?"],
    ['another message of the queue', "UPDATE outbox SET payload = '{' WHERE payload LIKE '%' || ? || '%'"],
  ])(
    'is not %s that cannot be read: it is given up, and the audit says so',
    async (_what, sql) => {
      await using kit = await createTelegramKit({ start: false })
      const broken = await kit.submit({ skillId: 'broken', code: 'console.log("broken")\n' })
      const whole = await kit.submit({ skillId: 'whole' })
      expect(kit.db.prepare(sql).run(broken.requestId).changes).toBe(1)
      kit.telegram.start()
      const card = await kit.double.waitFor(
        () => kit.double.messages.find(({ buttons }) => buttons.length > 0),
        'the card behind it',
        20_000,
      )
      expect(card.text).toContain(whole.codeHash.slice(0, 12))
      await kit.double.waitFor(
        async () => (await kit.outbox.waiting('telegram:')) === 0,
        'the queue to drain',
      )
      expect(kit.logs.filter((line) => line.includes('given up'))).toHaveLength(1)
      const rows = kit.db.prepare("SELECT data FROM audit_log WHERE event = 'telegram.given_up'").all()
      expect(rows).toEqual([{ data: expect.stringContaining('"kind":"card"') }])
    },
    patience(30_000),
  )

  it('takes the buttons from a card whose consent cannot be opened any more', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    kit.db.prepare("UPDATE executions SET consent = consent || ' '").run()
    const press = await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    expect(press.text).toContain('nothing was decided')
    await kit.executions.cancel(asAgent((await kit.agentOf()).id), execution.requestId)
    await kit.double.waitFor(() => card.text.includes('Cancelled by the agent'), 'the outcome')
    expect(card.buttons).toEqual([])
  })

  /** Two agents in one chat: one whose trusted code fails at once, again and again, and one who asks. */
  const withTwoAgents = async () => {
    const kit = await createTelegramKit({
      start: false,
      sandbox: createScriptedSandbox(() => ({ exitCode: 1 })),
      telegram: { pace: { burst: 3, perSecond: 50 } },
    })
    const busy = await addAgent(kit, 'busy')
    const failing = (n: number) =>
      kit.executions.submit(busy, requestOf({ skillId: 'failing', argsJson: `{"n":${n}}` }))
    const first = await failing(0)
    await kit.executions.decide(
      first.requestId,
      first.consentHash,
      'forever_any',
      approver(String(ANN.id), 'Ann'),
    )
    await kit.reaches(first, 'failed')
    const fail = async (count: number): Promise<void> => {
      const runs = []
      for (let n = 1; n <= count; n++) runs.push(await failing(n))
      for (const run of runs) await kit.reaches(run, 'failed')
    }
    return { kit, fail, busy }
  }

  it('is not forty failed runs of another agent: the card is first, and they are one message', async () => {
    const { kit, fail } = await withTwoAgents()
    await using _kit = kit
    await fail(40)
    const asked = await kit.submit({ skillId: 'other' })
    kit.telegram.start()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    const said = kit.double.messages.filter(({ fromBot }) => fromBot)
    expect(said.map(({ buttons }) => buttons.length > 0)).toEqual([true, false])
    expect(said[0]?.text).toContain(asked.codeHash.slice(0, 12))
    expect(said[1]?.text).toContain('40 notices in one')
    expect(said[1]?.text).toContain('failing')
    expect(kit.logs.filter((line) => line.startsWith('error'))).toEqual([])
  })

  it('is not the cards of another agent, as many as it may have: they take turns', async () => {
    const { kit, busy } = await withTwoAgents()
    await using _kit = kit
    for (let n = 0; n < 15; n++)
      await kit.executions.submit(busy, requestOf({ skillId: `flood-${n}`, code: `console.log(${n})\n` }))
    const asked = await kit.submit({ skillId: 'other' })
    kit.telegram.start()
    const cards = (): string[] =>
      kit.double.messages.filter(({ buttons }) => buttons.length > 0).map(({ text }) => text)
    await kit.double.waitFor(() => cards().length === 16, 'all cards')
    expect(cards().findIndex((text) => text.includes(asked.codeHash.slice(0, 12)))).toBeLessThanOrEqual(1)
  })

  it('is not the backlog of eight other agents, for who has no card waiting, again and again', async () => {
    await using kit = await createTelegramKit({
      start: false,
      telegram: { pace: { burst: 3, perSecond: 20 } },
    })
    for (let one = 0; one < 8; one++) {
      const busy = await addAgent(kit, `busy-${one}`)
      for (let n = 0; n < 10; n++)
        await kit.executions.submit(busy, requestOf({ code: `console.log(${one * 100 + n})\n` }))
    }
    kit.telegram.start()
    const shown = (): number => kit.double.messages.length
    // Each of them had none waiting as well, with its first.
    await kit.double.waitFor(() => shown() >= 8, 'the first cards')
    const between: number[] = []
    for (let n = 0; n < 6; n++) {
      const from = shown()
      await kit.double.waitFor(() => shown() >= from + 6, 'cards of others')
      const asked = await kit.submit({ code: `console.log("quiet ${n}")\n` })
      const before = shown()
      await kit.double.waitForMessage(({ text }) => text.includes(asked.codeHash.slice(0, 12)))
      const at = kit.double.messages.findIndex(({ text }) => text.includes(asked.codeHash.slice(0, 12)))
      between.push(at - before)
      await kit.executions.cancel(asAgent(asked.agentId), asked.requestId)
    }
    // Two cards may be on their way at once.
    expect(Math.max(...between)).toBeLessThanOrEqual(2)
  })

  it('is not the next part of a long card of another agent', async () => {
    await using kit = await createTelegramKit({
      start: false,
      telegram: { pace: { burst: 3, perSecond: 0.05 } },
    })
    const busy = await addAgent(kit, 'busy')
    for (let n = 0; n < 3; n++) {
      const code = `console.log(${n})\n`.repeat(2_000)
      await kit.executions.submit(busy, requestOf({ skillId: `long-${n}`, code }))
    }
    kit.telegram.start()
    await kit.double.waitFor(() => kit.double.messages.length >= 2, 'parts of the first card')
    const asked = await kit.submit({ skillId: 'other' })
    await kit.double.waitForMessage(({ text }) => text.includes(asked.codeHash.slice(0, 12)))
    expect(kit.double.messages.map(({ text }) => text.includes(asked.codeHash.slice(0, 12)))).toEqual([
      false,
      false,
      true,
    ])
  })

  it('is not the upload of a document of another agent, and an update waits for its card', async () => {
    await using kit = await createTelegramKit({
      start: false,
      telegram: { pace: { burst: 9, perSecond: 9 } },
    })
    const release = kit.double.hold('sendDocument')
    const busy = await addAgent(kit, 'busy')
    const long = await kit.executions.submit(
      busy,
      requestOf({ skillId: 'long', code: 'console.log(1)\n'.repeat(2_000) }),
    )
    kit.telegram.start()
    await kit.double.waitFor(() => kit.double.calls.some(({ method }) => method === 'sendDocument'), 'upload')
    const asked = await kit.submit({ skillId: 'other' })
    await kit.double.waitForMessage(({ text }) => text.includes(asked.codeHash.slice(0, 12)))
    await kit.executions.cancel(asAgent(long.agentId), long.requestId)
    release()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    const card = kit.double.messages.find(({ text }) => text.includes(long.codeHash.slice(0, 12)))
    expect(card?.buttons ?? []).toEqual([])
  })

  it('is not the backlog of its own agent when a person brings it back', async () => {
    await using kit = await createTelegramKit({ telegram: { pace: { burst: 3, perSecond: 2 } } })
    const { card } = await kit.ask({ skillId: 'first' })
    kit.double.say(kit.chatId, '/pending', ANN)
    const list = await kit.said('A number brings its card back')
    for (let n = 0; n < 15; n++) await kit.submit({ code: `console.log(${n})\n` })
    const before = kit.double.messages.length
    await kit.double.press(kit.chatId, list.messageId, '1', ANN).answered
    const shown = (): number => kit.double.messages.findLastIndex(({ text }) => text === card.text)
    await kit.double.waitFor(() => shown() >= before, 'the card once more')
    expect(shown() - before).toBeLessThanOrEqual(2)
  })

  it('is not a notice that waits for room in the pace', async () => {
    const { kit, fail } = await withTwoAgents()
    await using _kit = kit
    await fail(3)
    kit.double.failNext({ method: 'sendMessage', status: 429, retryAfter: 1, times: 1 })
    kit.telegram.start()
    await kit.double.waitFor(
      () => kit.logs.some((line) => line.includes('did not take a message')),
      'the flood',
    )
    const asked = await kit.submit({ skillId: 'other' })
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the queue to drain')
    const said = kit.double.messages.filter(({ fromBot }) => fromBot)
    expect(said[0]?.text).toContain(asked.codeHash.slice(0, 12))
  })
})
