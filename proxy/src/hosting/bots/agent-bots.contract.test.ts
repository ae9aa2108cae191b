import { afterEach, beforeEach, expect, it } from 'vitest'
import { type BotApiDouble, startBotApiDouble } from '../../../test/support/bot-api-double.ts'
import { sampleMachine } from '../../../test/support/machine-kit.ts'
import { patience } from '../../../test/support/pace.ts'
import { owner } from '../../../test/support/principals.ts'
import { storeContract } from '../../../test/support/store-contract.ts'
import { ANN, BOB, UNHURRIED } from '../../../test/support/telegram-kit.ts'
import { AppError, newAgentId, SecretValue, type Storage, systemClock } from '../../kernel/index.ts'
import { botOf, createBotClaims } from '../../notify/bot-api/index.ts'
import { createSodiumCipher } from '../../vault/crypto/index.ts'
import { createChatLedger, createChatStore, createChats } from '../chat/index.ts'
import { createAgentBotStore, createAgentBots, resealBotTokens } from './index.ts'

const cipher = await createSodiumCipher()
const vault = {
  sealFor: (purpose: string, value: SecretValue) =>
    `${purpose}=${Buffer.from(value.open()).toString('base64')}`,
  openFor(purpose: string, sealed: string) {
    if (!sealed.startsWith(`${purpose}=`)) throw new AppError('internal', 'sealed for another purpose')
    return new SecretValue(Buffer.from(sealed.slice(purpose.length + 1), 'base64').toString())
  },
}
const stores = { machineChats: createChatStore, agentBots: createAgentBotStore }

storeContract('bots of hosted agents', stores, (kit) => {
  const sample = sampleMachine({ name: 'claw' })
  const agent = newAgentId()
  const machine = { ...sample, spec: { ...sample.spec, settings: { agent } } }
  let double: BotApiDouble
  let claims: ReturnType<typeof createBotClaims>
  let told: string[]
  const opened: AsyncDisposable[] = []
  beforeEach(async () => {
    double = await startBotApiDouble({ flood: UNHURRIED })
    for (const { id } of [ANN, BOB]) double.addChat({ id, type: 'private' })
    double.addChat({ id: -100_5, type: 'group', botIsAdmin: true })
    claims = createBotClaims()
    told = []
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
    await double[Symbol.asyncDispose]()
  })

  /** As a daemon has it: what it holds in memory goes with it. `reply` is the agent. */
  function open(
    reply: (text: string) => AsyncIterable<string>,
    of: { readonly storage?: Storage; readonly bot?: BotApiDouble; readonly isGone?: boolean } = {},
  ) {
    const { storage = kit.mine, bot = double, isGone = false } = of
    const log = (message: string, error?: unknown): void => void told.push(`${message} ${String(error)}`)
    const audit = {
      append: async (_tx: unknown, event: string, actor: unknown, _request: unknown, data: unknown) =>
        void told.push(JSON.stringify({ event, actor, data })),
    } as never
    const chats = createChats({
      ledger: createChatLedger({ storage, vault, cipher, clock: systemClock, audit }),
      ...{ requestOf: async () => null, log },
    })
    const lockdown = {
      state: null as { since: number; by: 'daemon' } | null,
      assertOpen() {
        if (this.state !== null) throw new AppError('locked', 'Everything is stopped.')
      },
    }
    const bots = createAgentBots({
      ...{ storage, audit, lockdown, claims, clock: systemClock, log },
      vault: {
        ...vault,
        openFor(purpose, sealed) {
          lockdown.assertOpen()
          return vault.openFor(purpose, sealed)
        },
      },
      ...{ apiRoot: bot.root, pace: { burst: 1_000, perSecond: 1_000 }, pollSeconds: 1 },
      async find(name) {
        if (isGone || (name !== machine.id && name !== machine.name))
          throw new AppError('not_found', 'No such agent.')
        return machine
      },
      async say(id, text, by, along) {
        lockdown.assertOpen()
        return await chats.ask(id, { text, model: 'a-model' }, by, ({ text: asked }) => reply(asked), along)
      },
      ended: (id, number, signal) => chats.ended(id, number, signal),
    })
    const one = { bots, chats, lockdown, [Symbol.asyncDispose]: () => bots[Symbol.asyncDispose]() }
    opened.push(one)
    return one
  }
  const add = (bots: ReturnType<typeof open>['bots'], bot = double) =>
    bots.add('claw', new SecretValue(bot.token), owner())
  async function pair(bots: ReturnType<typeof open>['bots'], bot = double, who = ANN): Promise<void> {
    const { code } = await bots.newCode('claw', owner())
    bot.say(who.id, `/start ${code}`, who)
    await bot.waitForMessage(({ text, chatId }) => chatId === who.id && text.includes('from now on'))
  }
  const heard = (text: string, who = ANN, bot = double) =>
    bot.waitForMessage((one) => one.fromBot && one.chatId === who.id && one.text.includes(text))
  const said = (bot = double): string[] =>
    bot.messages.filter(({ fromBot }) => fromBot).map(({ text }) => text)
  const confirmed = () =>
    double.waitFor(() => double.unconfirmed === 0, 'that all of it is confirmed', patience(15_000))
  const saying = (word: string, asked: string[] = []) =>
    async function* (text: string) {
      asked.push(text)
      yield `${word}: ${text}`
    }
  const echo = saying('you said')
  const forApprovers = (token: SecretValue) =>
    claims.claim(botOf(token), { tenant: kit.theirs.tenant, machine: null })
  const turnRows = () => kit.sql(`SELECT * FROM machine_turns WHERE tenant_id = '${kit.me}'`)
  const owedRows = () => kit.sql(`SELECT * FROM agent_bot_answers WHERE tenant_id = '${kit.me}'`)

  it('are heard by whoever was paired by a code, once, and by nobody else', async () => {
    const { bots } = open(echo)
    expect(await bots.show('claw')).toBeNull()
    await expect(bots.newCode('claw', owner())).rejects.toMatchObject({ code: 'not_found' })
    expect(await add(bots)).toMatchObject({ username: 'oauth3_test_bot', lastFour: 'ests', chats: [] })
    const { code, link } = await bots.newCode('claw', owner())
    expect(link).toBe(`https://t.me/oauth3_test_bot?start=${code}`)
    double.say(BOB.id, 'let me in', BOB)
    double.say(BOB.id, '/start', BOB)
    double.say(BOB.id, `/start ${code.slice(1)}x`, BOB)
    // In a group everybody would speak.
    double.say(-100_5, `/start ${code}`, ANN)
    double.say(ANN.id, `/start ${code}`, ANN)
    await heard('You talk to claw from now on')
    double.say(BOB.id, `/start ${code}`, BOB)
    double.say(ANN.id, 'hello?', ANN)
    await heard('you said: hello?')
    expect(double.messages.filter(({ fromBot, chatId }) => fromBot && chatId !== ANN.id)).toEqual([])
    expect(await bots.show('claw')).toMatchObject({
      ...{ refused: 5, connected: true, problem: null },
      chats: [{ chat: String(ANN.id), name: ANN.first_name }],
    })
    expect(await turnRows()).toHaveLength(1)
    expect(told.join()).toContain(`"event":"chat.asked","actor":"telegram:${ANN.id}"`)
    await bots.unpair('claw', String(ANN.id), owner())
    double.say(ANN.id, 'still there?', ANN)
    await confirmed()
    expect(said().join()).not.toContain('still there')
    await expect(bots.unpair('claw', String(ANN.id), owner())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('take a code for an hour, and the newest alone', async () => {
    const { bots } = open(echo)
    await add(bots)
    const { code: first } = await bots.newCode('claw', owner())
    const { code } = await bots.newCode('claw', owner())
    double.say(ANN.id, `/start ${first}`, ANN)
    await confirmed()
    await kit.sql(`UPDATE agent_bots SET code_until = 1 WHERE tenant_id = '${kit.me}'`)
    double.say(ANN.id, `/start ${code}`, ANN)
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
    double.say(ANN.id, 'a', ANN)
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
    const approvers = forApprovers(new SecretValue(double.token))
    const { bots } = open(echo)
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
    expect(await kit.sql(`SELECT * FROM agent_bots WHERE tenant_id = '${kit.me}'`)).toEqual([])
    expect(told.at(-1)).toContain('"event":"bot.removed","actor":"daemon"')
  })

  it('refuse a token that is none, and one that Telegram does not know', async () => {
    const { bots } = open(echo)
    for (const token of ['no-token', '4242424242:demo-token-that-is-unknown'])
      await expect(bots.add('claw', new SecretValue(token), owner())).rejects.toMatchObject({
        code: 'invalid_request',
      })
    double.failNext({ method: 'getMe', status: 502 })
    await expect(add(bots)).rejects.toMatchObject({ code: 'refused' })
    expect(await kit.sql(`SELECT * FROM agent_bots WHERE tenant_id = '${kit.me}'`)).toEqual([])
    // None of these keeps the bot.
    await add(bots)
    await expect(add(bots)).rejects.toMatchObject({ code: 'conflict', message: /has a bot already/ })
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
    double.say(ANN.id, 'done', ANN)
    await heard('first: done')
    double.say(ANN.id, 'slow', ANN)
    await double.waitFor(() => asked.includes('slow'), 'the second turn')
    // Neither the last poll nor the confirmation of the end reaches Telegram.
    double.down()
    await before.bots[Symbol.asyncDispose]()
    const rows = await kit.sql(`SELECT last_update FROM agent_bots WHERE tenant_id = '${kit.me}'`)
    expect(rows).toEqual([{ last_update: 102 }])
    expect((await owedRows()).map(({ turn }) => turn)).toEqual([2])
    double.up()
    double.push({
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
    double.say(ANN.id, 'once', ANN)
    await heard('you said: once')
    await bots[Symbol.asyncDispose]()
    // Older ones come again where the confirmation was lost; one far off is new: Telegram began to count anew.
    const message = { message_id: 9, chat: { id: ANN.id, type: 'private' }, from: ANN }
    double.push({ message: { ...message, text: 'again' }, update_id: 101 })
    double.push({ message: { ...message, text: 'far off' }, update_id: 100_000 })
    await open(saying('you said', asked)).bots.start()
    await heard('you said: far off')
    expect(asked).toEqual(['once', 'far off'])
  })

  it('say a long answer in parts, what failed by its reason, and take text alone', async () => {
    const long = `${'word '.repeat(900)}😀${'x'.repeat(5_000)}<b>not bold</b>`
    const { bots } = open(async function* (text) {
      yield text === 'long' ? long : text === 'empty' ? ' ' : 'a part'
      if (text === 'fail') throw new AppError('refused', 'It has no key.')
    })
    await add(bots)
    await pair(bots)
    double.say(ANN.id, 'long', ANN)
    await heard('<b>not bold</b>')
    const parts = said().slice(1)
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.join('').replace(/\s/g, '')).toBe(long.replace(/\s/g, ''))
    double.say(ANN.id, 'fail', ANN)
    await heard('a part\n\n(It has no key.)')
    double.say(ANN.id, 'empty', ANN)
    await heard('(It said nothing.)')
    double.push({ message: { message_id: 9, chat: { id: ANN.id, type: 'private' }, from: ANN, photo: [] } })
    await heard('text only')
    expect(await turnRows()).toHaveLength(3)
  })

  it('let one chat wait with few messages, and say so', async () => {
    const held = Promise.withResolvers<void>()
    const { bots } = open(async function* (text) {
      await held.promise
      yield `you said: ${text}`
    })
    await add(bots)
    await pair(bots)
    for (let at = 1; at <= 6; at += 1) double.say(ANN.id, `message ${at}`, ANN)
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
    double.failNext({ method: 'sendMessage', status: 429, retryAfter: 0 })
    double.failNext({ method: 'sendMessage', status: 502 })
    double.say(ANN.id, 'once', ANN)
    await heard('you said: once')
    expect(said().filter((text) => text.includes('once'))).toHaveLength(1)
    double.conflict(true)
    await expect
      .poll(async () => (await bots.show('claw'))?.problem, { timeout: patience(15_000) })
      .toContain('somebody else')
    double.conflict(false)
    double.say(ANN.id, 'after it', ANN)
    await heard('you said: after it')
    const description = 'Forbidden: bot was blocked by the user'
    double.failNext({ method: 'sendMessage', status: 403, description })
    double.say(ANN.id, 'blocked', ANN)
    await double.waitFor(() => double.calls.some(({ status }) => status === 403), 'the refusal')
    double.say(ANN.id, 'and back', ANN)
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
    double.say(ANN.id, 'locked in', ANN)
    await expect(bots.newCode('claw', owner())).rejects.toMatchObject({ code: 'locked' })
    expect(await bots.show('claw')).toMatchObject({ connected: false, problem: 'Everything is stopped.' })
    // Nor after a restart.
    await bots[Symbol.asyncDispose]()
    const after = open(echo)
    after.lockdown.state = lockdown.state
    await after.bots.start()
    expect(await turnRows()).toEqual([])
    expect(double.unconfirmed).toBe(1)
    after.lockdown.state = null
    await after.bots.start()
    await heard('you said: locked in')
  })

  it('go with their agent, and their tokens are in no row, log or event', async () => {
    const { bots } = open(echo)
    await add(bots)
    await pair(bots)
    const description = `Bad Request: bot${double.token} is wrong`
    double.failNext({ method: 'sendMessage', status: 400, description })
    double.say(ANN.id, 'hello', ANN)
    await expect.poll(() => told.join(), { timeout: patience(10_000) }).toContain('given up')
    await kit.mine.transaction((tx) =>
      resealBotTokens(tx, (purpose, text) => `${purpose}${text.slice(purpose.length)}`),
    )
    const rowsOf = (table: string) => kit.sql(`SELECT * FROM ${table} WHERE tenant_id = '${kit.me}'`)
    const rows = () => Promise.all(['agent_bots', 'agent_bot_chats', 'agent_bot_answers'].map(rowsOf))
    const all = `${JSON.stringify(await rows())}${told.join('\n')}`
    expect(all).toContain('bot.added')
    expect(all).not.toContain(double.token.slice(11))
    await kit.mine.transaction((tx) => bots.agentRevoked(tx, agent))
    expect(await rows()).toEqual([[], [], []])
    expect(told.at(-1)).toContain('bot.removed')
    // It is nobody's now.
    const given = async () => (await add(open(echo, { storage: kit.theirs }).bots)).lastFour
    const refused = () => 'not yet'
    await expect.poll(() => given().catch(refused), { timeout: patience(10_000) }).toBe('ests')
  })
})
