import { describe, expect, it } from 'vitest'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import { createScriptedSandbox, ENDLESS } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { asAgent } from '../support/principals.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP, UNHURRIED } from '../support/telegram-kit.ts'

describe('an approval in Telegram', () => {
  it('shows a card with the four buttons in the order of the contract, and the whole code in it', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask({ description: 'Says <b>hello</b> & more' })
    expect(card.buttons).toEqual([
      ['✅ Run Once', '❌ Deny'],
      ['⏱ Trust 24h', '♾ Always Trust'],
      [`#️⃣ ${execution.codeHash.slice(0, 12)}…`],
    ])
    expect(card.text).toContain('console.log("hello")')
    expect(card.text).toContain(execution.codeHash.slice(0, 12))
    expect(card.text).not.toContain(execution.codeHash)
    const hash = kit.double.press(kit.chatId, card.messageId, `#️⃣ ${execution.codeHash.slice(0, 12)}…`, ANN)
    expect(await hash.answered).toEqual({ text: `SHA-256 of the code:\n${execution.codeHash}`, alert: true })
    expect((await kit.find(execution)).status).toBe('pending')
    expect(card.text).toContain('Says <b>hello</b> & more')
    expect(card.text).toContain('🌐 Sends: nothing')
    expect(card.text).toMatch(/expires in 60 min \(\d\d:\d\d UTC\)/)
  })

  it('runs on ✅ Run Once, answers the press at once and edits the card to its outcome without buttons', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    const press = kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN)
    expect(await press.answered).toEqual({ text: 'Approved once', alert: false })
    await kit.reaches(execution, 'success')
    await kit.double.waitFor(() => card.text.includes('Succeeded'), 'the outcome')
    expect(card.text).toMatch(/Succeeded · exit 0 · 12 ms/)
    expect(card.text).toMatch(/Approved once by Ann \(telegram:1001\), \d\d:\d\d UTC/)
    expect(card.text).toContain('hello')
    expect(card.buttons).toEqual([])
    expect(kit.double.calls.filter(({ method }) => method === 'answerCallbackQuery')).toHaveLength(1)
    expect((await kit.audit.newest(50)).map(({ event }) => event)).toContain('approval.asked')
  })

  it('does not run on ❌ Deny and says who denied', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    expect((await kit.double.press(kit.chatId, card.messageId, '❌ Deny', ANN).answered).text).toBe('Denied')
    await kit.double.waitFor(() => card.text.includes('Denied by Ann'), 'the outcome')
    expect((await kit.find(execution)).status).toBe('denied')
    expect(card.buttons).toEqual([])
  })

  it('has ⏹ Stop while the run goes on, for approvers alone, which ends it', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask({ code: ENDLESS })
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    await kit.double.waitFor(() => card.buttons.flat().includes('⏹ Stop'), 'the button')
    const stop = (by: typeof ANN) => kit.double.press(kit.chatId, card.messageId, '⏹ Stop', by).answered
    expect(await stop(EVE)).toEqual({ text: 'Only approvers can answer.', alert: true })
    expect(await stop(ANN)).toEqual({ text: 'It has just begun. Press again to stop it.', alert: true })
    expect((await kit.find(execution)).status).toBe('running')
    await expect
      .poll(() => stop(ANN), { timeout: patience(20_000), interval: 500 })
      .toEqual({ text: 'Stopping it now.', alert: false })
    await kit.reaches(execution, 'failed')
    await kit.double.waitFor(() => card.buttons.length === 0, 'the outcome')
    expect(card.text).toContain('⏹ Stopped')
    expect(card.text).toContain('A person stopped it.')
    expect((await kit.find(execution)).failure).toBe('stopped')
    const stopped = (await kit.audit.newest(50)).find(({ event }) => event === 'execution.stopped')
    expect(stopped?.actor).toBe('telegram:1001')
  })

  it.each([
    ['⏱ Trust 24h', '24h', 'Trusted for 24 h'],
    ['♾ Always Trust', 'forever', 'Always trusted'],
  ])('%s stores a grant, so that the same request runs without a card', async (button, level, said) => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    expect((await kit.double.press(kit.chatId, card.messageId, button, ANN).answered).text).toBe(said)
    await kit.reaches(execution, 'success')
    expect((await kit.storage.read((tx) => kit.trust.list(tx))).map((grant) => grant.level)).toEqual([level])
    const again = await kit.submit()
    expect(again.trusted).toBe(true)
    await kit.reaches(again, 'success')
    expect(
      kit.double.messages.filter((message) => message.fromBot && message.text.includes('Sends')),
    ).toHaveLength(0)
  })

  it('offers any args as a choice of its own only when there are args', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask({ argsJson: '{"to":"you"}' })
    expect(card.buttons[2]).toEqual(['⏱ 24h, any args', '♾ Always, any args'])
    expect(card.text).toContain('📥 Args: {"to":"you"}')
    await kit.double.press(kit.chatId, card.messageId, '⏱ 24h, any args', ANN).answered
    await kit.reaches(execution, 'success')
    expect((await kit.submit({ argsJson: '{"to":"me"}' })).trusted).toBe(true)
  })

  it('leads with what changed when a trusted skill asks for more', async () => {
    await using kit = await createTelegramKit()
    const first = await kit.ask()
    await kit.double.press(kit.chatId, first.card.messageId, '♾ Always Trust', ANN).answered
    await kit.reaches(first.execution, 'success')
    const { card } = await kit.ask({ network: ['api.example.com'], timeoutSeconds: 60 })
    const [head, ...rest] = card.text.split('\n')
    expect(head).toBe('🔺 NOT what you approved before:')
    expect(rest[0]).toBe('• network: + GET api.example.com, ANY path')
    expect(card.text).toContain('• timeout: 30 → 60 s')
  })

  it('asks for missing secrets with a forced reply, deletes the reply, stores it exactly and goes on by itself', async () => {
    const sandbox = createScriptedSandbox()
    await using kit = await createTelegramKit({ sandbox })
    const { card, execution } = await kit.ask({
      secrets: [{ name: 'DEMO_KEY' }],
      network: ['api.example.com'],
    })
    expect(card.text).toContain('🔑 DEMO_KEY → api.example.com (in headers) (not stored)')
    const press = kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN)
    expect((await press.answered).text).toBe('Approved once; a secret is missing')
    const prompt = await kit.said('Value of DEMO_KEY?')
    expect(prompt.forceReply).toBe(true)
    const value = 'demo-value-begin\n  two words\nend'
    const reply = kit.double.say(kit.chatId, value, ANN, { replyTo: prompt })
    await kit.reaches(execution, 'success')
    expect(reply.deleted).toBe(true)
    expect(sandbox.orders[0]?.egress?.policy.secrets[0]?.replacement.open()).toBe(value)
    const confirmed = await kit.said('Stored DEMO_KEY (version 1)')
    expect(confirmed.text).not.toContain('demo-value')
    await kit.double.waitFor(() => card.text.includes('Succeeded'), 'the outcome')
  })

  it('understands the reply to a question that was asked before a restart', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    const first = await createTelegramKit({ double })
    const { card, execution } = await first.ask({ secrets: [{ name: 'DEMO_KEY' }] })
    await double.press(ANN.id, card.messageId, '✅ Run Once', ANN).answered
    const prompt = await first.said('Value of DEMO_KEY?')
    await first[Symbol.asyncDispose]()
    const reply = double.say(ANN.id, 'demo-value-after-restart', ANN, { replyTo: prompt })
    await using second = await createTelegramKit({ double, dir: first.dir })
    await second.reaches(execution, 'success')
    expect(reply.deleted).toBe(true)
    await double[Symbol.asyncDispose]()
  })

  it('shows a failed run with its reason, exit code and the first lines of both outputs', async () => {
    const sandbox = createScriptedSandbox((_order, print) => {
      print('stdout', `${Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n')}\n`)
      print('stderr', 'Error: demo failure\n')
      return { exitCode: 3, truncated: true, durationMs: 2_345 }
    })
    await using kit = await createTelegramKit({ sandbox })
    const { card } = await kit.ask()
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    await kit.double.waitFor(() => card.text.includes('Failed'), 'the outcome')
    expect(card.text).toMatch(/Failed · exit 3 · 2\.3 s/)
    expect(card.text).toContain('The code ended with an exit code other than 0.')
    expect(card.text).toContain('line 0')
    expect(card.text).not.toContain('line 8')
    expect(card.text).toContain('Error: demo failure')
    expect(card.text).toContain('The output was cut at its limit.')
    expect(card.text.split('\n').length).toBeLessThanOrEqual(25)
  })

  it('tells of a trusted run that failed, though it had no card', async () => {
    let exitCode = 0
    await using kit = await createTelegramKit({ sandbox: createScriptedSandbox(() => ({ exitCode })) })
    const { card, execution } = await kit.ask()
    await kit.double.press(kit.chatId, card.messageId, '♾ Always Trust', ANN).answered
    await kit.reaches(execution, 'success')
    exitCode = 1
    const trusted = await kit.submit()
    await kit.reaches(trusted, 'failed')
    const notice = await kit.said('A trusted run failed')
    expect(notice.text).toContain(trusted.requestId)
    expect(notice.buttons).toEqual([])
  })

  it('serves a group: any approver decides, and the card names who did', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN, BOB] })
    const { card } = await kit.ask()
    await kit.double.press(GROUP, card.messageId, '✅ Run Once', BOB).answered
    await kit.double.waitFor(() => card.text.includes('by Bob (telegram:1002)'), 'the outcome')
  })

  it('edits the card when the agent cancels, and when nobody answers in time', async () => {
    let now = Date.now()
    await using kit = await createTelegramKit({ clock: { now: () => now } })
    const cancelled = await kit.ask()
    await kit.executions.cancel(asAgent((await kit.agentOf()).id), cancelled.execution.requestId)
    await kit.double.waitFor(() => cancelled.card.text.includes('Cancelled by the agent'), 'the outcome')
    const expired = await kit.ask()
    now += 3_600_001
    await kit.approvals.tick()
    await kit.double.waitFor(() => expired.card.text.includes('Expired'), 'the outcome')
    expect(expired.card.buttons).toEqual([['🔁 Ask again']])
  })

  it('sends a card once more after a crash between sending and recording, and both copies work', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    const seen = Promise.withResolvers<void>()
    const sandbox = createScriptedSandbox(async () => {
      await seen.promise
      return {}
    })
    await using kit = await createTelegramKit({ double, sandbox })
    const { card, execution } = await kit.ask()
    await double.waitFor(
      async () =>
        (await kit.storage.read((tx) => kit.cards.byRequest(tx, execution.requestId, String(ANN.id))))
          ?.messageId,
      'the record',
    )
    // What a crash leaves: the card is in the chat, the database does not know it.
    kit.db.prepare('UPDATE cards SET message_id = NULL').run()
    await kit.storage.transaction((tx) =>
      kit.outbox.enqueue(tx, `telegram:${ANN.id}`, 'card', { requestId: execution.requestId }),
    )
    const copy = await double.waitForMessage((message) => message !== card && message.buttons.length > 0)
    await double.waitFor(
      async () =>
        (await kit.storage.read((tx) => kit.cards.byRequest(tx, execution.requestId, String(ANN.id))))
          ?.messageId,
      'the record',
    )
    const dataOfCopy = copy.callbacks.get('✅ Run Once') as string
    await double.press(ANN.id, card.messageId, '✅ Run Once', ANN).answered
    await double.waitFor(() => card.text.includes('Running') && copy.text.includes('Running'), 'the run')
    seen.resolve()
    await double.waitFor(
      () => card.text.includes('Succeeded') && copy.text.includes('Succeeded'),
      'both outcomes',
    )
    const late = await double.pressRaw(ANN.id, copy.messageId, dataOfCopy, ANN).answered
    expect(late.text).toBe('Already decided by Ann: Approved once')
    expect(sandbox.orders).toHaveLength(1)
    await double[Symbol.asyncDispose]()
  })
})
