import { describe, expect, test } from 'vitest'
import { startEverywhere } from '../support/new-kind-kit.ts'
import { owner } from '../support/principals.ts'
import { createRunTools } from '../support/run-tools-kit.ts'
import { ANN, BOB, createTelegramKit, GROUP } from '../support/telegram-kit.ts'

const PAGE = { url: 'https://docs.example.com/a?q=1', prompt: 'What does it say?' }

async function start(options: Parameters<typeof createTelegramKit>[0] = {}) {
  const kit = await createTelegramKit(options)
  const tools = await createRunTools(kit, options.clock)
  return { ...tools, kit, [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose]() }
}

describe('a tool call of a run', () => {
  test('waits for the tap; a yes opens the host for that call and no longer', async () => {
    await using world = await start()
    const { kit } = world
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const card = await kit.said('A run asks to use a tool')
    for (const part of [
      ...[world.app.name, run.runId, 'Sum up the news', 'of today', 'WebFetch', 'docs.example.com'],
      ...['"url": "https://docs.example.com/a?q=1"', '"prompt": "What does it say?"', 'at most 20 requests'],
    ])
      expect(card.text).toContain(part)
    expect(card.buttons).toEqual([['✅ Allow once', '❌ Deny'], ['🔁 Same call, this run']])
    expect(run.reached()).toEqual([])
    const pressed = await kit.double.press(kit.chatId, card.messageId, '✅ Allow once', ANN).answered
    expect(pressed).toEqual({ text: 'WebFetch: allowed once', alert: false })
    expect(await verdict).toEqual({ behavior: 'allow', updatedInput: PAGE })
    expect(run.reached()).toEqual(['docs.example.com'])
    expect(run.session?.policy.capabilities).toMatchObject([
      { requests: 20, websocket: false, mutations: false, paths: null, methods: new Set(['GET']) },
    ])
    run.calls.answered('toolu_other')
    expect(run.reached()).toEqual(['docs.example.com'])
    run.calls.answered('toolu_1')
    expect(run.reached()).toEqual([])
    expect((await kit.said(/WebFetch of shop-\w+: allowed once by Ann/)).buttons).toEqual([])
    expect(await world.events()).toEqual(['tool_call.asked', 'tool_call.decided'])
  })

  test('is asked again each time, unless the yes is for the rest of the run, and then for these arguments alone', async () => {
    await using world = await start()
    const run = world.begin()
    for (const choice of ['once', 'run']) {
      const verdict = run.request('WebFetch', PAGE)
      await world.answer(await world.nextAsked(), choice, owner())
      expect(await verdict).toMatchObject({ behavior: 'allow' })
    }
    // The same arguments in another order are the same call.
    const again = run.request('WebFetch', { prompt: PAGE.prompt, url: PAGE.url })
    expect(await again).toEqual({ behavior: 'allow', updatedInput: PAGE })
    const other = run.request('WebFetch', { ...PAGE, url: `${PAGE.url}2` })
    await world.answer(await world.nextAsked(), 'deny', owner())
    expect(await other).toMatchObject({ behavior: 'deny' })
    // Another run of the same app begins with nothing.
    const elsewhere = world.begin()
    const asked = elsewhere.request('WebFetch', PAGE)
    await world.answer(await world.nextAsked(), 'deny', owner())
    expect(await asked).toMatchObject({ behavior: 'deny' })
    expect((await world.events()).filter((event) => event === 'tool_call.covered')).toHaveLength(1)
  })

  test('inside the walls asks nobody; without the token’s leave it is denied, and the audit is told', async () => {
    await using world = await start()
    const run = world.begin({ tools: ['Bash'] })
    expect(await run.request('Bash', { command: 'curl https://evil.example' })).toEqual({ behavior: 'allow' })
    expect(run.reached()).toEqual([])
    expect(await run.request('WebFetch', PAGE)).toEqual({
      behavior: 'deny',
      message: 'The token of this app does not allow WebFetch.',
    })
    const walled = world.begin({ egress: null })
    expect(await walled.request('WebFetch', PAGE)).toMatchObject({ behavior: 'deny' })
    expect(await world.events()).toEqual(['tool_call.refused', 'tool_call.refused'])
  })

  test('of which the audit is told is bounded where a model goes on asking', async () => {
    await using world = await start()
    const run = world.begin({ tools: [] })
    for (let count = 0; count < 80; count++) await run.request('Bash', {})
    expect(await world.events()).toHaveLength(64)
  })

  test('that is denied tells the model why; one that nobody answers, and one that was taken back, too', async () => {
    let now = Date.now()
    await using world = await start({ clock: { now: () => now } })
    const { kit } = world
    const run = world.begin()
    const denied = run.request('mcp__mail__send', { to: 'a@b.example' })
    await world.answer(await world.nextAsked(), 'deny', owner(), 'not to\nthem')
    expect(await denied).toEqual({
      behavior: 'deny',
      message: 'A person said no: not to them Do not ask for the same again.',
    })
    const expired = run.request('WebSearch', { query: 'x' })
    const id = await world.nextAsked()
    now += 3_600_000
    await kit.approvals.tick()
    expect(await expired).toMatchObject({ behavior: 'deny', message: expect.stringContaining('in time') })
    expect((await world.viewOf(id)).state).toBe('expired')
    const taken = run.request('WebSearch', { query: 'y' })
    await world.nextAsked()
    run.controller.abort()
    expect(await taken).toMatchObject({ behavior: 'deny', message: expect.stringContaining('taken back') })
    expect(await run.request('WebSearch', { query: 'z' })).toMatchObject({ message: 'The run is over.' })
    expect(await world.events()).toEqual([
      ...['tool_call.asked', 'tool_call.decided', 'tool_call.asked', 'tool_call.ended'],
      ...['tool_call.asked', 'tool_call.ended'],
    ])
  })

  test('takes a place among what waits of its app, and leaves those of agents alone', async () => {
    await using world = await start({ maxWaitingPerAgent: 1 })
    const run = world.begin()
    const first = run.request('WebSearch', { query: 'x' })
    const id = await world.nextAsked()
    expect(await run.request('WebSearch', { query: 'y' })).toMatchObject({
      behavior: 'deny',
      message: expect.stringContaining('Nobody can be asked now'),
    })
    expect((await world.kit.submit()).status).toBe('pending')
    await world.answer(id, 'once', owner())
    expect(await first).toMatchObject({ behavior: 'allow' })
  })

  test('ends with its run, and with its app', async () => {
    await using world = await start()
    const { kit, app } = world
    const run = world.begin()
    const waits = run.request('WebSearch', { query: 'x' })
    const id = await world.nextAsked()
    await run.end()
    expect(await waits).toMatchObject({ behavior: 'deny' })
    expect((await world.viewOf(id)).state).toBe('cancelled')
    const other = world.begin()
    const theirs = other.request('WebSearch', { query: 'x' })
    const theirId = await world.nextAsked()
    await kit.storage.transaction((tx) =>
      kit.approvals.requesterRevoked(tx, { kind: 'app', id: app.id }, { actor: 'cli:0', name: null }),
    )
    expect(await theirs).toMatchObject({ behavior: 'deny' })
    expect((await world.viewOf(theirId)).state).toBe('cancelled')
  })

  test('that a daemon left waiting is cancelled by the next', async () => {
    await using world = await start()
    const { kit, toolCalls } = world
    const run = world.begin()
    const waits = run.request('WebSearch', { query: 'x' })
    const id = await world.nextAsked()
    await toolCalls.recover()
    expect(await waits).toMatchObject({ behavior: 'deny' })
    expect((await world.viewOf(id)).state).toBe('cancelled')
    const [row] = await kit.audit.newest(1)
    expect(row).toMatchObject({ event: 'tool_call.ended', actor: 'daemon' })
    expect(JSON.parse(row?.data ?? '{}')).toMatchObject({ status: 'cancelled', why: 'daemon restarted' })
  })
})

describe('on every channel', () => {
  test('it is listed, shown whole, decided with words, and no agent’s to see', async () => {
    await using world = await startEverywhere()
    const { kit, oauth3, tool } = world
    const tools = await createRunTools(kit)
    const run = tools.begin()
    const long = { query: `${'a long question '.repeat(400)}END` }
    const verdict = run.request('WebSearch', long)
    const id = await tools.nextAsked()
    expect((await oauth3(['requests', '--json'])).json.approvals).toMatchObject([
      { id, kind: 'run_tool_call', agent: tools.app.name, asked_by: 'app', state: 'pending' },
    ])
    expect((await oauth3(['requests'])).stdout).toContain('tool WebSearch')
    expect(await tool('list_requests')).toEqual({ requests: [] })
    expect((await tool('request_status', { id })).error.code).toBe('not_found')
    kit.double.say(kit.chatId, '/pending', ANN)
    expect((await kit.said('⏳ tool WebSearch')).text).toContain(tools.app.name)

    // Too long for a screen: the file first, whole, then the card that names it.
    const card = await kit.said('Read the arguments in the file above')
    const file = kit.double.messages.find(({ document }) => document?.fileName === 'arguments.txt')
    expect(file?.document?.bytes.toString()).toBe(JSON.stringify(long, null, 2))
    expect(card.text).not.toContain('END')
    const shown = await oauth3(['show', id])
    expect(shown.stdout.replace(/[\s│]/g, '')).toContain(`${'alongquestion'.repeat(400)}END`)
    expect(shown.stdout).toContain('--once   # or [--for-run]')
    const approved = await oauth3(['approve', id, '--once', '--for-run'])
    expect(approved).toMatchObject({ code: 0 })
    expect(await verdict).toEqual({ behavior: 'allow', updatedInput: long })
    expect(await run.request('WebSearch', long)).toMatchObject({ behavior: 'allow' })

    const other = run.request('Newfangled', { x: 1 })
    const otherId = await tools.nextAsked()
    const said = await oauth3(['deny', otherId, '--reason', 'what is that?'])
    expect(said.code).toBe(0)
    expect(await other).toMatchObject({ message: expect.stringContaining('A person said no: what is that?') })
    expect((await oauth3(['show', otherId])).stdout).toContain('what is that?')

    const reaching = tools.begin({ asksForHosts: true })
    const target = { scheme: 'https', host: 'docs.example.com', port: 8443 } as const
    const reached = reaching.session?.asker?.ask(target, new AbortController().signal)
    const hostId = await tools.nextAsked()
    expect((await oauth3(['requests'])).stdout).toContain('host docs.example.com:8443')
    const asked = (await oauth3(['show', hostId])).stdout
    expect(asked).toMatch(/docs\.example\.com, port 8443/)
    expect(asked).toContain('--once')
    expect(asked).not.toContain('--for-run')
    expect((await oauth3(['approve', hostId, '--once'])).code).toBe(0)
    expect(await reached).toBe(null)
    expect(reaching.reached()).toEqual(['docs.example.com'])
    expect((await oauth3(['show', hostId])).stdout).toContain('allowed for the rest of the run')
  })

  test('it takes as many approvals as its app’s rule asks for', async () => {
    await using world = await startEverywhere({ chatId: GROUP, approvers: [ANN, BOB] })
    const { kit, oauth3 } = world
    const tools = await createRunTools(kit)
    await oauth3(['quorum', 'owner', '1001'])
    const rules = await oauth3(['quorum', 'set', '--app', tools.app.name, '--approvals', '2'])
    expect(rules.stdout).toContain(tools.app.name)
    expect((await oauth3(['quorum', 'set', '--app', 'demo-agent', '--approvals', '2'])).code).toBe(4)
    const run = tools.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await tools.nextAsked()
    expect((await oauth3(['approve', id, '--once'])).stdout).toContain('1 of 2')
    expect((await tools.viewOf(id)).state).toBe('pending')
    expect(run.reached()).toEqual([])
    const card = await kit.said('1 of 2')
    await kit.double.press(kit.chatId, card.messageId, '✅ Allow once', BOB).answered
    expect(await verdict).toMatchObject({ behavior: 'allow' })
    expect((await kit.submit()).status).toBe('pending')
    expect((await oauth3(['app', 'revoke', tools.app.name])).code).toBe(0)
    expect((await oauth3(['quorum', 'list'])).stdout).toContain('One approval is enough for everything.')
  })

  test('the owner’s API reads its arguments whole, and decides by the hash of what it read', async () => {
    await using world = await startEverywhere()
    const { kit, admin } = world
    const tools = await createRunTools(kit)
    const run = tools.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await tools.nextAsked()
    const { body } = await admin('GET', `/v1/approvals/${id}`)
    const view = body as { consent_hash: string; shown: { text: { label: string; text: string } } }
    expect(view.shown.text).toEqual({
      label: 'Arguments',
      text: expect.stringContaining('docs.example.com/a?q=1'),
    })
    const decide = (consent_hash: string) =>
      admin('POST', `/v1/approvals/${id}/decision`, { choice: 'deny', consent_hash, reason: 'no' })
    expect((await decide('0'.repeat(64))).status).toBe(409)
    expect((await decide(view.consent_hash)).status).toBe(200)
    expect(await verdict).toMatchObject({ behavior: 'deny' })
  })
})
