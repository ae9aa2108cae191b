import { describe, expect, it } from 'vitest'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import { secretRoutes } from '../../src/http/admin-api/secret-routes.ts'
import type { Owner } from '../../src/http/admin-routes/index.ts'
import { actorOf, type Principal } from '../../src/identity/index.ts'
import { type ConsentHash, SecretValue } from '../../src/kernel/index.ts'
import { approver, asAgent, consoleOf, owner } from '../support/principals.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP, type TelegramKitOptions } from '../support/telegram-kit.ts'
import { createToolCalls } from '../support/tool-calls.ts'

const ann = () => approver('1001', 'Ann')
const bob = () => approver('1002', 'Bob')
const eve = () => approver('6666', 'Eve')
const CAROL = { id: 1003, first_name: 'Carol' }
const carol = () => approver('1003', 'Carol')

async function startQuorum(options: TelegramKitOptions = {}) {
  const kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN, BOB, CAROL], ...options })
  const answer = (
    execution: Execution,
    choice: string,
    by: Principal,
    hash: string = execution.consentHash,
  ) => kit.storage.transaction((tx) => kit.approvals.choose(tx, execution.requestId, hash, choice, by))
  return {
    kit,
    answer,
    /** For all that the demo agent asks. */
    async needs(approvals: number): Promise<void> {
      const { id: name } = await kit.agentOf()
      await kit.storage.transaction((tx) =>
        kit.quorum.setApprovals(tx, { scope: 'agent', name }, approvals, 'cli:0'),
      )
    },
    setRisk: (name: string, risk: 'normal' | 'high') =>
      kit.storage.transaction((tx) => kit.quorum.setRisk(tx, name, risk, 'cli:0')),
    async withSecret(name: string, request: Partial<ExecuteRequest> = {}): Promise<Execution> {
      await kit.storage.transaction((tx) =>
        kit.vault.put(tx, name, new SecretValue('demo-value-of-it'), {
          hosts: ['api.example.com'],
          actor: 'cli:0',
        }),
      )
      return await kit.submit({ secrets: [{ name }], ...request })
    },
    async view(id: string) {
      const found = await kit.storage.read((tx) => kit.approvals.find(tx, id))
      if (found === undefined) throw new Error('it is gone')
      return found
    },
    events: async (...names: readonly string[]) =>
      (await kit.audit.newest(100)).filter(({ event }) => names.includes(event)).toReversed(),
    status: async (execution: Execution) => (await kit.find(execution)).status,
    [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose](),
  }
}

const refusedFor = (reason: string) => ({ accepted: false, reason })

describe('two approvals', () => {
  it('take two persons: one who says yes again, by whichever way, is one', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await needs(2)
    const asked = await kit.submit()
    for (const by of [ann(), ann(), consoleOf(ann()), ann()])
      expect(await answer(asked, 'once', by)).toMatchObject({
        accepted: true,
        message: 'Your yes counts: 1 of 2. One more person has to say yes.',
      })
    expect(await world.status(asked)).toBe('pending')
    expect(await world.view(asked.requestId)).toMatchObject({
      ...{ approvalsNeeded: 2, approvalsGiven: 1 },
      approvals: [{ by: 'Ann', channel: 'telegram', answer: '✅ Run Once' }],
    })
    expect(await answer(asked, 'once', bob())).toMatchObject({ accepted: true })
    expect((await kit.find(asked)).decidedByName).toBe('Bob, Ann')
    const votes = await world.events('approval.voted', 'approval.decided')
    expect(votes.map(({ event, actor, data }) => [event, actor, JSON.parse(data).channel])).toEqual([
      ['approval.voted', 'telegram:1001', 'telegram'],
      ['approval.voted', 'telegram:1001', 'telegram'],
      ['approval.voted', 'telegram:1001', 'console'],
      ['approval.voted', 'telegram:1001', 'telegram'],
      ['approval.voted', 'telegram:1002', 'telegram'],
      ['approval.decided', 'telegram:1002', undefined],
    ])
    expect(JSON.parse(votes.at(-1)?.data ?? '{}')).toMatchObject({
      ...{ name: 'Bob', authenticator: 'telegram' },
      votes: [
        { by: 'telegram:1001', name: 'Ann', channel: 'telegram', choice: 'once', proved: false },
        { by: 'telegram:1002', name: 'Bob', channel: 'telegram', choice: 'once', proved: false },
      ],
    })
    expect(JSON.parse(votes[0]?.data ?? '{}')).toMatchObject({ consent_hash: asked.consentHash, given: 1 })
  })

  it('are not two of the owner and of an approver that the owner may be', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await needs(2)
    const asked = await kit.submit()
    await answer(asked, 'once', ann())
    for (const by of [owner(), consoleOf(owner())]) await answer(asked, 'once', by)
    expect(await world.status(asked)).toBe('pending')
    expect((await world.view(asked.requestId)).approvalsGiven).toBe(1)
    // Said afterwards that they are one: still one.
    const link = (who: 'separate' | 'telegram:1001') =>
      kit.storage.transaction((tx) => kit.quorum.setOwner(tx, who, 'cli:0'))
    await link('telegram:1001')
    await answer(asked, 'once', owner())
    expect(await world.status(asked)).toBe('pending')
    await link('separate')
    await answer(asked, 'once', owner())
    expect(await world.status(asked)).not.toBe('pending')
  })

  it('are ended by one denial, also of somebody who said yes before', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await needs(3)
    const asked = await kit.submit()
    await answer(asked, 'once', ann())
    await answer(asked, 'once', bob())
    expect(await answer(asked, 'deny', ann())).toMatchObject({ accepted: true })
    expect(await world.status(asked)).toBe('denied')
    expect(await answer(asked, 'once', carol())).toMatchObject(refusedFor('already_decided'))
  })

  it('give no more than the narrowest of them, and nothing where they are to different things', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await needs(2)
    const asked = await kit.submit({ argsJson: '{"n":1}' })
    await answer(asked, 'forever', ann())
    expect(await answer(asked, 'forever_any', bob())).toMatchObject(refusedFor('other_answer'))
    await answer(asked, 'once', bob())
    expect(await kit.find(asked)).toMatchObject({ decision: 'once' })
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
    const again = await kit.submit({ argsJson: '{"n":2}' })
    await answer(again, 'once', ann())
    await answer(again, 'forever', bob())
    expect(await kit.find(again)).toMatchObject({ decision: 'once' })
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
  })

  it('are of persons who may decide when it is settled: one who was taken out counts no more', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await needs(2)
    const asked = await kit.submit()
    await answer(asked, 'once', ann())
    await kit.memberships.settle(['1002', '1003'], 'cli:0')
    expect(await answer(asked, 'once', ann())).toMatchObject(refusedFor('not_permitted'))
    expect((await world.view(asked.requestId)).approvalsGiven).toBe(0)
    expect(await answer(asked, 'once', bob())).toMatchObject({ accepted: true })
    expect(await world.status(asked)).toBe('pending')
    await answer(asked, 'once', carol())
    expect(await world.status(asked)).not.toBe('pending')
  })

  it('cannot be asked for where there are not so many, and nothing is approved where there are no longer', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await expect(needs(4)).rejects.toMatchObject({ code: 'conflict' })
    await needs(3)
    const asked = await kit.submit()
    await answer(asked, 'once', ann())
    await kit.memberships.settle(['1001', '1002'], 'cli:0')
    expect(await answer(asked, 'once', bob())).toMatchObject({
      ...refusedFor('quorum_unreachable'),
      message: expect.stringContaining('only 2 persons may give them'),
    })
    expect(await world.status(asked)).toBe('pending')
    expect(await answer(asked, 'deny', bob())).toMatchObject({ accepted: true })
  })

  it('are decided once, however many answer at once', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    await needs(2)
    const [both, against] = [await kit.submit({ skillId: 'a/b' }), await kit.submit({ skillId: 'c/d' })]
    for (const asked of [both, against]) await answer(asked, 'once', ann())
    const last = await Promise.all([bob(), carol()].map((by) => answer(both, 'once', by)))
    expect(last.filter((outcome) => outcome?.accepted)).toHaveLength(1)
    const mixed = await Promise.all([
      answer(against, 'once', bob()),
      answer(against, 'deny', carol()),
      answer(against, 'once', owner()),
    ])
    expect(mixed.filter((outcome) => outcome?.accepted)).toHaveLength(1)
    const decided = await world.events('approval.decided')
    expect(decided.map(({ requestId }) => requestId).sort()).toEqual(
      [both.requestId, against.requestId].sort(),
    )
  })

  it('are for one consent, in time, and of nobody who may not', async () => {
    let now = Date.now()
    await using world = await startQuorum({ clock: { now: () => now } })
    const { kit, answer, needs } = world
    await needs(2)
    const asked = await kit.submit()
    const agent = await kit.agentOf()
    for (const by of [asAgent(agent.id), eve()])
      await answer(asked, 'once', by).then(
        (outcome) => by.kind === 'agent' && expect(outcome).toMatchObject(refusedFor('not_permitted')),
      )
    expect((await world.view(asked.requestId)).approvalsGiven).toBe(0)
    expect(await answer(asked, 'once', ann(), '0'.repeat(64))).toMatchObject(refusedFor('other_consent'))
    await answer(asked, 'once', ann())
    now += 3_600_000
    expect(await answer(asked, 'once', bob())).toMatchObject(refusedFor('expired'))
    expect(await world.status(asked)).toBe('expired')
  })

  it('hold by tag and by secret too, the highest of them, from when they are made', async () => {
    await using world = await startQuorum()
    const { kit, answer, needs } = world
    const agent = await kit.agentOf()
    await kit.agents.setTags(agent.name, ['prod'], 'cli:0')
    const asked = await world.withSecret('FIRST_KEY')
    await needs(2)
    await kit.storage.transaction(async (tx) => {
      await kit.quorum.setApprovals(tx, { scope: 'tag', name: 'prod' }, 2, 'cli:0')
      await kit.quorum.setApprovals(tx, { scope: 'secret', name: 'FIRST_KEY' }, 3, 'cli:0')
    })
    expect((await world.view(asked.requestId)).approvalsNeeded).toBe(3)
    await answer(asked, 'once', ann())
    await answer(asked, 'once', bob())
    expect(await world.status(asked)).toBe('pending')
    await answer(asked, 'once', carol())
    expect(await world.status(asked)).not.toBe('pending')
    expect((await kit.submit({ secrets: [] })).status).toBe('pending')
  })

  it('are asked for whatever the kind, and of what is shown by now', async () => {
    await using world = await startQuorum()
    const { kit, needs } = world
    const { calls, call } = createToolCalls(kit)
    await needs(2)
    await call('tool_1', 'read', (await kit.agentOf()).id)
    const choose = async (by: Principal) => {
      const { contentHash } = await world.view('tool_1')
      return await kit.storage.transaction((tx) =>
        kit.approvals.choose(tx, 'tool_1', contentHash, 'allow', by),
      )
    }
    await choose(ann())
    const tool = calls.get('tool_1')
    if (tool === undefined) throw new Error('there is no call')
    calls.set('tool_1', { ...tool, tool: 'write' })
    // Ann said yes to another thing.
    expect((await world.view('tool_1')).approvalsGiven).toBe(0)
    await choose(bob())
    expect(calls.get('tool_1')?.status).toBe('pending')
    await choose(ann())
    expect(calls.get('tool_1')?.status).toBe('approved')
  })

  it('are counted in the chat: the card says how many, keeps its buttons, and the presser is told', async () => {
    await using world = await startQuorum()
    const { kit, needs } = world
    await kit.agentOf()
    await needs(2)
    const { card, execution } = await kit.ask()
    expect(card.text).toContain('👥 0 of 2 approvals')
    const press = (label: string, user = ANN) => kit.double.press(GROUP, card.messageId, label, user).answered
    expect(await press('⏱ Trust 24h')).toEqual({
      text: 'Your yes counts: 1 of 2. One more person has to say yes.',
      alert: false,
    })
    await kit.double.waitFor(() => card.text.includes('1 of 2 approvals: Ann'), 'the edit')
    expect(card.buttons.flat()).toContain('✅ Run Once')
    expect(await press('✅ Run Once', EVE)).toEqual({ text: 'Only approvers can answer.', alert: true })
    expect((await kit.find(execution)).status).toBe('pending')
    expect(await press('✅ Run Once', BOB)).toMatchObject({ alert: false })
    expect(await kit.find(execution)).toMatchObject({ decision: 'once', decidedByName: 'Bob, Ann' })
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
  })
})

describe('what is of high risk', () => {
  it('is approved with a passkey over this very consent alone, by whichever way', async () => {
    await using world = await startQuorum()
    const { kit, answer } = world
    await world.setRisk('FIRST_KEY', 'high')
    const asked = await world.withSecret('FIRST_KEY')
    const other = await kit.submit({ skillId: 'other/one' })
    const needsPasskey = {
      ...refusedFor('needs_passkey'),
      message: expect.stringContaining(`/console/requests/${asked.requestId}`),
    }
    const unproved = [ann(), owner(), consoleOf(ann()), consoleOf(owner(), other.consentHash)]
    for (const by of unproved) expect(await answer(asked, 'once', by)).toMatchObject(needsPasskey)
    expect(await world.status(asked)).toBe('pending')
    expect((await world.view(asked.requestId)).risk).toBe('high')
    expect(await answer(asked, 'once', consoleOf(ann(), asked.consentHash))).toMatchObject({ accepted: true })
    expect(await world.status(asked)).not.toBe('pending')
    const [voted] = await world.events('approval.voted')
    expect(JSON.parse(voted?.data ?? '{}')).toMatchObject({ proved: true, channel: 'console' })
  })

  it('stays so for whoever is asked for the passkey: only who makes the rules lowers a risk', async () => {
    await using world = await startQuorum()
    const { kit } = world
    await world.withSecret('FIRST_KEY')
    const of = (principal: Principal) =>
      secretRoutes({ ...kit, owner: { principal, actor: actorOf(principal), origin: null } as Owner })
    const to = (risk: 'normal' | 'high') => ({ params: { name: 'FIRST_KEY' }, body: { risk } })
    const replaced = { ...to('normal'), body: { value: 'another-demo-value', risk: 'normal' as const } }
    const [byAnn, byOwner] = [of(consoleOf(ann())), of(consoleOf(owner()))]
    expect(await byAnn.setSecretRisk(to('high'))).toMatchObject({ risk: 'high' })
    await expect(byAnn.setSecretRisk(to('normal'))).rejects.toMatchObject({ code: 'refused' })
    await expect(byAnn.putSecret(replaced)).rejects.toMatchObject({ code: 'refused' })
    const asked = await kit.submit({ secrets: [{ name: 'FIRST_KEY' }] })
    expect(await world.answer(asked, 'once', ann())).toMatchObject(refusedFor('needs_passkey'))
    expect(await byOwner.setSecretRisk(to('normal'))).toMatchObject({ risk: 'normal' })
  })

  it('is denied without one', async () => {
    await using world = await startQuorum()
    await world.setRisk('FIRST_KEY', 'high')
    const asked = await world.withSecret('FIRST_KEY')
    expect(await world.answer(asked, 'deny', ann())).toMatchObject({ accepted: true })
    expect(await world.status(asked)).toBe('denied')
  })

  it('is so from when it is said, and a yes that was not signed counts no more', async () => {
    await using world = await startQuorum()
    const { answer, needs } = world
    const asked = await world.withSecret('FIRST_KEY')
    await needs(2)
    await answer(asked, 'once', ann())
    await world.setRisk('FIRST_KEY', 'high')
    const proved = (by: ReturnType<typeof bob>) => consoleOf(by, asked.consentHash as ConsentHash)
    expect(await answer(asked, 'once', bob())).toMatchObject(refusedFor('needs_passkey'))
    await answer(asked, 'once', proved(bob()))
    expect(await world.status(asked)).toBe('pending')
    expect((await world.view(asked.requestId)).approvals).toMatchObject([{ by: 'Bob', channel: 'console' }])
    await answer(asked, 'once', proved(ann()))
    expect(await world.status(asked)).not.toBe('pending')
  })

  it('stays so, with its rule, under every name: removed and stored anew, or renamed', async () => {
    await using world = await startQuorum()
    const { kit } = world
    await world.withSecret('FIRST_KEY')
    await world.setRisk('FIRST_KEY', 'high')
    await kit.storage.transaction((tx) =>
      kit.quorum.setApprovals(tx, { scope: 'secret', name: 'FIRST_KEY' }, 2, 'cli:0'),
    )
    await kit.vault.remove('FIRST_KEY', 'cli:0')
    const asked = await world.withSecret('FIRST_KEY', { skillId: 'stored/anew' })
    expect(await world.answer(asked, 'once', ann())).toMatchObject(refusedFor('needs_passkey'))
    await kit.vault.rename('FIRST_KEY', 'OTHER_KEY', 'cli:0')
    for (const name of ['OTHER_KEY', 'FIRST_KEY']) {
      const again = await kit.submit({ skillId: `as/${name}`, secrets: [{ name }] })
      expect(await world.view(again.requestId)).toMatchObject({ risk: 'high', approvalsNeeded: 2 })
    }
    // Another value under the name is of no lower risk either.
    await world.withSecret('PLAIN_KEY', { skillId: 'plain/one' })
    await kit.vault.rename('PLAIN_KEY', 'FIRST_KEY', 'cli:0')
    const plain = await kit.submit({ skillId: 'plain/two', secrets: [{ name: 'FIRST_KEY' }] })
    expect(await world.view(plain.requestId)).toMatchObject({ risk: 'high', approvalsNeeded: 2 })
  })

  it('is what cannot be read any more, as long as anything is', async () => {
    await using world = await startQuorum()
    const { kit } = world
    const { execution: asked } = await kit.ask()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    await world.setRisk('FIRST_KEY', 'high')
    kit.db.exec('DELETE FROM consents')
    expect((await world.view(asked.requestId)).risk).toBe('high')
    const answered = world.answer(asked, 'once', consoleOf(ann(), asked.consentHash))
    await expect(answered).rejects.toMatchObject({ code: 'internal' })
    expect((await world.view(asked.requestId)).state).toBe('pending')
  })

  it('is told in the chat with where a yes can be given, and a press decides nothing', async () => {
    await using world = await startQuorum()
    const { kit } = world
    await kit.agentOf()
    await world.setRisk('FIRST_KEY', 'high')
    const { card, execution } = await kit.ask({ skillId: 'a/high', secrets: [{ name: 'FIRST_KEY' }] })
    expect(card.text).toContain('🔐 It is of high risk for FIRST_KEY: needs a passkey')
    expect(card.text).toContain(`http://localhost:${kit.config.port}/console/requests/${execution.requestId}`)
    const pressed = await kit.double.press(GROUP, card.messageId, '✅ Run Once', ANN).answered
    expect(pressed).toEqual({ text: expect.stringContaining('takes your passkey'), alert: true })
    expect((await kit.find(execution)).status).toBe('pending')
  })
})
