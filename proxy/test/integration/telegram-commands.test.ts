import { describe, expect, it } from 'vitest'
import { ENDLESS } from '../support/domain-kit.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP } from '../support/telegram-kit.ts'

const PEM = '-----BEGIN DEMO-----\nline one  with blanks\n\tline two\n-----END DEMO-----'

describe('commands in Telegram', () => {
  it('tells Telegram every command for its menu', async () => {
    await using kit = await createTelegramKit()
    await kit.double.waitFor(() => kit.double.commands.length > 0, 'the menu')
    expect(kit.double.commands.map(({ command }) => command)).toEqual([
      'start',
      'id',
      'help',
      'add_secret',
      'list_secrets',
      'remove_secret',
      'pending',
      'trusted',
      'revoke',
      'add_key',
      'keys',
      'remove_key',
      'grants',
      'usage',
      'providers',
      'audit',
      'agents',
      'status',
      'panic',
    ])
  })

  it('answers /start and /id with the chat id, and the user id when it differs', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP })
    kit.double.say(GROUP, '/id', ANN)
    expect((await kit.said("This chat's id is")).text).toBe(
      `This chat's id is ${GROUP}.\nYour user id is 1001.`,
    )
    kit.double.addChat({ id: EVE.id, type: 'private' })
    kit.double.say(EVE.id, '/start', EVE)
    const answer = await kit.double.waitForMessage((message) => message.fromBot && message.chatId === EVE.id)
    expect(answer.text).toBe(`This chat's id is ${EVE.id}.`)
  })

  it('stores a secret, deletes the message, keeps blanks and line breaks, and never repeats the value', async () => {
    await using kit = await createTelegramKit()
    const message = kit.double.say(kit.chatId, `/add_secret DEMO_PEM ${PEM}`, ANN)
    await kit.said('Stored DEMO_PEM (version 1)')
    expect(message.deleted).toBe(true)
    expect((await kit.storage.transaction((tx) => kit.vault.open(tx, 'DEMO_PEM', 'req_x'))).open()).toBe(PEM)
    const multiline = kit.double.say(
      kit.chatId,
      '/add_secret@oauth3_test_bot DEMO_TWO\n  demo-value, indented',
      ANN,
    )
    await kit.said('Stored DEMO_TWO')
    expect(multiline.deleted).toBe(true)
    expect((await kit.storage.transaction((tx) => kit.vault.open(tx, 'DEMO_TWO', 'req_x'))).open()).toBe(
      '  demo-value, indented',
    )
    const spoken = JSON.stringify(
      kit.double.messages.filter(({ fromBot }) => fromBot).map(({ text, source }) => [text, source]),
    )
    expect(spoken).not.toContain('line one')
    expect(kit.logs.join()).not.toContain('line one')
    expect(JSON.stringify(kit.db.prepare('SELECT * FROM outbox').all())).not.toContain('line one')
  })

  it('deletes the message before anything else, even when the name is not valid', async () => {
    await using kit = await createTelegramKit()
    const message = kit.double.say(kit.chatId, '/add_secret bad-name demo-value-1234', ANN)
    const answer = await kit.said('Send /add_secret NAME value')
    expect(message.deleted).toBe(true)
    expect(answer.text).not.toContain('bad-name')
    kit.double.say(kit.chatId, '/add_secret LD_PRELOAD demo-value-1234', ANN)
    await kit.said('steers the runtime')
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
    const methods = kit.double.calls.map(({ method }) => method)
    expect(methods.indexOf('deleteMessage')).toBeLessThan(methods.indexOf('sendMessage'))
  })

  it('asks for the value when only a name is given, and deletes the reply', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/add_secret DEMO_KEY', ANN)
    const prompt = await kit.said('Value of DEMO_KEY?')
    expect(prompt.forceReply).toBe(true)
    const reply = kit.double.say(kit.chatId, 'demo-value-abcdef', ANN, { replyTo: prompt })
    await kit.said('Stored DEMO_KEY')
    expect(reply.deleted).toBe(true)
    expect((await kit.storage.transaction((tx) => kit.vault.open(tx, 'DEMO_KEY', 'req_x'))).open()).toBe(
      'demo-value-abcdef',
    )
  })

  it('says loudly when it cannot delete the message: in a group without the right, or after 48 hours', async () => {
    await using group = await createTelegramKit({ chatId: GROUP })
    const message = group.double.say(GROUP, '/add_secret DEMO_KEY demo-value-abcdef', ANN)
    expect((await group.said('could NOT delete')).text).toContain('administrator')
    await group.said('Stored DEMO_KEY')
    expect(message.deleted).toBe(false)
    await using alone = await createTelegramKit()
    alone.double.say(alone.chatId, '/add_secret DEMO_KEY demo-value-abcdef', ANN, { ageMs: 49 * 3_600_000 })
    expect((await alone.said('could NOT delete')).text).toContain('48 hours')
  })

  it('keeps trying to delete when Telegram is busy, and says so meanwhile', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({ method: 'deleteMessage', status: 502 })
    const message = kit.double.say(kit.chatId, '/add_secret DEMO_KEY demo-value-abcdef', ANN)
    await kit.said('could NOT delete')
    await kit.double.waitFor(() => message.deleted, 'the deletion')
  })

  it('lists secrets without values and removes them', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/list_secrets', ANN)
    await kit.said('No secrets are stored.')
    kit.double.say(kit.chatId, '/add_secret DEMO_KEY demo-value-abcdef', ANN)
    await kit.said('Stored DEMO_KEY')
    kit.double.say(kit.chatId, '/list_secrets', ANN)
    expect((await kit.said('DEMO_KEY v1')).text).not.toContain('demo-value')
    kit.double.say(kit.chatId, '/remove_secret DEMO_KEY', ANN)
    await kit.said('Removed DEMO_KEY')
    kit.double.say(kit.chatId, '/remove_secret DEMO_KEY', ANN)
    await kit.said('No secret named DEMO_KEY.')
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
  })

  it('lists what waits, grants and their revocation, audit, agents and status', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/pending', ANN)
    await kit.said('Nothing waits.')
    const { card, execution } = await kit.ask({ network: ['api.example.com'] })
    kit.double.say(kit.chatId, '/pending', ANN)
    await kit.said(`demo-skill for demo-agent, 60 min left, ${execution.requestId.slice(0, 12)}`)
    await kit.double.press(kit.chatId, card.messageId, '♾ Always Trust', ANN).answered
    const id = (await kit.storage.read((tx) => kit.trust.list(tx)))[0]?.id
    kit.double.say(kit.chatId, '/trusted', ANN)
    await kit.said(`${id}. demo-skill ${execution.codeHash.slice(0, 12)}, always`)
    await kit.said('🤖 demo-agent 🔑 no secret → api.example.com')
    await kit.reaches(execution, 'success')
    kit.double.say(kit.chatId, `/revoke ${id}`, ANN)
    expect((await kit.said(`Revoked ${id}. demo-skill`)).text).not.toContain('Goes on')
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])

    const { card: second, execution: endless } = await kit.ask({ code: ENDLESS })
    await kit.double.press(kit.chatId, second.messageId, '♾ Always Trust', ANN).answered
    await kit.reaches(endless, 'running')
    const standing = (await kit.storage.read((tx) => kit.trust.list(tx)))[0]?.id
    kit.double.say(kit.chatId, `/revoke ${standing}`, ANN)
    await kit.said(
      `Revoked ${standing}. demo-skill\n▶️ Goes on: oauth3 stop ${endless.requestId.slice(0, 16)} ends it.`,
    )
    kit.double.say(kit.chatId, `/revoke ${id}`, ANN)
    await kit.said(`No active grant ${id}.`)
    kit.double.say(kit.chatId, '/revoke', ANN)
    await kit.said('Send /revoke N')
    kit.double.say(kit.chatId, '/audit 3', ANN)
    expect((await kit.said('trust.revoked')).text.split('\n')).toHaveLength(3)
    kit.double.say(kit.chatId, '/agents', ANN)
    await kit.said('demo-agent agt_')
    kit.double.say(kit.chatId, '/status', ANN)
    expect((await kit.said('version 0.0.0')).text).toContain('a <note>')
    kit.double.say(kit.chatId, '/help', ANN)
    await kit.said('/revoke N — End grant N')
  })

  it('keeps the messages of long lists within the limit', async () => {
    await using kit = await createTelegramKit()
    for (let index = 0; index < 120; index += 1)
      await kit.agents.add({ name: `agent-with-quite-a-long-name-${index}` }, 'cli:0')
    kit.double.say(kit.chatId, '/agents', ANN)
    expect((await kit.said('… and')).text.length).toBeLessThanOrEqual(4_096)
  })

  it('lets only approvers of the group command, and members read the help', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    kit.double.say(GROUP, '/list_secrets', BOB)
    await kit.said('Only approvers')
    kit.double.say(GROUP, '/help@oauth3_test_bot', BOB)
    await kit.said('/add_secret NAME[:HOSTS] value')
    kit.double.say(GROUP, '/status@another_bot', ANN)
    kit.double.say(GROUP, '/agents', ANN)
    await kit.said('There are no agents.')
    expect(kit.double.messages.some((message) => message.fromBot && message.text.includes('version'))).toBe(
      false,
    )
    expect((await kit.audit.newest(5)).map(({ event }) => event)).toContain('telegram.rejected')
  })

  it('tells the doctor what works, and what it lacks in a group', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP })
    await kit.double.waitFor(() => kit.telegram.state() === 'connected', 'the connection')
    const lacking = await kit.telegram.check.run(AbortSignal.timeout(5_000))
    expect(lacking).toEqual({ ok: false, said: expect.stringContaining('make it an administrator') })
    kit.double.addChat({ id: GROUP, type: 'supergroup', botIsAdmin: true })
    const well = await kit.telegram.check.run(AbortSignal.timeout(5_000))
    expect(well).toEqual({ ok: true, said: expect.stringContaining('@oauth3_test_bot reaches supergroup') })
  })
})

describe('what waits, and questions', () => {
  it('brings a card back by its number, and takes the older message away', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask()
    kit.double.say(kit.chatId, '/pending', ANN)
    const list = await kit.said('A number brings its card back')
    expect(list.buttons).toEqual([['1']])
    expect((await kit.double.press(kit.chatId, list.messageId, '1', ANN).answered).text).toBe('Here it comes')
    await kit.double.waitFor(() => card.deleted, 'the older message is gone')
    const again = kit.double.messages.findLast(({ buttons }) => buttons.flat().includes('✅ Run Once'))
    expect(again?.messageId).toBeGreaterThan(list.messageId)
    await kit.double.press(kit.chatId, again?.messageId ?? 0, '✅ Run Once', ANN).answered
    expect((await kit.find(execution)).decision).toBe('once')
    await kit.double.waitFor(
      () => again?.buttons.length === 0,
      'the card that is there is brought up to date',
    )
    // What waits no more is not brought back.
    expect((await kit.double.press(kit.chatId, list.messageId, '1', ANN).answered).text).toBe(
      'It waits no more.',
    )
  })

  it('brings nothing back for anybody but approvers', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP })
    await kit.ask()
    kit.double.say(GROUP, '/pending', ANN)
    const list = await kit.said('A number brings its card back')
    const before = kit.double.messages.length
    expect((await kit.double.press(GROUP, list.messageId, '1', EVE).answered).alert).toBe(true)
    expect(kit.double.messages.length).toBe(before)
  })

  it('brings the question for a missing value back', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask({ secrets: [{ name: 'DEMO_LATE' }] })
    await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
    const first = await kit.said('Value of DEMO_LATE?')
    kit.double.say(kit.chatId, '/pending', ANN)
    const list = await kit.said('awaiting secrets')
    await kit.double.press(kit.chatId, list.messageId, '1', ANN).answered
    const second = await kit.double.waitForMessage(
      ({ text, messageId }) => text.includes('Value of DEMO_LATE?') && messageId > first.messageId,
    )
    kit.double.say(kit.chatId, 'demo-value-late', ANN, { replyTo: second })
    await kit.said('Stored DEMO_LATE')
    expect((await kit.find(execution)).status).not.toBe('awaiting_secrets')
  })

  it('stores a secret for the hosts that are named with it, also by a question, which goes once it was answered', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(
      kit.chatId,
      '/add_secret DEMO_BOUND:API.example.com,b.example.com:8443 demo-value-one',
      ANN,
    )
    await kit.said('It may go to api.example.com, b.example.com:8443.')
    expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_BOUND')))?.hosts).toEqual([
      'api.example.com',
      'b.example.com:8443',
    ])
    kit.double.say(kit.chatId, '/add_secret DEMO_ASKED:c.example.com', ANN)
    const question = await kit.said('Value of DEMO_ASKED? (new, to c.example.com alone)')
    kit.double.say(kit.chatId, 'demo-value-two', ANN, { replyTo: question })
    await kit.said('Stored DEMO_ASKED (version 1)')
    expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_ASKED')))?.hosts).toEqual([
      'c.example.com',
    ])
    await kit.double.waitFor(() => question.deleted, 'the question is gone')
    kit.double.say(kit.chatId, 'demo-value-three', ANN, { replyTo: question })
    await kit.said('is out of date')
    expect((await kit.storage.transaction((tx) => kit.vault.open(tx, 'DEMO_ASKED', 'req_x'))).open()).toBe(
      'demo-value-two',
    )
    kit.double.say(kit.chatId, '/add_secret DEMO_BAD:no/host demo-value-four', ANN)
    await kit.said('are no list')
    expect(await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_BAD'))).toBeUndefined()
  })

  it('takes one key for a question', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/add_key openai', ANN)
    const question = await kit.said('Key for openai? (key 1)')
    kit.double.say(kit.chatId, 'demo-vendor-key-one', ANN, { replyTo: question })
    await kit.said('Stored 1')
    await kit.double.waitFor(() => question.deleted, 'the question is gone')
    kit.double.say(kit.chatId, 'demo-vendor-key-two', ANN, { replyTo: question })
    await kit.said('question for a key is out of date')
    expect(kit.llm.keys.list()).toHaveLength(1)
  })
})
