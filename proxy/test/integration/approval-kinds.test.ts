import { describe, expect, test } from 'vitest'
import { startEverywhere } from '../support/new-kind-kit.ts'
import { ANN } from '../support/telegram-kit.ts'

describe('what waits, of three kinds', () => {
  const IDS = ['req', 'ask', 'tool'] as const
  /** One of each, with its card in the chat. */
  async function oneOfEach(world: Awaited<ReturnType<typeof startEverywhere>>) {
    const { card: runCard, execution } = await world.kit.ask({ skillId: 'mixed/run' })
    const { card: askCard, ask } = await world.kit.wants()
    await world.call('tool_1', 'read')
    const toolCard = await world.kit.said('Tool: read')
    return {
      req: { id: execution.requestId as string, card: runCard, yes: '✅ Run Once', cli: '--once' },
      ask: { id: ask.id, card: askCard, yes: '✅ Allow 24h', cli: '--24h' },
      tool: { id: 'tool_1', card: toolCard, yes: 'Allow', cli: '--once' },
    }
  }
  const settledIn = async ({ kit }: Awaited<ReturnType<typeof startEverywhere>>, id: string) =>
    await kit.storage.read((tx) => kit.approvals.find(tx, id))

  test('is decided once where chat, terminal and socket answer at once, and the others are told', async () => {
    await using world = await startEverywhere()
    const { kit, oauth3 } = world
    const all = await oneOfEach(world)
    for (const kind of IDS) {
      const { id, card, yes, cli } = all[kind]
      const label = card.buttons.flat().find((text) => text === yes) ?? card.buttons.flat()[0]
      const before = await settledIn(world, id)
      const [pressed, approved, denied] = await Promise.all([
        kit.double.press(kit.chatId, card.messageId, label as string, ANN).answered,
        oauth3(['approve', id, cli]),
        oauth3(['deny', id]),
      ])
      const wins = [pressed.alert === false, approved.code === 0, denied.code === 0]
      expect([kind, wins.filter(Boolean).length, before?.isPending]).toEqual([kind, 1, true])
      const after = await settledIn(world, id)
      expect([kind, after?.isPending, after?.state]).toEqual([kind, false, wins[2] ? 'denied' : 'approved'])
      if (!wins[1]) expect(approved.stderr).toMatch(/Already|already/)
      if (!wins[2]) expect(denied.stderr).toMatch(/Already|already/)
    }
    expect((await oauth3(['requests'])).stdout).toContain('Nothing waits for you.')
  })

  test('is answered in time or not at all, wherever it is drawn when its time is over', async () => {
    let now = Date.now()
    await using world = await startEverywhere({ clock: { now: () => now } })
    const { kit, oauth3 } = world
    const all = await oneOfEach(world)
    expect((await oauth3(['requests', '--json'])).json.approvals).toHaveLength(3)
    const answers = ['1', 't', '1', 'd', 'q']
    let asked = 0
    const watched = await world.watchWith(() => {
      asked += 1
      if (asked === 2) now += 3_600_000
      return answers.shift() ?? null
    })
    expect([watched.code, watched.stderr]).toEqual([
      0,
      expect.stringContaining('Expired: nothing was decided.'),
    ])
    expect(watched.stderr).toContain('Nothing waits for you.')
    for (const kind of IDS) {
      const { id, card } = all[kind]
      // The first of them is drawn anew by then, as expired and without its answers.
      const label = card.buttons.flat()[0]
      if (label !== undefined && label !== '🔁 Ask again') {
        const { alert, text } = await kit.double.press(kit.chatId, card.messageId, label, ANN).answered
        expect([kind, alert, text]).toEqual([kind, true, expect.stringMatching(/[Ee]xpired/)])
      }
      const late = await oauth3(['approve', id, all[kind].cli])
      expect([kind, late.code]).toEqual([kind, 5])
      expect((await settledIn(world, id))?.state).toBe('expired')
    }
    await kit.approvals.tick()
    expect(kit.llm.access.grants()).toEqual([])
    const events = (await kit.audit.newest(100)).map(({ event }) => event)
    expect(events.filter((event) => event === 'approval.decided' || event === 'provider.decided')).toEqual([])
    expect(kit.defects).toEqual([])
  })

  test('is listed, expired and taken back although the consent of one is not what was asked', async () => {
    let now = Date.now()
    await using world = await startEverywhere({ clock: { now: () => now } })
    const { kit, oauth3, tool } = world
    const all = await oneOfEach(world)
    kit.db.exec('DELETE FROM consents')
    expect((await oauth3(['requests', '--json'])).json.approvals).toHaveLength(3)
    expect((await tool('list_requests')).requests).toHaveLength(3)
    kit.double.say(kit.chatId, '/pending', ANN)
    await kit.said('1. ⏳ ')
    const shown = await oauth3(['show', all.req.id])
    expect([shown.code === 0, shown.stderr]).toEqual([false, expect.stringMatching(/consent|hash/)])
    const answers = ['1', '', 'q']
    const watched = await world.watch(answers)
    expect([watched.code, answers]).toEqual([0, []])
    now += 3_600_000
    await kit.approvals.tick()
    for (const kind of IDS)
      expect([kind, (await settledIn(world, all[kind].id))?.state]).toEqual([kind, 'expired'])
    expect(kit.defects).toEqual([])
  })

  test('is found by what versions before called it, each by its own route alone', async () => {
    await using world = await startEverywhere()
    const { oauth3, admin } = world
    const all = await oneOfEach(world)
    const before = (await oauth3(['pending', '--json'])).json
    expect(JSON.stringify(before)).toContain(all.req.id)
    expect(JSON.stringify(before)).toContain(all.ask.id)
    expect((await admin('GET', '/v1/requests')).body.requests).toMatchObject([{ request_id: all.req.id }])
    expect((await admin('GET', '/v1/asks')).body.asks).toMatchObject([{ id: all.ask.id }])
    for (const [path, other] of [
      ['/v1/requests', all.ask.id],
      ['/v1/requests', all.tool.id],
      ['/v1/asks', all.req.id],
      ['/v1/asks', all.tool.id],
    ])
      expect([path, other, (await admin('GET', `${path}/${other}`)).status]).toEqual([path, other, 404])
    const { consent_hash } = (await oauth3(['show', all.tool.id, '--json'])).json
    for (const path of ['/v1/requests', '/v1/asks']) {
      const wrong = await admin('POST', `${path}/${all.tool.id}/decision`, {
        decision: 'allow',
        consent_hash,
      })
      expect([path, wrong.status >= 400]).toEqual([path, true])
    }
    expect((await settledIn(world, 'tool_1'))?.isPending).toBe(true)
  })
})
