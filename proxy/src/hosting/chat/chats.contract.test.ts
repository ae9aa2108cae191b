import { beforeEach, expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { AppError, newMachineId, newRequestId, SecretValue, systemClock } from '../../kernel/index.ts'
import { createSodiumCipher } from '../../vault/crypto/index.ts'
import {
  type AgentRun,
  type ChatEvent,
  createChatLedger,
  createChatStore,
  createChats,
  resealChatKeys,
  type ToolCall,
} from './index.ts'

const ACTOR = 'cli:0'
const forever = new AbortController().signal
const cipher = await createSodiumCipher()
const vault = {
  sealFor: (purpose: string, value: SecretValue) => `${purpose}=${value.open()}`,
  openFor(purpose: string, sealed: string) {
    if (!sealed.startsWith(`${purpose}=`)) throw new AppError('internal', 'sealed for another purpose')
    return new SecretValue(sealed.slice(purpose.length + 1))
  },
}

storeContract('conversations with machines', { machineChats: createChatStore }, (kit) => {
  let defects: string[]
  let audited: { event: string; data: unknown }[]
  /** As another daemon has them: all in memory is gone. */
  const open = (storage = kit.mine) =>
    createChats({
      ledger: createChatLedger({
        ...{ storage, vault, cipher, clock: systemClock },
        audit: {
          append: async (_tx: unknown, event: string, _actor: unknown, _request: unknown, data: unknown) =>
            void audited.push({ event, data }),
        } as never,
      }),
      requestOf: async (_machine, [fetched = null]) => fetched as never,
      log: (message, error) => void defects.push(`${message}: ${String(error)}`),
    })
  beforeEach(() => {
    defects = []
    audited = []
    return () => expect(defects).toEqual([])
  })
  const said = (text: string) => ({ text, model: 'a-model' })
  const answers = (...pieces: string[]) =>
    async function* () {
      yield* pieces
    }
  const all = async (events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> => await Array.fromAsync(events)
  const textsOf = (events: readonly ChatEvent[]): string =>
    events.flatMap(({ event, data }) => (event === 'text' ? [(data as { text: string }).text] : [])).join('')

  it('answer in pieces, to all who follow, and keep both texts sealed', async () => {
    const chats = open()
    const machine = newMachineId()
    const heard = Promise.withResolvers<void>()
    const { number } = await chats.ask(machine, said('héllo?'), ACTOR, async function* () {
      yield 'one '
      await heard.promise
      yield 'two'
    })
    const events: ChatEvent[] = []
    let late: Promise<ChatEvent[]> | undefined
    for await (const event of chats.follow(machine, number, 0, forever)) {
      events.push(event)
      if (event.event !== 'text' || late !== undefined) continue
      // Came back with what it had seen.
      late = all(chats.follow(machine, number, event.id, forever))
      heard.resolve()
    }
    expect(events.map(({ event }) => event)).toEqual(['turn', 'begun', 'text', 'text', 'end'])
    expect([textsOf(events), textsOf((await late) ?? [])]).toEqual(['one two', 'two'])
    expect(events.at(-1)?.data).toMatchObject({ state: 'done', asked: 'héllo?', answer: 'one two' })
    expect(await open().history(machine, 9, 9)).toMatchObject([
      { number: 1, state: 'done', model: 'a-model', asked: 'héllo?', answer: 'one two', problem: null },
    ])
    const rows = JSON.stringify([
      await kit.sql('SELECT * FROM machine_turns'),
      await kit.sql('SELECT * FROM machine_chats'),
      audited,
    ])
    for (const text of ['héllo', 'one two', Buffer.from('one two').toString('base64')])
      expect(rows).not.toContain(text)
    expect(audited.map(({ event }) => event)).toEqual(['chat.asked', 'chat.ended'])
  })

  it('take one turn at a time, as they were said, and no more than some wait', async () => {
    const chats = open()
    const machine = newMachineId()
    const gate = Promise.withResolvers<void>()
    const order: string[] = []
    const slow = async function* ({ text }: { text: string }) {
      order.push(`${text} begins`)
      await gate.promise
      yield text
      order.push(`${text} ends`)
    }
    const asked = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => chats.ask(machine, said(`${at + 1}`), ACTOR, slow)),
    )
    expect(asked.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'rate_limited' } },
      { reason: { code: 'rate_limited' } },
    ])
    gate.resolve()
    expect(await chats.ended(machine, 8, forever)).toMatchObject({ state: 'done' })
    const words = (await chats.history(machine, 99, 99)).toReversed().map(({ asked: text }) => text)
    expect(order).toEqual(words.flatMap((text) => [`${text} begins`, `${text} ends`]))
    expect((await chats.ask(machine, said('later'), ACTOR, answers('yes'))).number).toBe(9)
    await chats.ended(machine, 9, forever)
  })

  it('are stopped with what had come, also before their turn, and go on behind it', async () => {
    const chats = open()
    const machine = newMachineId()
    const begun = Promise.withResolvers<void>()
    await chats.ask(machine, said('a'), ACTOR, async function* (_said, signal) {
      yield 'half '
      begun.resolve()
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await chats.ask(machine, said('b'), ACTOR, answers('never'))
    await chats.ask(machine, said('c'), ACTOR, answers('whole'))
    await begun.promise
    // What waits needs nobody's end.
    expect(await chats.stop(machine, 2)).toMatchObject({ state: 'stopped', answer: '' })
    expect(await chats.stop(machine, 2)).toMatchObject({ state: 'stopped', answer: '' })
    expect(await chats.stop(machine, 1)).toMatchObject({ state: 'stopped', answer: 'half ', problem: null })
    expect(await chats.ended(machine, 3, forever)).toMatchObject({ state: 'done', answer: 'whole' })
  })

  it('fail in words for a person, with what had come', async () => {
    const chats = open()
    const machine = newMachineId()
    const failing = (failure: unknown) =>
      async function* () {
        yield 'so far'
        throw failure
      }
    const refusal = new AppError('sandbox_unavailable', 'It is gone.')
    await chats.ask(machine, said('a'), ACTOR, failing(refusal))
    await expect(chats.ended(machine, 1, forever)).rejects.toBe(refusal)
    expect(await chats.stop(machine, 1)).toMatchObject({
      state: 'failed',
      answer: 'so far',
      problem: 'It is gone.',
    })
    await chats.ask(machine, said('b'), ACTOR, failing(new Error('/secret/path')))
    await chats.ended(machine, 2, forever).catch(() => {})
    expect((await chats.history(machine, 9, 1))[0]).toMatchObject({ state: 'failed', problem: 'It failed.' })
    expect(defects.splice(0)).toEqual(['a turn of a chat failed: Error: /secret/path'])
    await chats.ask(machine, said('c'), ACTOR, answers('x'.repeat(262_144), 'y'))
    await expect(chats.ended(machine, 3, forever)).rejects.toMatchObject({ code: 'too_large' })
  })

  const tool = (id: string, state: ToolCall['state'] = 'done'): ToolCall => ({
    ...{
      id,
      name: 'exec',
      state,
      arguments: '{"command":"heron"}',
      durationMs: state === 'running' ? null : 5,
    },
  })
  const run = (id: string, more: Partial<AgentRun> = {}): AgentRun => ({
    ...{ id, isWoken: false, isOver: true, model: 'm', answer: '', tools: [], fetched: [] },
    ...more,
  })

  it('tell what tools were used as they are, and keep that sealed with the answer', async () => {
    const chats = open()
    const machine = newMachineId()
    const { number } = await chats.ask(machine, said('a'), ACTOR, async function* (_said, _signal, began) {
      began('chatcmpl_1')
      await chats.report(machine, [run('chatcmpl_1', { isOver: false, tools: [tool('1', 'running')] })], true)
      yield 'so'
      const tools = [tool('1'), ...Array.from({ length: 120 }, (_, at) => tool(`more-${at}`))]
      await chats.report(
        machine,
        [run('chatcmpl_0', { tools: [tool('other')] }), run('chatcmpl_1', { tools })],
        false,
      )
    })
    const events = await all(chats.follow(machine, number, 0, forever))
    const told = events.filter(({ event }) => event === 'tool').map(({ data }) => data as unknown as ToolCall)
    expect(told.slice(0, 2)).toEqual([tool('1', 'running'), tool('1')])
    const [turn] = await open().history(machine, 9, 9)
    expect(turn?.tools).toHaveLength(100)
    expect(turn?.tools.slice(0, 2)).toEqual([tool('1'), tool('more-0')])
    const [row] = await kit.sql(`SELECT * FROM machine_turns WHERE machine_id = '${machine}'`)
    expect(JSON.stringify(row)).not.toContain('heron')
    expect(Number(row?.bytes)).toBeGreaterThan(String(row?.tools).length)
  })

  it('have what a woken agent says as turns of their own, once, also when its record is heard anew', async () => {
    const chats = open()
    const machine = newMachineId()
    const request = newRequestId()
    const asked = await chats.ask(machine, said('a'), ACTOR, async function* (_said, _signal, began) {
      began('chatcmpl_1')
      yield 'b'
    })
    await chats.ended(machine, asked.number, forever)
    const first = run('chatcmpl_1', { answer: 'b' })
    const woken = (more: Partial<AgentRun> = {}) => run('w-1', { isWoken: true, fetched: [request], ...more })
    const begun = [first, woken({ isOver: false, answer: 'It', tools: [tool('1', 'running')] })]
    await chats.report(machine, begun, true)
    const heard = all(chats.follow(machine, 2, 0, forever))
    await expect(chats.stop(machine, 2)).rejects.toMatchObject({ code: 'refused' })
    const whole = [first, woken({ answer: 'It has run.', tools: [tool('1')] })]
    await chats.report(machine, whole, false)
    const events = await heard
    expect(textsOf(events)).toBe('It has run.')
    expect(events.at(-1)?.data).toMatchObject({
      ...{ number: 2, state: 'done', origin: 'woken', requestId: request, asked: '', answer: 'It has run.' },
      tools: [tool('1')],
    })
    expect(audited.map(({ event }) => event)).toContain('chat.woken')
    const after = open()
    await after.report(machine, whole, true)
    await after.report(machine, [...whole, run('w-2', { isWoken: true, answer: 'Later.' })], false)
    expect((await after.history(machine, 9, 9)).map(({ answer }) => answer)).toEqual([
      'Later.',
      'It has run.',
      'b',
    ])
    await after.report(machine, [run('w-3', { isWoken: true, answer: 'x'.repeat(300_000) })], false)
    expect((await after.history(machine, 9, 1))[0]?.answer).toHaveLength(262_144)
  })

  it('take nothing of a record that was over before anybody listened, and end with the machine’s rest', async () => {
    const chats = open()
    const machine = newMachineId()
    const old = [run('w-1', { isWoken: true, answer: 'of long ago' }), run('chatcmpl_9')]
    await chats.report(machine, old, true)
    await chats.report(machine, [...old, run('w-2', { isWoken: true, isOver: false, answer: 'now' })], false)
    await chats.rest(machine)
    expect(await chats.history(machine, 9, 9)).toMatchObject([{ state: 'done', answer: 'now' }])
    await chats.report(machine, [run('w-3', { isWoken: true, isOver: false })], false)
    await chats.forget(machine)
    expect(await kit.sql(`SELECT * FROM machine_turns WHERE machine_id = '${machine}'`)).toEqual([])
  })

  it('keep few runs of an agent that begins them without end, and hold none open', async () => {
    const chats = open()
    const machine = newMachineId()
    await chats.report(machine, [run('w-0', { isWoken: true, isOver: false })], false)
    await chats.report(machine, [run('w-1', { isWoken: true, isOver: false, answer: 'b' })], false)
    expect((await chats.history(machine, 9, 9)).map(({ state }) => state)).toEqual(['open', 'done'])
    const flood = Array.from({ length: 500 }, (_, at) => run(`f-${at}`, { isWoken: true }))
    await chats.report(machine, flood, false)
    await chats.report(machine, flood, false)
    const rows = audited.filter(({ event }) => event === 'chat.woken').length
    expect(rows).toBeGreaterThanOrEqual(60)
    expect(rows).toBeLessThan(100)
    expect(defects.splice(0).join()).toContain('more of itself than is kept')
    const other = newMachineId()
    await chats.report(other, [run('w-1', { isWoken: true })], false)
    expect(await chats.history(other, 9, 9)).toHaveLength(1)
  })

  it('hear again what a woken agent said while there was no daemon', async () => {
    const machine = newMachineId()
    const before = open()
    const asked = await before.ask(machine, said('a'), ACTOR, async function* (_said, _signal, began) {
      began('chatcmpl_1')
      yield 'b'
    })
    await before.ended(machine, asked.number, forever)
    const woken = (isOver: boolean, answer: string) => run('w-1', { isWoken: true, isOver, answer })
    await before.report(machine, [run('chatcmpl_1'), woken(false, 'half')], true)
    const after = open()
    await after.takeOver(new Set([machine]))
    await after.report(machine, [run('chatcmpl_1'), woken(true, 'half and whole')], true)
    expect((await after.history(machine, 9, 9)).map(({ answer }) => answer)).toEqual(['half and whole', 'b'])
  })

  it('end with the daemon that had them, and go with their machine', async () => {
    const before = open()
    const [machine, gone] = [newMachineId(), newMachineId()]
    for (const one of [machine, gone])
      await before.ask(one, said('a'), ACTOR, () => ({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
      }))
    const after = open()
    await after.takeOver(new Set([machine]))
    const [last] = await all(after.follow(machine, 1, 0, forever))
    expect(last?.data).toMatchObject({
      state: 'failed',
      problem: 'The daemon stopped before it was answered.',
    })
    expect(await after.history(gone, 9, 9)).toEqual([])
    await expect(all(after.follow(gone, 1, 0, forever))).rejects.toMatchObject({ code: 'not_found' })
    await after.forget(machine)
    expect(await kit.sql(`SELECT * FROM machine_turns WHERE tenant_id = '${kit.me}'`)).toEqual([])
    expect(await kit.sql(`SELECT * FROM machine_chats WHERE tenant_id = '${kit.me}'`)).toEqual([])
  })

  it('keep the newest, bounded in number and bytes', async () => {
    const chats = open()
    const machine = newMachineId()
    await chats.ask(machine, said('first'), ACTOR, answers('1'))
    await chats.ended(machine, 1, forever)
    await kit.sql(`INSERT INTO machine_turns
      SELECT tenant_id, machine_id, n + 1, state, model, asked, answer, problem, 10, created_at, ended_at, origin,
        request_id, run, tools
      FROM machine_turns, (${kit.numbers(499)}) AS n WHERE machine_id = '${machine}'`)
    await kit.sql(`UPDATE machine_chats SET last_number = 500 WHERE machine_id = '${machine}'`)
    const numbers = async (): Promise<number[]> =>
      (await kit.sql(`SELECT number FROM machine_turns WHERE machine_id = '${machine}' ORDER BY number`)).map(
        (row) => Number(row.number),
      )
    expect((await numbers()).length).toBe(500)
    await chats.ask(machine, said('newest'), ACTOR, answers('2'))
    await chats.ended(machine, 501, forever)
    expect([(await numbers())[0], (await numbers()).length]).toEqual([2, 500])
    await kit.sql(`UPDATE machine_turns SET bytes = 6000000 WHERE machine_id = '${machine}' AND number > 490`)
    await chats.ask(machine, said('newest'), ACTOR, answers('3'))
    await chats.ended(machine, 502, forever)
    expect(await numbers()).toEqual([500, 501, 502])
  })

  it('of one tenant are nobody else’s, and a text opens in its own place alone', async () => {
    const machine = newMachineId()
    const [mine, theirs] = [open(), open(kit.theirs)]
    for (const [chats, text] of [
      [mine, 'mine'],
      [mine, 'second'],
      [theirs, 'theirs'],
    ] as const) {
      const { number } = await chats.ask(machine, said(text), ACTOR, answers(text))
      await chats.ended(machine, number, forever)
    }
    expect((await theirs.history(machine, 9, 9)).map(({ asked }) => asked)).toEqual(['theirs'])
    await kit.sql(`UPDATE machine_turns SET asked = (SELECT asked FROM machine_turns AS other
        WHERE other.tenant_id = '${kit.me}' AND other.machine_id = '${machine}' AND other.number = 1)
      WHERE tenant_id = '${kit.me}' AND machine_id = '${machine}' AND number = 2`)
    await expect(mine.history(machine, 9, 9)).rejects.toMatchObject({ code: 'internal' })
  })

  it('are read on when the data key is replaced', async () => {
    const machine = newMachineId()
    const chats = open()
    await chats.ask(machine, said('kept'), ACTOR, answers('yes'))
    await chats.ended(machine, 1, forever)
    const sealedAnew: string[] = []
    await kit.mine.transaction((tx) =>
      resealChatKeys(tx, (purpose, sealed) => {
        sealedAnew.push(vault.openFor(purpose, sealed).open())
        return sealed
      }),
    )
    expect(sealedAnew).toHaveLength(1)
    expect((await chats.history(machine, 9, 9))[0]).toMatchObject({ asked: 'kept', answer: 'yes' })
  })
})
