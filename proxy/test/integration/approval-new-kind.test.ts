import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/kernel/index.ts'
import { startEverywhere, startKit } from '../support/new-kind-kit.ts'
import { owner } from '../support/principals.ts'
import { ANN, BOB, EVE, GROUP } from '../support/telegram-kit.ts'
import type { ToolCall } from '../support/tool-calls.ts'

test('a kind of approval that Telegram has never heard of is drawn, answered, audited and brought up to date', async () => {
  await using tools = await startKit()
  const { kit, calls } = tools
  await tools.call('tool_1', 'rm <b>-rf</b>')
  const card = await kit.said('May it call this tool?')
  expect(card.text).toContain('Tool: rm <b>-rf</b>')
  expect(card.text).toContain('expires in 60 min')
  expect(card.buttons).toEqual([['Allow', 'Refuse']])
  await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
  expect((await kit.audit.newest(1))[0]).toMatchObject({ event: 'approval.asked' })
  const press = (label: string, user = ANN) =>
    kit.double.press(kit.chatId, card.messageId, label, user).answered
  expect(await press('Allow', EVE)).toEqual({ text: 'Only approvers can answer.', alert: true })
  expect(calls.get('tool_1')?.status).toBe('pending')
  expect(await press('Allow')).toEqual({ text: 'Allowed', alert: false })
  expect(calls.get('tool_1')?.status).toBe('approved')
  expect(await press('Refuse')).toEqual({ text: 'Already approved.', alert: true })
  await kit.double.waitFor(() => card.edits > 0, 'the edit')
  expect(card.text).toBe('rm <b>-rf</b> is approved')
  expect(card.buttons).toEqual([])
})

test('it is bound to what was shown, by whichever way the answer comes', async () => {
  await using tools = await startKit()
  const { kit, calls, decisions } = tools
  await tools.call('tool_1', 'read')
  const card = await kit.said('May it call this tool?')
  const by = owner()
  const shown = (await kit.storage.read((tx) => kit.approvals.find(tx, 'tool_1')))?.contentHash ?? ''
  const call = calls.get('tool_1') as ToolCall
  calls.set('tool_1', { ...call, tool: 'write' })
  const pressed = await kit.double.press(kit.chatId, card.messageId, 'Allow', ANN).answered
  expect(pressed).toEqual({ text: 'This card is for another request.', alert: true })
  for (const outcome of [
    await kit.storage.transaction((tx) => decisions.decide(tx, 'tool_1', shown, 'allow', by)),
    await kit.storage.transaction((tx) => kit.approvals.choose(tx, 'tool_1', shown, 'allow', by)),
  ]) {
    expect(outcome).toMatchObject({ accepted: false, reason: 'other_consent' })
  }
  expect(
    await kit.storage.transaction((tx) => kit.approvals.choose(tx, 'tool_1', shown, 'forever', by)),
  ).toBeUndefined()
  expect(calls.get('tool_1')?.status).toBe('pending')
})

test('it takes a place among all that waits of its agent, and expires by the same rule', async () => {
  let now = Date.now()
  await using tools = await startKit({ maxWaitingPerAgent: 1, clock: { now: () => now } })
  const { kit, calls, decisions } = tools
  await tools.call('tool_1', 'read')
  await expect(kit.submit()).rejects.toBeInstanceOf(AppError)
  const shown = (await kit.storage.read((tx) => kit.approvals.find(tx, 'tool_1')))?.contentHash ?? ''
  now += 3_600_000
  expect((await kit.storage.read((tx) => kit.approvals.find(tx, 'tool_1')))?.isPending).toBe(false)
  const late = await kit.storage.transaction((tx) => decisions.decide(tx, 'tool_1', shown, 'allow', owner()))
  expect(late).toMatchObject({ accepted: false, reason: 'expired' })
  expect(calls.get('tool_1')?.status).toBe('expired')
  expect((await kit.submit()).status).toBe('pending')
})

describe('a kind of approval that no channel has heard of', () => {
  test('is listed, drawn, decided and told by the CLI, Telegram and MCP alike', async () => {
    await using world = await startEverywhere()
    const { kit, calls, oauth3, tool } = world
    await world.call('tool_1', 'read \u202email')
    await world.call('tool_2', 'send mail')
    const listed = await oauth3(['requests'])
    expect(listed.stdout).toMatch(/^tool_1 +tool read ⟨U\+202E⟩mail +demo-agent +pending +in/m)
    expect(listed.stdout).toMatch(/^tool_2 +tool send mail +demo-agent +pending +in/m)
    expect((await oauth3(['requests', '--json'])).json.approvals).toMatchObject([
      { id: 'tool_1', kind: 'tool_call', state: 'pending', waiting: true },
      { id: 'tool_2', kind: 'tool_call', state: 'pending', waiting: true },
    ])
    expect((await oauth3(['status', '--json'])).json.waiting).toBe(2)
    expect((await tool('list_requests')).requests).toMatchObject([
      { id: 'tool_1', kind: 'tool_call', summary: 'tool read ⟨U+202E⟩mail', state: 'pending' },
      { id: 'tool_2' },
    ])
    kit.double.say(kit.chatId, '/pending', ANN)
    expect((await kit.said('1. ⏳ tool ')).text).toContain('2. ⏳ tool send mail for demo-agent')

    const shown = await oauth3(['show', 'tool_2'])
    expect(shown.stdout).toContain('May it call this tool?')
    expect(shown.stdout).toContain('oauth3 approve tool_2 --once\n')
    const wrong = await oauth3(['approve', 'tool_2', '--forever'])
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('exactly one of --once.')])
    const reason = await oauth3(['deny', 'tool_2', '--reason', 'why'])
    expect([reason.code, calls.get('tool_2')?.status]).toEqual([2, 'pending'])
    const approved = await oauth3(['approve', 'tool_2', '--once', '--wait'])
    expect(approved).toMatchObject({ code: 0, stderr: '' })
    expect(calls.get('tool_2')?.status).toBe('approved')
    expect(await tool('request_status', { id: 'tool_2' })).toMatchObject({
      ...{ state: 'approved', waiting: false, message: 'A person said yes.' },
    })
    const edited = await kit.said(/^send mail is approved$/)
    expect(edited.buttons).toEqual([])

    const watched = await world.watch(['1', 'd', 'q'])
    expect(watched.stderr).toContain('Let it call the tool?\no once, d deny, Enter later > ')
    expect(calls.get('tool_1')?.status).toBe('denied')
    expect((await tool('list_requests')).requests).toEqual([])
    expect((await oauth3(['requests'])).stdout).toContain('Nothing waits for you.')
    expect((await oauth3(['requests', '--all', '--json'])).json.approvals).toHaveLength(2)
  })

  test('takes several approvals by all of them, each told how many there are', async () => {
    await using world = await startEverywhere({ chatId: GROUP, approvers: [ANN, BOB] })
    const { kit, calls, oauth3, tool } = world
    const refused = await oauth3(['quorum', 'set', '--agent', 'demo-agent', '--approvals', '3'])
    expect([refused.code, refused.stderr]).toEqual([
      5,
      expect.stringContaining('only 2 persons may give them'),
    ])
    expect((await oauth3(['quorum', 'owner', '9999'])).code).toBe(5)
    expect((await oauth3(['quorum', 'set', '--tag', 'a', '--agent', 'b', '--approvals', '2'])).code).toBe(2)
    const rules = await oauth3(['quorum', 'set', '--agent', 'demo-agent', '--approvals', '2'])
    expect(rules.stdout).toMatch(/agent +demo-agent +2/)
    expect(rules.stdout).toContain(
      '2 persons may decide; the owner of this host may be any of the approvers.',
    )
    await world.call('tool_1', 'read')
    const approved = await oauth3(['approve', 'tool_1', '--once'])
    expect(approved.stdout).toContain('tool_1: 1 of 2 approvals. Your yes counts: 1 of 2.')
    expect((await oauth3(['requests'])).stdout).toContain('pending, 1 of 2')
    expect((await oauth3(['show', 'tool_1'])).stdout).toContain('👥 1 of 2 approvals:')
    const counts = { approvals_needed: 2, approvals_given: 1 }
    expect(await tool('request_status', { id: 'tool_1' })).toMatchObject({ state: 'pending', ...counts })
    expect((await oauth3(['requests', '--json'])).json.approvals).toMatchObject([
      { ...counts, risk: 'normal', approvals: [{ channel: 'terminal', answer: 'Allow' }] },
    ])
    const card = await kit.said('Tool: read')
    await kit.double.waitFor(() => card.text.includes('👥 1 of 2 approvals: '), 'the edit')
    const press = () => kit.double.press(kit.chatId, card.messageId, 'Allow', BOB).answered
    // Bob may be the owner.
    expect((await press()).text).toContain('1 of 2')
    expect((await oauth3(['quorum', 'owner', 'separate'])).stdout).toContain('3 persons may decide')
    expect(await press()).toEqual({ text: 'Allowed', alert: false })
    expect(calls.get('tool_1')?.status).toBe('approved')

    const { execution } = await kit.ask()
    expect(await tool('execution_status', { request_id: execution.requestId })).toMatchObject({
      ...{ status: 'pending', approvals_needed: 2, approvals_given: 0 },
    })
    await oauth3(['quorum', 'remove', '--agent', 'demo-agent'])
    expect((await oauth3(['quorum', 'list'])).stdout).toContain('One approval is enough for everything.')
    expect((await oauth3(['approve', execution.requestId, '--once'])).code).toBe(0)
    expect((await kit.find(execution)).status).not.toBe('pending')

    // It ends with its agent: whoever is given the name has none, and none is shown for them.
    await oauth3(['quorum', 'set', '--agent', 'demo-agent', '--approvals', '2'])
    expect((await oauth3(['agent', 'revoke', 'demo-agent'])).code).toBe(0)
    await kit.agents.add({ name: 'demo-agent' }, 'cli:0')
    expect((await oauth3(['quorum', 'list', '--json'])).json.rules).toEqual([])
  })

  test('expires by the clock of all, and is taken back when its agent is revoked', async () => {
    let now = Date.now()
    await using world = await startEverywhere({ clock: { now: () => now } })
    const { kit, calls, oauth3, tool } = world
    await world.call('tool_1', 'read')
    await kit.said('Tool: read')
    now += 3_600_000
    expect((await oauth3(['requests'])).stdout).toContain('Nothing waits for you.')
    expect(await tool('request_status', { id: 'tool_1' })).toMatchObject({
      ...{ state: 'pending', waiting: false, message: 'Nobody answered in time.' },
    })
    await kit.approvals.tick()
    expect(calls.get('tool_1')?.status).toBe('expired')
    expect(await tool('request_status', { id: 'tool_1' })).toMatchObject({ state: 'expired' })
    expect((await oauth3(['approve', 'tool_1', '--once'])).code).toBe(5)
    expect((await kit.said(/^read is expired$/)).buttons).toEqual([])

    await world.call('tool_2', 'write')
    await kit.agents.revoke('demo-agent', 'cli:0')
    expect(calls.get('tool_2')?.status).toBe('cancelled')
  })

  test('is nobody else’s to see, nor its own agent’s to answer', async () => {
    await using world = await startEverywhere()
    const { kit, tool } = world
    await world.call('tool_1', 'read')
    const { token } = await kit.agents.add({ name: 'another' }, 'cli:0')
    expect(await tool('list_requests', {}, token)).toEqual({ requests: [] })
    expect((await tool('request_status', { id: 'tool_1' }, token)).error.code).toBe('not_found')
    expect((await tool('request_status', { id: 'tool_9' })).error.code).toBe('not_found')
  })

  test('is answered as it was shown, by the hash of its card', async () => {
    await using world = await startEverywhere()
    const { calls, oauth3 } = world
    await world.call('tool_1', 'read')
    const before = (await oauth3(['show', 'tool_1', '--json'])).json.consent_hash
    calls.set('tool_1', { ...(calls.get('tool_1') as ToolCall), tool: 'write' })
    const run = await oauth3(['approve', 'tool_1', '--once', '--consent', before])
    expect([run.code, calls.get('tool_1')?.status]).toEqual([5, 'pending'])
  })

  test('cannot go where its state does not lead', async () => {
    await using world = await startEverywhere()
    const { kit, calls, decisions } = world
    await world.call('tool_1', 'read')
    const end = (to: 'approved' | 'denied' | 'expired' | 'cancelled') =>
      kit.storage.transaction((tx) => decisions.end(tx, calls.get('tool_1') as ToolCall, { to, by: null }))
    await end('denied')
    for (const to of ['approved', 'denied', 'expired', 'cancelled'] as const)
      await expect(end(to)).rejects.toMatchObject({ code: 'conflict' })
    expect(calls.get('tool_1')?.status).toBe('denied')
  })
})
