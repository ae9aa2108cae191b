import { describe, expect, it } from 'vitest'
import type { AgentId } from '../../src/kernel/index.ts'
import type { ProviderAsk } from '../../src/llm/provider-access/index.ts'
import { columnsOf, PHONE_COLUMNS, phoneLines } from '../../src/notify/telegram/html.ts'
import { owner } from '../support/principals.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP } from '../support/telegram-kit.ts'

const HOUR = 3_600_000
const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null, requests: null }

async function denyElsewhere(
  { llm }: Awaited<ReturnType<typeof createTelegramKit>>,
  ask: ProviderAsk,
): Promise<void> {
  const answer = { decision: 'deny', scope: 'provider' } as const
  await llm.access.decide(ask.id, llm.access.contentHash(ask), answer, owner())
}

describe('an ask for a provider in Telegram', () => {
  it('says in plain words who wants what, that the key stays here, what it may cost and how long a button lasts', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.wants()
    for (const part of [
      'Agent: demo-agent',
      'openai at https://api.openai.com',
      'Model: gpt-5',
      '/chat/completions',
      'never sees the key',
      'oauth3 grant limit',
      'No key of this provider is stored yet',
      '1 or 24 hours, then it must ask again',
      'refused for 10 minutes',
      'expires in 60 min',
    ]) {
      expect(card.text).toContain(part)
    }
    expect(card.buttons).toEqual([
      ['⏱ 1 hour', '⏱ 24 hours'],
      ['♾ Always', '❌ Deny'],
      ['⏱ 24 h, ≤ $1 a day', '♾ Always, ≤ $1 a day'],
      ['⏱ 24 h, ≤ 200k tokens', '♾ Always, ≤ 200k a day'],
      ['⏱ 24 h, ≤ 100 requests', '♾ 100 requests in all'],
      ['Only gpt-5: 1 h', 'Only it: 24 h', 'Only it: always'],
    ])
    expect(phoneLines(card.text)).toBeLessThanOrEqual(25)
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    expect((await kit.audit.newest(1))[0]).toMatchObject({ event: 'approval.asked' })
  })

  it('is one card for all duplicates, and a press grants, edits the card and says who decided what', async () => {
    await using kit = await createTelegramKit()
    const { ask, card } = await kit.wants()
    await kit.llm.access.ask({ ...ask, path: '/responses' })
    const waiting = kit.llm.access.wait(ask.id, 8_000, new AbortController().signal)
    const press = kit.double.press(kit.chatId, card.messageId, '⏱ 24 hours', ANN)
    expect(await press.answered).toEqual({ text: 'Granted for 24 hours', alert: false })
    expect((await waiting).status).toBe('approved')
    await kit.double.waitFor(() => card.edits > 0, 'the edit')
    expect(card.text).toMatch(/Granted: inference, all models, until .* UTC\n👍 by Ann \(telegram:1001\)/)
    expect(card.text).toMatch(/End it with \/revoke P\d+\./)
    expect(card.buttons).toEqual([])
    expect(kit.double.messages.filter(({ fromBot }) => fromBot)).toHaveLength(1)
    expect(kit.llm.access.evaluate(ask).verdict).toBe('granted')
  })

  it.each([
    ['⏱ 1 hour', 'Granted for 1 hour', null, HOUR],
    ['♾ Always', 'Granted until you revoke it', null, null],
    ['Only gpt-5: 1 h', 'Granted this model for 1 hour', ['gpt-5'], HOUR],
    ['Only it: 24 h', 'Granted this model for 24 hours', ['gpt-5'], 24 * HOUR],
    ['Only it: always', 'Granted this model until you revoke it', ['gpt-5'], null],
  ])('grants by %s what it says', async (button, said, models, lasts) => {
    const now = Date.now()
    await using kit = await createTelegramKit({ clock: { now: () => now } })
    const { card } = await kit.wants()
    expect((await kit.double.press(kit.chatId, card.messageId, button, ANN).answered).text).toBe(said)
    expect(kit.llm.access.grants()).toMatchObject([
      { models, grantedBy: 'telegram:1001', expiresAt: lasts === null ? null : now + lasts },
    ])
  })

  it.each([
    ['⏱ 24 h, ≤ $1 a day', { microUsdPerDay: 1_000_000, tokensPerDay: null }, 24 * HOUR],
    ['♾ Always, ≤ $1 a day', { microUsdPerDay: 1_000_000, tokensPerDay: null }, null],
    ['⏱ 24 h, ≤ 200k tokens', { microUsdPerDay: null, tokensPerDay: 200_000 }, 24 * HOUR],
    ['♾ Always, ≤ 200k a day', { microUsdPerDay: null, tokensPerDay: 200_000 }, null],
    ['⏱ 24 h, ≤ 100 requests', { microUsdPerDay: null, requests: 100 }, 24 * HOUR],
    ['♾ 100 requests in all', { microUsdPerDay: null, requests: 100 }, null],
  ])('grants by %s with that limit', async (button, limits, lasts) => {
    const now = Date.now()
    await using kit = await createTelegramKit({ clock: { now: () => now } })
    const { card } = await kit.wants()
    expect((await kit.double.press(kit.chatId, card.messageId, button, ANN).answered).text).toMatch(
      /at most|for 100 requests/,
    )
    expect(kit.llm.access.grants()).toMatchObject([
      { models: null, limits, expiresAt: lasts === null ? null : now + lasts },
    ])
  })

  it('offers no limit where it would count nothing', async () => {
    await using kit = await createTelegramKit()
    const { card } = await kit.wants({ group: 'files', path: '/v1/files', model: null })
    expect(card.buttons.flat().filter((label) => label.includes('≤'))).toEqual(['⏱ 24 h, ≤ 100 requests'])
  })

  it('denies, and the card says so', async () => {
    await using kit = await createTelegramKit()
    const { ask, card } = await kit.wants()
    await kit.double.press(kit.chatId, card.messageId, '❌ Deny', ANN).answered
    await kit.double.waitFor(() => card.edits > 0, 'the edit')
    expect(card.text).toContain('Denied\n👎 by Ann')
    expect(card.text).toContain('after 10 minutes')
    expect(kit.llm.access.evaluate(ask).verdict).toBe('denied')
  })

  it('shows on the card what was decided elsewhere, that it expired, and that its agent was revoked', async () => {
    let now = Date.now()
    await using kit = await createTelegramKit({ clock: { now: () => now } })
    const elsewhere = await kit.wants({ model: null })
    await denyElsewhere(kit, elsewhere.ask)
    await kit.double.waitFor(() => elsewhere.card.edits > 0, 'the edit')
    expect(elsewhere.card.text).toContain('👎 by owner (cli:0)')

    const expired = await kit.wants()
    const revoked = await kit.wants({ agentId: (await kit.agents.add({ name: 'second' }, 'cli:0')).agent.id })
    await kit.agents.revoke('second', 'cli:0')
    await kit.double.waitFor(() => revoked.card.edits > 0, 'the edit')
    expect(revoked.card.text).toContain('Taken back: its agent or its provider is gone')
    now += HOUR
    await kit.approvals.tick()
    await kit.double.waitFor(() => expired.card.edits > 0, 'the edit')
    expect(expired.card.text).toContain('Expired: nobody answered in time')
    expect(expired.card.buttons).toEqual([['🔁 Ask again']])
  })

  it('brings a card up to date that still has buttons after the decision', async () => {
    await using kit = await createTelegramKit()
    const { ask, card } = await kit.wants()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'the record')
    const lost = await kit.storage.transaction(async (tx) => {
      await kit.approvals.choose(tx, ask.id, kit.llm.access.contentHash(ask), 'deny', owner())
      const queued = await tx.outbox.due('telegram:', Date.now())
      for (const { id } of queued) await tx.outbox.remove(id)
      return queued
    })
    expect(lost).toMatchObject([{ kind: 'card_update' }])
    const press = kit.double.press(kit.chatId, card.messageId, '♾ Always', ANN)
    expect(await press.answered).toEqual({ text: 'Already denied by owner.', alert: true })
    await kit.double.waitFor(() => card.buttons.length === 0, 'the edit')
    expect(card.text).toContain('Denied')
  })

  it('sends no card for what was settled before it could leave', async () => {
    await using kit = await createTelegramKit({ start: false })
    const ask = await kit.llm.access.ask({
      agentId: (await kit.agentOf()).id,
      provider: 'openai',
      model: null,
      group: 'models',
      path: '/models',
    })
    await denyElsewhere(kit, ask)
    kit.telegram.start()
    await kit.double.waitFor(async () => (await kit.outbox.waiting('telegram:')) === 0, 'an empty queue')
    expect(kit.double.messages.filter(({ fromBot }) => fromBot)).toEqual([])
  })

  it('comes without formatting when Telegram refuses the formatted card', async () => {
    await using kit = await createTelegramKit()
    kit.double.failNext({
      method: 'sendMessage',
      status: 400,
      description: "Bad Request: can't parse entities",
    })
    const { card } = await kit.wants()
    expect(card.entities).toEqual([])
    expect(card.text).toContain('Model: gpt-5')
  })

  it('tells the owner of a limit that was passed', async () => {
    await using kit = await createTelegramKit()
    const grant = await kit.llm.access.grant(
      {
        agentId: (await kit.agentOf()).id,
        provider: 'openai',
        forMs: null,
        models: null,
        paths: null,
        limits: { ...NO_LIMITS, microUsdPerDay: 2_500_000 },
      },
      'cli:0',
    )
    await kit.llm.access.limitPassed(grant, 'usd_per_day')
    const line = await kit.said('Limit passed')
    expect(line.text).toContain(`demo-agent at openai, $2.50 a day (P${grant.id})`)
    expect(line.text).toContain(`oauth3 grant limit ${grant.id}`)
  })
})

describe('commands about providers in Telegram', () => {
  it("stores a provider's key, deletes the message, and repeats the value nowhere", async () => {
    await using kit = await createTelegramKit()
    const message = kit.double.say(kit.chatId, '/add_key openai demo-value-of-a-key-1', ANN)
    await kit.said('Stored 1: openai')
    expect(message.deleted).toBe(true)
    const labelled = kit.double.say(kit.chatId, '/add_key openai:team\n demo-value-of-a-key-2 ', ANN)
    await kit.said('Stored 2: openai team')
    expect(labelled.deleted).toBe(true)
    const picked = await kit.llm.keys.pick({
      provider: 'openai',
      model: null,
      tags: [],
      agentId: 'agt_1',
      use: { endpoint: 'POST /chat/completions', model: '' },
    })
    expect('value' in picked && picked.value.open()).toMatch(/^demo-value-of-a-key-[12]$/)
    kit.double.say(kit.chatId, '/keys', ANN)
    expect((await kit.said('2. openai team')).text).not.toContain('demo-value')
    const spoken = kit.double.messages
      .filter(({ fromBot }) => fromBot)
      .map(({ text, source }) => [text, source])
    expect(JSON.stringify([spoken, kit.logs, kit.db.prepare('SELECT * FROM outbox').all()])).not.toContain(
      'demo-value',
    )
    kit.double.say(kit.chatId, '/remove_key 2', ANN)
    await kit.said('Removed 2. openai team')
    kit.double.say(kit.chatId, '/remove_key 2', ANN)
    await kit.said(/No key/)
    kit.double.say(kit.chatId, '/remove_key x', ANN)
    await kit.said('Send /remove_key N')
    expect(kit.llm.keys.list().map(({ id }) => id)).toEqual([1])
  })

  it('asks for the key when only a provider is given, and deletes the reply', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/add_key anthropic:work', ANN)
    const prompt = await kit.said('Key for anthropic:work?')
    expect(prompt.forceReply).toBe(true)
    const reply = kit.double.say(kit.chatId, 'demo-value-of-a-key', ANN, { replyTo: prompt })
    await kit.said('anthropic work')
    expect(reply.deleted).toBe(true)
    expect(kit.llm.keys.list()).toMatchObject([{ provider: 'anthropic', label: 'work' }])
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
  })

  it('deletes the message before it reads it, and repeats nothing of one that it does not understand', async () => {
    await using kit = await createTelegramKit()
    for (const text of ['/add_key demo-value-in-the-wrong-place', '/add_key demo_VALUE!x demo-value-2']) {
      const message = kit.double.say(kit.chatId, text, ANN)
      await kit.double.waitFor(() => message.deleted, 'the deletion')
    }
    await kit.said('Send /add_key PROVIDER')
    await kit.said('There is no such provider')
    const spoken = JSON.stringify(
      kit.double.messages.filter(({ fromBot }) => fromBot).map(({ text }) => text),
    )
    expect(spoken).not.toMatch(/demo[-_]value/i)
    expect(kit.llm.keys.list()).toEqual([])
  })

  it('lists grants with their numbers, and /revoke ends those and the ones of /trusted', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/grants', ANN)
    await kit.said('No agent may use a provider.')
    const { id } = await kit.llm.access.grant(
      {
        agentId: (await kit.agentOf()).id,
        provider: 'openai',
        forMs: null,
        models: ['gpt-5*'],
        paths: ['/chat'],
        limits: { ...NO_LIMITS, requestsPerMinute: 60 },
      },
      'cli:0',
    )
    kit.double.say(kit.chatId, '/grants', ANN)
    await kit.said(`P${id}. demo-agent → openai: inference, gpt-5*, only /chat, 60 requests a minute, always`)
    kit.double.say(kit.chatId, `/revoke ${id}`, ANN)
    await kit.said(`No active grant ${id}.`)
    kit.double.say(kit.chatId, `/revoke p${id}`, ANN)
    await kit.said(`Revoked P${id}. demo-agent → openai`)
    expect(kit.llm.access.grants()).toEqual([])
    kit.double.say(kit.chatId, '/revoke X1', ANN)
    await kit.said('/revoke PN with one of /grants')
  })

  it('lists asks among what waits', async () => {
    await using kit = await createTelegramKit()
    const { ask } = await kit.wants()
    kit.double.say(kit.chatId, '/pending', ANN)
    await kit.said(`provider openai, gpt-5, inference for demo-agent, 60 min left, ${ask.id.slice(0, 12)}`)
  })

  it('lists what was used so that a phone shows it, and the providers', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/usage', ANN)
    expect((await kit.said('Nothing was used.')).text).toContain('Today')
    const price = { provider: 'openai', model: 'gpt-5', cacheRead: null, cacheWrite: null }
    await kit.llm.usage.setPrice({ ...price, input: 0, output: 14_000_000 }, 'cli:0')
    const use = (agentId: AgentId, input: number, output: number): void => {
      const place = kit.llm.usage.reserveQuota({
        reportsCost: false,
        agentId,
        provider: 'openai',
        model: 'gpt-5',
        limits: NO_LIMITS,
        estimate: { inputTokens: 0, outputTokens: 0 },
      })
      if ('limit' in place) throw new Error(place.limit)
      const usage = { input, output, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
      place.settle({ model: 'gpt-5', keyId: 1, failed: false, usage })
    }
    for (let request = 0; request < 12; request += 1) use((await kit.agentOf()).id, 102_000, 2_500)
    use((await kit.agents.add({ name: 'other' }, 'cli:0')).agent.id, 999, 0)
    kit.double.say(kit.chatId, '/usage', ANN)
    const list = await kit.said('demo-agent')
    expect(list.text).toContain(
      'demo-agent\n12 req · 1.2M in · 30k out · $0.42\nother\n1 req · 999 in · 0 out · $0.00\nAll\n13 req · 1.2M in',
    )
    for (const line of list.text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(PHONE_COLUMNS)
    kit.double.say(kit.chatId, '/usage@oauth3_test_bot model', ANN)
    expect((await kit.said('gpt-5')).text).toContain('13 req · 1.2M in · 30k out · $0.42')
    kit.double.say(kit.chatId, '/usage day', ANN)
    expect((await kit.said('Last 7 days (UTC)')).text).not.toContain('Today')
    kit.double.say(kit.chatId, '/usage everything', ANN)
    await kit.said('Send /usage agent')
    kit.double.say(kit.chatId, '/add_key openai demo-value-of-a-key', ANN)
    await kit.said('Stored 1')
    kit.double.say(kit.chatId, '/providers', ANN)
    const providers = await kit.said('more have no key')
    expect(providers.text).toContain('openai https://api.openai.com/v1, 1 key')
    expect(providers.text).not.toContain('anthropic')
    expect(providers.text.split('\n')).toHaveLength(2)
  })

  it('lets only approvers of the group use them', async () => {
    await using kit = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
    await kit.llm.access.grant(
      {
        agentId: (await kit.agentOf()).id,
        provider: 'openai',
        forMs: null,
        models: null,
        paths: null,
        limits: NO_LIMITS,
      },
      'cli:0',
    )
    for (const text of ['/keys', '/grants', '/usage', '/providers', '/remove_key 1', '/revoke P1']) {
      kit.double.say(GROUP, text, BOB)
      kit.double.say(GROUP, text, EVE)
    }
    kit.double.say(GROUP, '/add_key openai demo-value-of-a-key', EVE)
    await kit.said('Only approvers')
    kit.double.say(GROUP, '/agents', ANN)
    await kit.said('demo-agent agt_')
    expect(kit.llm.keys.list()).toEqual([])
    expect(kit.llm.access.grants()).toHaveLength(1)
    const spoken = kit.double.messages.filter(({ fromBot }) => fromBot).map(({ text }) => text)
    expect(spoken.filter((text) => text.includes('openai'))).toEqual([])
  })
})
