import { describe, expect, it } from 'vitest'
import { collect } from '../../../test/support/collect.ts'
import { addAgent } from '../../../test/support/domain-kit.ts'
import {
  answer,
  BY,
  HOUR,
  MINUTE,
  NO_LIMITS,
  OWNER,
  refusedWith,
  useProviderAccess,
} from '../../../test/support/provider-access-kit.ts'

const world = useProviderAccess()
const { use, events, pending, decideOn, verdict, decide, grant, restart } = world

describe('an ask', () => {
  it('is stored with its message and audit, and its duplicates are the same ask', async () => {
    const first = await world.access.ask(use())
    expect(first.id).toMatch(/^ask_[0-9a-f]{32}$/)
    expect(await world.access.ask(use({ path: '/responses' }))).toEqual(first)
    expect((await world.access.ask(use({ model: null }))).id).not.toBe(first.id)
    expect(world.told).toEqual(['asked gpt-5', 'asked null'])
    expect(await events()).toEqual(['provider.asked', 'provider.asked'])
    expect((await pending()).map(({ id }) => id)).toContain(first.id)
  })

  it('is not one of too many that wait of one agent', async () => {
    for (const model of ['a', 'b', 'c']) await world.access.ask(use({ model }))
    await expect(world.access.ask(use({ model: 'd' }))).rejects.toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 30 }),
    )
    expect((await world.access.ask(use({ model: 'a' }))).model).toBe('a')
    expect((await world.access.ask(use({ agentId: (await addAgent(world.kit, 'second')).id }))).status).toBe(
      'pending',
    )
    world.now += HOUR
    expect((await world.access.ask(use({ model: 'd' }))).status).toBe('pending')
  })

  it('takes no name of a model beyond its length', async () => {
    await expect(world.access.ask(use({ model: 'x'.repeat(257) }))).rejects.toThrow(
      refusedWith('invalid_request'),
    )
    expect(world.told).toEqual([])
  })

  it('expires, and is asked anew afterwards', async () => {
    const { id } = await world.access.ask(use())
    world.now += HOUR
    expect(await pending()).toEqual([])
    await expect(decideOn(id, answer())).rejects.toThrow(refusedWith('refused'))
    expect((await world.access.find(id))?.status).toBe('expired')
    const second = await world.access.ask(use())
    expect(second.id).not.toBe(id)
    world.now += HOUR
    expect((await world.access.ask(use())).id).not.toBe(second.id)
    world.now += HOUR
    await world.approvals.tick()
    expect((await events()).filter((event) => event === 'provider.expired')).toHaveLength(3)
    expect(world.told.filter((line) => line.startsWith('expired'))).toHaveLength(3)
    expect(verdict()).toBe('ask')
  })

  it.each(['deny', '24h'] as const)(
    'names the agent in the audit, so that its rows are found: %s',
    async (decision) => {
      const ask = await decide({ decision })
      const row = (await collect(world.kit.audit.export())).find(({ event }) => event === 'provider.decided')
      expect(JSON.parse(row?.data ?? '')).toMatchObject({
        ask: ask.id,
        agent_id: ask.agentId,
        provider: 'openai',
        decision,
      })
    },
  )

  it('is answered once', async () => {
    const ask = await decide({ decision: '1h' })
    expect(ask).toMatchObject({
      status: 'approved',
      decidedBy: OWNER,
      decidedByName: 'Ann',
      decidedAt: world.now,
    })
    for (const decision of ['deny', '1h', 'always'] as const) {
      await expect(decideOn(ask.id, answer({ decision }))).rejects.toThrow(refusedWith('refused'))
    }
    expect(world.access.grants()).toHaveLength(1)
    await expect(world.access.decide('ask_x', '0'.repeat(64), answer(), BY)).rejects.toThrow(
      refusedWith('not_found'),
    )
    expect(await events()).toEqual(['provider.asked', 'provider.decided', 'provider.granted'])
  })

  it.each([
    ['1h', HOUR],
    ['24h', 24 * HOUR],
    ['always', null],
  ] as const)('that is granted for %s becomes a grant of that length', async (decision, lasts) => {
    await decide({ decision })
    expect(world.access.grants()).toMatchObject([
      { models: null, paths: null, limits: NO_LIMITS, expiresAt: lasts === null ? null : world.now + lasts },
    ])
  })

  it('can be granted for its model alone, or for what the owner names', async () => {
    await decide({ scope: 'model' })
    expect(verdict()).toBe('granted')
    expect(verdict({ model: 'gpt-5-mini' })).toBe('ask')
    expect(verdict({ model: null })).toBe('ask')
    await decide({ models: ['o*'], paths: ['/chat'], limits: { requestsPerMinute: 1 } }, { model: 'o3' })
    expect(world.access.evaluate(use({ model: 'o3' }))).toMatchObject({
      grant: { limits: { requestsPerMinute: 1 } },
    })
    expect(verdict({ model: 'o3', path: '/files' })).toBe('ask')
  })

  it.each(['gpt-5*', '*', 'gpt-5 ', 'gpt\u202e-5', 'a b'])(
    'for %j offers no button for the model alone, and cannot be granted by it',
    async (model) => {
      const { id } = await world.access.ask(use({ model }))
      const choices = (await world.access.card(id))?.choices.flat() ?? []
      expect(choices.map(({ scope }) => scope)).toEqual(Array(10).fill('provider'))
      await expect(decideOn(id, answer({ scope: 'model' }))).rejects.toThrow(refusedWith('refused'))
      expect((await world.access.find(id))?.status).toBe('pending')
      expect(world.access.grants()).toEqual([])
    },
  )

  it('without a model cannot be granted for one, unless the owner names it', async () => {
    const { id } = await world.access.ask(use({ model: null }))
    await expect(decideOn(id, answer({ scope: 'model' }))).rejects.toThrow(refusedWith('refused'))
    await decideOn(id, answer({ scope: 'model', models: ['o3'] }))
    expect(verdict({ model: 'o3' })).toBe('granted')
  })

  it('that a grant covers by now is settled with it', async () => {
    const other = await world.access.ask(use({ model: 'o3' }))
    const elsewhere = await world.access.ask(use({ provider: 'other' }))
    await decide()
    expect(await world.access.find(other.id)).toMatchObject({ status: 'approved', decidedBy: OWNER })
    expect((await world.access.find(elsewhere.id))?.status).toBe('pending')
    await grant({ provider: 'other' })
    expect(await world.access.find(elsewhere.id)).toMatchObject({ status: 'approved', decidedBy: 'cli:0' })
  })

  it('keeps the limits of a grant that the answer makes wider', async () => {
    await grant({ models: ['o3'], limits: { ...NO_LIMITS, microUsdPerDay: 2_500_000 } })
    const { id } = await world.access.ask(use())
    expect((await world.access.card(id))?.notes.join('\n')).toContain('$2.50 a day')
    await decideOn(id, answer())
    expect(world.access.grants()).toMatchObject([
      { models: null, limits: { ...NO_LIMITS, microUsdPerDay: 2_500_000 } },
    ])
  })

  it('keeps them for one more model as well, unless the answer names others', async () => {
    await grant({ models: ['o3'], limits: { ...NO_LIMITS, tokensPerDay: 1_000 } })
    await decideOn((await world.access.ask(use())).id, answer({ scope: 'model' }))
    const [, more] = world.access.grants()
    expect(more).toMatchObject({ limits: { ...NO_LIMITS, tokensPerDay: 1_000 } })
    expect(more?.models).not.toBeNull()
    const limits = { tokensPerDay: null }
    await decideOn((await world.access.ask(use({ model: 'other' }))).id, answer({ scope: 'model', limits }))
    expect(world.access.grants()[2]?.limits).toEqual(NO_LIMITS)
  })

  it('writes nothing when the answer names something impossible', async () => {
    const { id } = await world.access.ask(use())
    for (const change of [{ models: ['a*b'] }, { paths: ['chat'] }, { limits: { tokensPerDay: 0 } }]) {
      await expect(decideOn(id, answer(change))).rejects.toThrow(refusedWith('invalid_request'))
    }
    expect((await world.access.find(id))?.status).toBe('pending')
    expect(await events()).toEqual(['provider.asked'])
  })
})

describe('a denial', () => {
  it('holds for ten minutes and the whole provider, over a restart, and not for what is granted', async () => {
    await grant({ models: ['o3'] })
    await decide({ decision: 'deny' })
    expect(world.access.evaluate(use())).toEqual({ verdict: 'denied', retryAfterSeconds: 600 })
    expect(verdict({ model: 'another' })).toBe('denied')
    expect(verdict({ model: 'o3' })).toBe('granted')
    expect(verdict({ provider: 'other' })).toBe('ask')
    world.now += 10 * MINUTE - 1
    await restart()
    expect(world.access.evaluate(use())).toEqual({ verdict: 'denied', retryAfterSeconds: 1 })
    world.now += 1
    expect(verdict()).toBe('ask')
  })
})

describe('waiting for an answer', () => {
  const signal = new AbortController().signal

  it('ends with the answer', async () => {
    const { id } = await world.access.ask(use())
    const waiting = [world.access.wait(id, 60_000, signal), world.access.wait(id, 60_000, signal)]
    await decideOn(id, answer())
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(['approved', 'approved'])
    expect((await world.access.wait(id, 60_000, signal)).status).toBe('approved')
  })

  it('ends when the ask expires, when the time is over, and when the caller leaves', async () => {
    const { id } = await world.access.ask(use())
    expect((await world.access.wait(id, 0, signal)).status).toBe('pending')
    expect((await world.access.wait(id, 1, signal)).status).toBe('pending')
    const leaving = new AbortController()
    const left = world.access.wait(id, 60_000, leaving.signal)
    leaving.abort()
    expect((await left).status).toBe('pending')
    const expiring = world.access.wait(id, 60_000, signal)
    world.now += HOUR
    await world.approvals.tick()
    expect((await expiring).status).toBe('expired')
    await expect(world.access.wait('ask_x', 1, signal)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the card of an ask', () => {
  it('says who, what and where, that the key stays here, what it may cost, and offers the buttons', async () => {
    const card = await world.access.card((await world.access.ask(use())).id)
    expect(card).toMatchObject({
      agent: 'demo-agent',
      provider: 'openai',
      origin: 'https://api.openai.test',
      model: 'gpt-5',
      path: '/chat/completions',
      expiresAt: world.now + HOUR,
    })
    const notes = card?.notes.join('\n')
    expect(notes).toContain('never sees the key')
    expect(notes).toContain('oauth3 grant limit')
    expect(notes).toContain('No key of this provider is stored yet')
    expect(card?.choices.map((row) => row.map(({ label }) => label))).toEqual([
      ['⏱ 1 hour', '⏱ 24 hours'],
      ['♾ Always', '❌ Deny'],
      ['⏱ 24 h, ≤ $1 a day', '♾ Always, ≤ $1 a day'],
      ['⏱ 24 h, ≤ 200k tokens', '♾ Always, ≤ 200k a day'],
      ['⏱ 24 h, ≤ 100 requests', '♾ 100 requests in all'],
      ['Only gpt-5: 1 h', 'Only it: 24 h', 'Only it: always'],
    ])
    expect(await world.access.card('ask_x')).toBeUndefined()
  })

  it('says which limits come with it, what they count, and which grants stay as they are', async () => {
    await grant({ models: ['o3'], limits: { ...NO_LIMITS, tokensPerDay: 1_000, requestsPerMinute: 9 } })
    await grant({ models: ['o4'], limits: { ...NO_LIMITS, requestsPerMinute: 5 } })
    await grant({ groups: ['inference', 'files'], models: ['o5'] })
    const { id } = await world.access.ask(use())
    const notes = (await world.access.card(id))?.notes ?? []
    expect(notes).toContain(
      'It comes with the lowest limits that stand there: 5 requests a minute, 1,000 tokens a day. They count all that the agent uses of openai. Others: oauth3 grant limit',
    )
    expect(notes).toContain(
      'It has this already, until a grant of all models takes its place: inference, o4, 5 requests a minute',
    )
    expect(notes).toContain('It has this already, and keeps it as it is: inference files, o5')
    await decideOn(id, answer())
    expect(world.access.grants().map(({ models, limits }) => [models, limits])).toEqual([
      [['o5'], NO_LIMITS],
      [null, { ...NO_LIMITS, tokensPerDay: 1_000, requestsPerMinute: 5 }],
    ])
  })

  it('says that a provider may be inside the network, and asks for no key where none is taken', async () => {
    const notes = (
      await world.access.card((await world.access.ask(use({ provider: 'inside' }))).id)
    )?.notes.join('\n')
    expect(notes).toContain('inside the private network')
    expect(notes).not.toContain('No key')
  })

  it('shows what hides in the texts of the request', async () => {
    const card = await world.access.card(
      (await world.access.ask(use({ model: 'gpt\u202e-5\nAgent: x', path: '/\u200bchat' }))).id,
    )
    expect(card?.model).toBe('gpt⟨U+202E⟩-5 Agent: x')
    expect(card?.path).toBe('/⟨U+200B⟩chat')
    expect(card?.choices.flat().filter(({ scope }) => scope === 'model')).toEqual([])
  })
})
