import { expect, it } from 'vitest'
import { AGENT_BOT_STORES, useAgentBots } from '../../../test/support/agent-bots-kit.ts'
import { startBotApiDouble } from '../../../test/support/bot-api-double.ts'
import { patience } from '../../../test/support/pace.ts'
import { owner } from '../../../test/support/principals.ts'
import { storeContract } from '../../../test/support/store-contract.ts'
import { ANN, BOB, UNHURRIED } from '../../../test/support/telegram-kit.ts'
import { AppError, SecretValue } from '../../kernel/index.ts'
import { resealBotTokens } from './index.ts'

storeContract('bots of hosted agents', AGENT_BOT_STORES, (kit) => {
  const world = useAgentBots(kit)
  const { open, add, pair, heard, said, confirmed, saying, forApprovers, rowsOf } = world
  const { agent, machine } = world.claw
  const echo = saying('you said')
  const turnRows = () => rowsOf('machine_turns')
  const owedRows = () => rowsOf('agent_bot_answers')

  it('are heard by whoever was paired by a code, once, and by nobody else', async () => {
    const { bots } = open(echo)
    expect(await bots.show('claw')).toBeNull()
    await expect(bots.newCode('claw', owner())).rejects.toMatchObject({ code: 'not_found' })
    expect(await add(bots)).toMatchObject({ username: 'oauth3_test_bot', lastFour: 'ests', chats: [] })
    const { code, link } = await bots.newCode('claw', owner())
    expect(link).toBe(`https://t.me/oauth3_test_bot?start=${code}`)
    world.double.say(BOB.id, 'let me in', BOB)
    world.double.say(BOB.id, '/start', BOB)
    world.double.say(BOB.id, `/start ${code.slice(1)}x`, BOB)
    // In a group everybody would speak, and has read it.
    world.double.say(-100_5, `/start@oauth3_test_bot ${code}`, ANN)
    await heard('it is good no more', { ...ANN, id: -100_5 })
    world.double.say(BOB.id, `/start ${code}`, BOB)
    const { code: next } = await bots.newCode('claw', owner())
    world.double.say(ANN.id, `/start ${next}`, ANN)
    await heard('You talk to claw from now on')
    world.double.say(BOB.id, `/start ${next}`, BOB)
    world.double.say(ANN.id, 'hello?', ANN)
    await heard('you said: hello?')
    const toOthers = world.double.messages.filter(({ fromBot, chatId }) => fromBot && chatId !== ANN.id)
    expect(toOthers).toMatchObject([{ chatId: -100_5 }])
    expect(await bots.show('claw')).toMatchObject({
      ...{ refused: 6, connected: true, problem: null },
      chats: [{ chat: String(ANN.id), name: ANN.first_name }],
    })
    expect(await turnRows()).toHaveLength(1)
    expect(world.told.join()).toContain(`"event":"chat.asked","actor":"telegram:${ANN.id}"`)
    await bots.unpair('claw', String(ANN.id), owner())
    world.double.say(ANN.id, 'still there?', ANN)
    await confirmed()
    expect(said().join()).not.toContain('still there')
    await expect(bots.unpair('claw', String(ANN.id), owner())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('take a code for an hour, and the newest alone', async () => {
    const { bots } = open(echo)
    await add(bots)
    const { code: first } = await bots.newCode('claw', owner())
    const { code } = await bots.newCode('claw', owner())
    world.double.say(ANN.id, `/start ${first}`, ANN)
    await confirmed()
    await kit.sql(`UPDATE agent_bots SET code_until = 1 WHERE tenant_id = '${kit.me}'`)
    world.double.say(ANN.id, `/start ${code}`, ANN)
    await confirmed()
    expect((await bots.show('claw'))?.chats).toEqual([])
    expect(said()).toEqual([])
  })

  it('of two tenants hear each its own, and no bot is two agents’ or an approver’s', async () => {
    await using other = await startBotApiDouble({
      flood: UNHURRIED,
      token: '7171717171:demo-bot-token-of-them',
    })
    other.addChat({ id: ANN.id, type: 'private' })
    const mine = open(saying('mine'))
    const theirs = open(saying('theirs'), { storage: kit.theirs, bot: other })
    await add(mine.bots)
    const near = open(echo, { storage: kit.theirs }).bots
    await expect(add(near)).rejects.toMatchObject({ code: 'conflict' })
    // By another token of the same bot too; and its id alone, which is no secret, tells nobody whose it is.
    const renewed = new SecretValue('4242424242:demo-another-token')
    expect(() => forApprovers(renewed)).toThrow('in use here')
    await expect(near.add('claw', renewed, owner())).rejects.toMatchObject({ code: 'invalid_request' })
    await add(theirs.bots, other)
    await pair(mine.bots)
    await pair(theirs.bots, other)
    world.double.say(ANN.id, 'a', ANN)
    other.say(ANN.id, 'b', ANN)
    await heard('mine: a')
    await heard('theirs: b', ANN, other)
    expect(said().join()).not.toContain('theirs')
    expect(said(other).join()).not.toContain('mine')
    // Given back, it is free again.
    await theirs.bots.remove('claw', owner())
    expect(await theirs.bots.show('claw')).toBeNull()
    using _approvers = forApprovers(new SecretValue(other.token))
    await expect(add(theirs.bots, other)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('left out while it is another one’s, goes on once it is free', async () => {
    const before = open(echo).bots
    await add(before)
    await before[Symbol.asyncDispose]()
    const approvers = forApprovers(new SecretValue(world.double.token))
    const { bots } = open(echo)
    expect((await bots.show('claw'))?.problem).toContain('is starting')
    await bots.start()
    expect(await bots.show('claw')).toMatchObject({
      connected: false,
      problem: expect.stringContaining('another one'),
    })
    approvers[Symbol.dispose]()
    await bots.start()
    const shown = async () => (await bots.show('claw'))?.connected
    await expect.poll(shown, { timeout: patience(10_000) }).toBe(true)
    await bots[Symbol.asyncDispose]()
    // Nor is it kept for a machine that is not there.
    await open(echo, { isGone: true }).bots.start()
    expect(await rowsOf('agent_bots')).toEqual([])
    expect(world.told.at(-1)).toContain('"event":"bot.removed","actor":"daemon"')
  })

  it('refuse a token that is none, and one that Telegram does not know', async () => {
    const { bots } = open(echo)
    for (const token of ['no-token', '4242424242:demo-token-that-is-unknown'])
      await expect(bots.add('claw', new SecretValue(token), owner())).rejects.toMatchObject({
        code: 'invalid_request',
      })
    world.double.failNext({ method: 'getMe', status: 502 })
    await expect(add(bots)).rejects.toMatchObject({ code: 'refused' })
    expect(await rowsOf('agent_bots')).toEqual([])
    // None of these keeps the bot.
    await add(bots)
    await expect(add(bots)).rejects.toMatchObject({ code: 'conflict', message: /has a bot already/ })
  })

  it('are no agent’s that was revoked, nor one’s that goes while Telegram is asked', async () => {
    const { bots } = open(echo)
    const answer = world.double.hold('getMe')
    const adding = expect(add(bots)).rejects.toMatchObject({ code: 'refused' })
    await kit.mine.transaction((tx) => bots.agentRevoked(tx, agent))
    world.revoked.add(agent)
    answer()
    await adding
    await expect(add(bots)).rejects.toMatchObject({ code: 'refused' })
    expect(await rowsOf('agent_bots')).toEqual([])
    expect(await add(bots, world.double, 'tail')).toMatchObject({ lastFour: 'ests' })
  })

  it('over a restart lose no message, and ask none twice', async () => {
    const asked: string[] = []
    const never = Promise.withResolvers<void>()
    const before = open(async function* (text) {
      asked.push(text)
      if (text === 'slow') await never.promise
      yield `first: ${text}`
    })
    await add(before.bots)
    await pair(before.bots)
    // Heard and never confirmed: what was handled is asked for again.
    world.double.say(ANN.id, 'done', ANN)
    await heard('first: done')
    world.double.say(ANN.id, 'slow', ANN)
    await world.double.waitFor(() => asked.includes('slow'), 'the second turn')
    // Neither the last poll nor the confirmation of the end reaches Telegram.
    world.double.down()
    await before.bots[Symbol.asyncDispose]()
    const rows = await kit.sql(`SELECT last_update FROM agent_bots WHERE tenant_id = '${kit.me}'`)
    expect(rows).toEqual([{ last_update: 102 }])
    expect((await owedRows()).map(({ turn }) => turn)).toEqual([2])
    world.double.up()
    world.double.push({
      message: { message_id: 9, chat: { id: ANN.id, type: 'private' }, from: ANN, text: 'meanwhile' },
    })
    const after = open(async function* (text) {
      asked.push(text)
      yield `second: ${text}`
    })
    await after.chats.takeOver(new Set([machine.id]))
    await after.bots.start()
    await heard('second: meanwhile')
    await confirmed()
    expect(asked).toEqual(['done', 'slow', 'meanwhile'])
    expect(said().slice(1)).toEqual([
      'first: done',
      '(The daemon stopped before it was answered.)',
      'second: meanwhile',
    ])
    await expect.poll(owedRows, { timeout: patience(10_000) }).toEqual([])
  })

  it('ask an update that comes once more no second time', async () => {
    const asked: string[] = []
    const { bots } = open(saying('you said', asked))
    await add(bots)
    await pair(bots)
    world.double.say(ANN.id, 'once', ANN)
    await heard('you said: once')
    await bots[Symbol.asyncDispose]()
    // Older ones come again where the confirmation was lost; one far off is new: Telegram began to count anew.
    const message = { message_id: 9, chat: { id: ANN.id, type: 'private' }, from: ANN }
    world.double.push({ message: { ...message, text: 'again' }, update_id: 101 })
    world.double.push({ message: { ...message, text: 'far off' }, update_id: 100_000 })
    await open(saying('you said', asked)).bots.start()
    await heard('you said: far off')
    expect(asked).toEqual(['once', 'far off'])
  })

  it('say a long answer in parts, what failed by its reason, and take text alone', async () => {
    const long = `${'word '.repeat(900)}😀${'x'.repeat(5_000)}<b>not bold</b>`
    const { bots } = open(async function* (text) {
      yield text === 'long' ? long : 'a part'
      if (text === 'fail') throw new AppError('refused', 'It has no key.')
    })
    await add(bots)
    await pair(bots)
    world.double.say(ANN.id, 'long', ANN)
    await heard('<b>not bold</b>')
    const parts = said().slice(1)
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.join('').replace(/\s/g, '')).toBe(long.replace(/\s/g, ''))
    world.double.say(ANN.id, 'fail', ANN)
    await heard('a part\n\n(It has no key.)')
    const chat = { id: ANN.id, type: 'private' } as const
    world.double.push({ message: { message_id: 9, chat, from: ANN, photo: [], caption: 'this' } })
    await heard('write it as a message')
    expect(await turnRows()).toHaveLength(2)
  })

  it('go on after a restart with the part of an answer that was not sent', async () => {
    const held = Promise.withResolvers<void>()
    const { bots, chats } = open(async function* () {
      await held.promise
      yield `${'x'.repeat(4_096)} the rest`
    })
    await add(bots)
    await pair(bots)
    world.double.say(ANN.id, 'long', ANN)
    await expect.poll(owedRows, { timeout: patience(10_000) }).toHaveLength(1)
    world.double.down()
    held.resolve()
    await chats.ended(machine.id, 1, new AbortController().signal)
    await bots[Symbol.asyncDispose]()
    await kit.sql(`UPDATE agent_bot_answers SET sent = 1 WHERE tenant_id = '${kit.me}'`)
    world.double.up()
    await open(echo).bots.start()
    await heard('the rest')
    expect(said().slice(1)).toEqual(['the rest'])
  })

  it('neither ask nor answer a chat that was taken away meanwhile', async () => {
    const held = Promise.withResolvers<void>()
    let beforeTurn: () => Promise<unknown> = async () => undefined
    const { bots } = open(
      async function* (text) {
        await held.promise
        yield `you said: ${text}`
      },
      { beforeTurn: () => beforeTurn() },
    )
    const unpair = () => bots.unpair('claw', String(ANN.id), owner())
    await add(bots)
    await pair(bots)
    for (const text of ['one', 'two']) world.double.say(ANN.id, text, ANN)
    await expect.poll(turnRows, { timeout: patience(10_000) }).toHaveLength(2)
    await unpair()
    held.resolve()
    // The answers of one chat are sent in order: the first is over.
    await expect.poll(() => world.awaited, { timeout: patience(10_000) }).toEqual([1, 2])
    await pair(bots)
    beforeTurn = unpair
    world.double.say(ANN.id, 'three', ANN)
    await confirmed()
    expect(await turnRows()).toHaveLength(2)
    await pair(bots)
    expect(said()).toEqual(Array(3).fill(expect.stringContaining('from now on')))
  })

  it('are paired with twenty chats at most', async () => {
    const { bots } = open(echo)
    await add(bots)
    const insert = (from: number, count: number) =>
      kit.sql(
        `INSERT INTO agent_bot_chats SELECT '${kit.me}', '${machine.id}', CAST(n + ${from} AS TEXT), 'x', 1 FROM (${kit.numbers(count)}) AS numbers`,
      )
    await insert(0, 19)
    const { code } = await bots.newCode('claw', owner())
    await insert(19, 1)
    world.double.say(ANN.id, `/start ${code}`, ANN)
    await confirmed()
    expect((await bots.show('claw'))?.chats).toHaveLength(20)
    await expect(bots.newCode('claw', owner())).rejects.toMatchObject({ code: 'conflict' })
    expect(said()).toEqual([])
  })

  it('let one chat wait with few messages, and say so', async () => {
    const held = Promise.withResolvers<void>()
    const { bots } = open(async function* (text) {
      await held.promise
      yield `you said: ${text}`
    })
    await add(bots)
    await pair(bots)
    for (let at = 1; at <= 6; at += 1) world.double.say(ANN.id, `message ${at}`, ANN)
    await heard('4 of your messages wait already')
    await confirmed()
    expect(await turnRows()).toHaveLength(4)
    held.resolve()
    await heard('you said: message 4')
    expect(said().filter((text) => text.startsWith('you said'))).toHaveLength(4)
  })

  it('try again where Telegram takes too many, is down or is asked by another, and give up what it never takes', async () => {
    const { bots } = open(echo)
    await add(bots)
    await pair(bots)
    world.double.failNext({ method: 'sendMessage', status: 429, retryAfter: 0 })
    world.double.failNext({ method: 'sendMessage', status: 502 })
    world.double.say(ANN.id, 'once', ANN)
    await heard('you said: once')
    expect(said().filter((text) => text.includes('once'))).toHaveLength(1)
    world.double.conflict(true)
    await expect
      .poll(async () => (await bots.show('claw'))?.problem, { timeout: patience(15_000) })
      .toContain('somebody else')
    world.double.conflict(false)
    world.double.say(ANN.id, 'after it', ANN)
    await heard('you said: after it')
    const description = 'Forbidden: bot was blocked by the user'
    world.double.failNext({ method: 'sendMessage', status: 403, description })
    world.double.say(ANN.id, 'blocked', ANN)
    await world.double.waitFor(() => world.double.calls.some(({ status }) => status === 403), 'the refusal')
    world.double.say(ANN.id, 'and back', ANN)
    await heard('you said: and back')
    expect(said().join()).not.toContain('blocked')
    await expect.poll(owedRows, { timeout: patience(10_000) }).toEqual([])
  })

  it('hear nothing in a lockdown, and what came meanwhile after it', async () => {
    const { bots, lockdown } = open(echo)
    await add(bots)
    await pair(bots)
    lockdown.state = { since: 1, by: 'daemon' }
    bots.halt()
    world.double.say(ANN.id, 'locked in', ANN)
    await expect(bots.newCode('claw', owner())).rejects.toMatchObject({ code: 'locked' })
    expect(await bots.show('claw')).toMatchObject({ connected: false, problem: 'Everything is stopped.' })
    // Nor after a restart.
    await bots[Symbol.asyncDispose]()
    const after = open(echo)
    after.lockdown.state = lockdown.state
    await after.bots.start()
    expect(await turnRows()).toEqual([])
    expect(world.double.unconfirmed).toBe(1)
    after.lockdown.state = null
    await after.bots.start()
    await heard('you said: locked in')
  })

  it('begin anew once what was under way before is over', async () => {
    const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { bots } = open(echo, { beforeTurn: () => Promise.all([over.promise, begun.resolve()]) })
    await add(bots)
    await pair(bots)
    world.double.say(ANN.id, 'slow', ANN)
    await begun.promise
    bots.halt()
    let isOver = false
    const started = bots.start().then(() => expect(isOver).toBe(true))
    for (let reads = 0; reads < 8; reads += 1) await bots.show('claw')
    isOver = true
    over.resolve()
    await started
  })

  it('go with their agent, and their tokens are in no row, log or event', async () => {
    const { bots } = open(echo)
    await add(bots)
    await pair(bots)
    const description = `Bad Request: bot${world.double.token} is wrong`
    world.double.failNext({ method: 'sendMessage', status: 400, description })
    world.double.say(ANN.id, 'hello', ANN)
    await expect.poll(() => world.told.join(), { timeout: patience(10_000) }).toContain('given up')
    await kit.mine.transaction((tx) =>
      resealBotTokens(tx, (purpose, text) => `${purpose}${text.slice(purpose.length)}`),
    )
    const rows = () => Promise.all(['agent_bots', 'agent_bot_chats', 'agent_bot_answers'].map(rowsOf))
    const all = `${JSON.stringify(await rows())}${world.told.join('\n')}`
    expect(all).toContain('bot.added')
    expect(all).not.toContain(world.double.token.slice(11))
    await kit.mine.transaction((tx) => bots.agentRevoked(tx, world.tail.agent))
    expect(await rows()).toEqual([[expect.anything()], [expect.anything()], []])
    await kit.mine.transaction((tx) => bots.agentRevoked(tx, agent))
    expect(await rows()).toEqual([[], [], []])
    expect(world.told.at(-1)).toContain('bot.removed')
    // It is nobody's now.
    const given = async () => (await add(open(echo, { storage: kit.theirs }).bots)).lastFour
    await expect.poll(() => given().catch(String), { timeout: patience(10_000) }).toBe('ests')
  })
})
