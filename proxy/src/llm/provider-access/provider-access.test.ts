import { describe, expect, it } from 'vitest'
import { addAgent, createDomainKit } from '../../../test/support/domain-kit.ts'
import {
  answer,
  HOUR,
  MINUTE,
  NO_LIMITS,
  OWNER,
  refusedWith,
  START,
  useProviderAccess,
} from '../../../test/support/provider-access-kit.ts'
import { inDatabase } from '../../../test/support/stored.ts'
import type { Agent } from '../../identity/agents/index.ts'
import { agentRequester } from '../../identity/index.ts'

const world = useProviderAccess()
const { verdict, grant, use, clock, events, restart, decide, pending, decideOn } = world

describe('what a grant covers', () => {
  it('covers its agent and provider, and no other', async () => {
    expect(verdict()).toBe('ask')
    await grant()
    expect(verdict()).toBe('granted')
    expect(verdict({ model: null })).toBe('granted')
    expect(verdict({ provider: 'other' })).toBe('ask')
    expect(verdict({ agentId: (await addAgent(world.kit, 'second')).id })).toBe('ask')
  })

  it('lets several grants stand beside each other, and takes the widest that covers the use', async () => {
    const first = await grant({ models: ['a'], limits: { ...NO_LIMITS, requestsPerMinute: 5 } })
    const second = await grant({ models: ['b*'] })
    expect(world.access.evaluate(use({ model: 'a' }))).toEqual({ verdict: 'granted', grant: first })
    expect(world.access.evaluate(use({ model: 'b-1' }))).toEqual({ verdict: 'granted', grant: second })
    expect(verdict({ model: 'c' })).toBe('ask')
    const partly = await grant({ models: ['a', 'c'], paths: ['/audio'] })
    expect(world.access.evaluate(use({ model: 'a', path: '/audio/speech' }))).toMatchObject({
      grant: { id: first.id },
    })
    expect(world.access.evaluate(use({ model: 'c', path: '/audio/speech' }))).toMatchObject({
      grant: { id: partly.id },
    })
  })

  it('lets a number of requests through and no more, however many come at once', async () => {
    const { id } = await grant({ limits: { ...NO_LIMITS, requests: 3 } })
    const taken = await Promise.all([1, 2, 3, 4, 5].map(() => world.access.takeRequest([id])))
    expect(taken).toEqual([true, true, true, false, false])
    expect(verdict()).toBe('ask')
    // What has taken one goes on, and its owner sees why it stands still.
    expect(world.access.evaluate(use(), [id])).toMatchObject({ grant: { id } })
    expect(world.access.grants()).toMatchObject([{ id, requestsUsed: 3 }])
    world.access.requestOver([id])
    world.access.requestOver([id])
    expect(world.access.grants()).toHaveLength(1)
    world.access.requestOver([id])
    expect(world.access.grants()).toEqual([])
    await world.access.tick()
    expect(await world.kit.storage.read((tx) => tx.providerAccess.activeGrants())).toEqual([])
    expect(await events()).toEqual(['provider.granted', 'provider.ended'])
  })

  it('remembers over a crash what went out, and ends what is used up', async () => {
    const { id } = await grant({ models: ['gpt-5'], limits: { ...NO_LIMITS, requests: 2 } })
    const { id: other } = await grant({ models: ['o3'], limits: { ...NO_LIMITS, requests: 1 } })
    await world.access.takeRequest([id])
    await world.access.takeRequest([other])
    await restart()
    expect(world.access.grants()).toMatchObject([{ id, requestsUsed: 1 }])
    expect(verdict({ model: 'o3' })).toBe('ask')
    expect(await world.access.takeRequest([id])).toBe(true)
    expect(await world.access.takeRequest([id])).toBe(false)
  })

  it('takes none of several grants where one has none left, and a revoked one gives none', async () => {
    const { id } = await grant({ models: ['gpt-5'], limits: { ...NO_LIMITS, requests: 2 } })
    const { id: other } = await grant({ models: ['o3'], limits: { ...NO_LIMITS, requests: 1 } })
    expect(await world.access.takeRequest([id, other])).toBe(true)
    expect(await world.access.takeRequest([id, other])).toBe(false)
    expect(world.access.grants()).toMatchObject([{ requestsUsed: 1 }, { requestsUsed: 1 }])
    await world.access.revoke(id, 'cli:0')
    expect(await world.access.takeRequest([id])).toBe(false)
    // Whoever is under way under it loses it, used up or not.
    expect(world.access.evaluate(use(), [id])).toEqual({ verdict: 'ask' })
    expect(world.access.evaluate(use({ model: 'o3' }), [other])).toMatchObject({ verdict: 'granted' })
  })

  it('takes none of a number while another grant covers the use as well, and follows a change of it', async () => {
    const counted = await grant({ models: ['gpt*'], limits: { ...NO_LIMITS, requests: 1 } })
    const free = await grant({ models: ['gpt-5'] })
    expect(world.access.evaluate(use())).toMatchObject({ grant: { id: free.id } })
    await world.access.takeRequest([counted.id])
    await world.access.limit(counted.id, { limits: { requests: 5 } }, 'cli:0')
    world.access.requestOver([counted.id])
    expect(world.access.grants()).toMatchObject([{ id: counted.id, requestsUsed: 1 }, { id: free.id }])
    expect(verdict({ model: 'gpt-4' })).toBe('granted')
    const card = await world.access.card((await world.access.ask(use({ model: 'o3' }))).id)
    expect(card?.notes.join(' ')).toContain('gpt*, 4 of 5 requests left')
  })

  it('replaces what the later grant covers, and leaves the rest', async () => {
    const narrow = await grant({ models: ['gpt-5'] })
    const other = await grant({ models: ['o3'] })
    const wider = await grant({ models: ['gpt*'] })
    expect(world.access.grants().map(({ id }) => id)).toEqual([other.id, wider.id])
    expect(
      inDatabase(world.dir, (db) =>
        db.prepare('SELECT ended_why FROM provider_grants WHERE id = ?').pluck().get(narrow.id),
      ),
    ).toBe('replaced')
    await grant()
    expect(world.access.grants()).toHaveLength(1)
  })

  it('goes on while the disk is low, when nobody is asked anything new', async () => {
    await grant()
    world.isFull = true
    await expect(world.access.ask(use({ provider: 'other' }))).rejects.toThrow(
      refusedWith('storage_unavailable'),
    )
    expect(world.told).toEqual([])
    expect(verdict()).toBe('granted')
  })

  it('evaluates without the disk', async () => {
    await grant()
    verdict()
    verdict({ provider: 'other' })
    await world.kit[Symbol.asyncDispose]()
    expect(verdict()).toBe('granted')
    expect(verdict({ provider: 'other' })).toBe('ask')
    world.kit = await createDomainKit({ dir: world.dir, clock, maxWaitingPerAgent: 3 })
  })

  it('follows a change of models, paths and limits at once', async () => {
    const { id } = await grant()
    await world.access.limit(id, { models: ['o3'], limits: { tokensPerDay: 1_000 } }, 'cli:0')
    expect(verdict()).toBe('ask')
    expect(world.access.evaluate(use({ model: 'o3' }))).toMatchObject({
      grant: { limits: { tokensPerDay: 1_000 } },
    })
    await world.access.limit(
      id,
      { models: null, paths: ['/chat'], limits: { requestsPerMinute: 3 } },
      'cli:0',
    )
    expect(verdict()).toBe('granted')
    expect(verdict({ path: '/files' })).toBe('ask')
    expect(world.access.grants()[0]?.limits).toEqual({
      ...NO_LIMITS,
      tokensPerDay: 1_000,
      requestsPerMinute: 3,
    })
    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(world.access.limit(id, { limits: { tokensPerDay: bad } }, 'cli:0')).rejects.toThrow(
        refusedWith('invalid_request'),
      )
    }
    await expect(world.access.limit(id + 1, {}, 'cli:0')).rejects.toThrow(refusedWith('not_found'))
  })

  it('is given to an agent and provider that there are, for a time that there is', async () => {
    await expect(grant({ provider: 'toString' })).rejects.toThrow(refusedWith('not_found'))
    await expect(grant({ agentId: 'agt_0000000000000000' as Agent['id'] })).rejects.toThrow(
      refusedWith('not_found'),
    )
    for (const forMs of [0, -1, Number.NaN, 1e15]) {
      await expect(grant({ forMs })).rejects.toThrow(refusedWith('invalid_request'))
    }
    await world.kit.agents.revoke(world.agent.name, 'cli:0')
    await expect(grant()).rejects.toThrow(refusedWith('not_found'))
  })
})

describe('how long a grant stands', () => {
  it('ends sharp, and says so in the audit', async () => {
    await grant({ forMs: HOUR })
    world.now = START + HOUR - 1
    expect(verdict()).toBe('granted')
    world.now = START + HOUR
    expect(verdict()).toBe('ask')
    expect(world.access.grants()).toEqual([])
    // Written beside that.
    await world.access.tick()
    expect(await events()).toEqual(['provider.granted', 'provider.ended'])
  })

  it('is over for good where its end cannot be written, whatever the clock says, until it is written', async () => {
    const { id } = await grant({ forMs: HOUR })
    const { revision } = world.access
    inDatabase(world.dir, (db) =>
      db.exec("CREATE TRIGGER full BEFORE UPDATE ON provider_grants BEGIN SELECT RAISE(ABORT, 'full'); END"),
    )
    world.now = START + HOUR
    // Whoever keeps what it stands for hears of its end before anybody asks.
    expect(world.access.revision).toBeGreaterThan(revision)
    expect(verdict()).toBe('ask')
    await expect(world.access.tick()).rejects.toThrow()
    world.now = START + 1
    expect([verdict(), world.access.grants()]).toEqual(['ask', []])
    inDatabase(world.dir, (db) => db.exec('DROP TRIGGER full'))
    await world.access.tick()
    expect(await events()).toEqual(['provider.granted', 'provider.ended'])
    await expect(world.access.revoke(id, OWNER)).rejects.toThrow(refusedWith('not_found'))
  })

  it('is found over inside a unit of work as well, which goes on', async () => {
    await grant({ forMs: HOUR })
    world.now = START + HOUR
    const seen = await world.kit.storage.transaction(async (tx) => {
      const before = verdict()
      await world.kit.audit.append(tx, 'agent.added', 'cli:0', null, {})
      return before
    })
    expect(seen).toBe('ask')
    await world.access.tick()
    expect(await events()).toEqual(['provider.granted', 'provider.ended'])
  })

  it('stays ended when the clock is set back, whoever noticed the end first', async () => {
    const { id } = await grant({ forMs: HOUR })
    world.now = START + HOUR
    await world.access.tick()
    world.now = START + 1
    expect(verdict()).toBe('ask')
    await restart()
    expect(verdict()).toBe('ask')
    await expect(world.access.revoke(id, OWNER)).rejects.toThrow(refusedWith('not_found'))
  })

  it('is not stretched by a clock that is set back before its end, nor by a restart', async () => {
    await grant({ forMs: HOUR })
    world.now = START + 50 * MINUTE
    await world.access.tick()
    world.now = START + MINUTE
    expect(verdict()).toBe('ask')
    await restart()
    expect(verdict()).toBe('ask')
    world.now = START + 48 * MINUTE
    expect(verdict()).toBe('granted')
  })

  it('stands without an end, over clocks and restarts', async () => {
    await grant()
    for (const at of [START + 1_000 * HOUR, START - HOUR]) {
      world.now = at
      await world.access.tick()
      await restart()
      expect(verdict()).toBe('granted')
    }
  })

  it('can be given again after the clock ran far ahead and was put right', async () => {
    world.now = START + 1_000 * HOUR
    await world.access.tick()
    world.now = START
    await decide({ decision: '1h' })
    expect(verdict()).toBe('granted')
  })

  it('ends at once when it is revoked, and when its agent is', async () => {
    const { id } = await grant()
    await world.access.revoke(id, OWNER)
    expect(verdict()).toBe('ask')
    await expect(world.access.revoke(id, OWNER)).rejects.toThrow(refusedWith('not_found'))
    await grant()
    const ask = await world.access.ask(use({ provider: 'other' }))
    await world.kit.storage.transaction(async (tx) => {
      await world.approvals.requesterRevoked(tx, agentRequester(world.agent.id), {
        actor: 'cli:0',
        name: null,
      })
      await world.access.agentRevoked(tx, world.agent.id, 'cli:0')
    })
    expect(verdict()).toBe('ask')
    expect(await world.access.find(ask.id)).toMatchObject({ status: 'cancelled', decidedBy: 'cli:0' })
    expect((await events()).filter((event) => event === 'provider.revoked')).toHaveLength(2)
  })
})

describe('a provider that is removed', () => {
  it('takes its grants and asks along, of every agent, and leaves those of others', async () => {
    const second = await addAgent(world.kit, 'second')
    const lost = [await grant(), await grant({ agentId: second.id })]
    const kept = await grant({ provider: 'other' })
    const asked = [
      await world.access.ask(use({ provider: 'inside' })),
      await world.access.ask(use({ provider: 'inside', model: null })),
    ]
    const elsewhere = await world.access.ask(use({ agentId: second.id, provider: 'other' }))
    const waiting = world.access.wait(asked[0]?.id as string, HOUR, new AbortController().signal)
    await world.kit.storage.transaction((tx) => world.access.providerRemoved(tx, 'openai', 'cli:0'))
    expect(world.access.grants().map(({ id }) => id)).toEqual([kept.id])
    expect([verdict(), verdict({ agentId: second.id }), verdict({ provider: 'other' })]).toEqual([
      'ask',
      'ask',
      'granted',
    ])
    expect((await events()).filter((event) => event === 'provider.revoked')).toHaveLength(lost.length)
    await world.kit.storage.transaction((tx) => world.access.providerRemoved(tx, 'inside', 'cli:0'))
    expect(await waiting).toMatchObject({ status: 'cancelled', decidedBy: 'cli:0' })
    expect((await pending()).map(({ id }) => id)).toEqual([elsewhere.id])
    for (const { id } of asked) {
      await expect(decideOn(id, answer())).rejects.toThrow(refusedWith('refused'))
    }
    expect(verdict({ provider: 'inside' })).toBe('ask')
    expect((await events()).filter((event) => event === 'provider.expired')).toHaveLength(asked.length)
  })
})

describe('a unit of work that is undone', () => {
  /** The disk takes no row of the audit, the last that each of them writes. */
  const undone = async (work: () => Promise<unknown>): Promise<void> => {
    inDatabase(world.dir, (db) =>
      db.exec("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'undone'); END"),
    )
    await expect(work()).rejects.toThrow()
    inDatabase(world.dir, (db) => db.exec('DROP TRIGGER full'))
  }

  it('leaves no grant, denial, change or revocation behind', async () => {
    const { revision } = world.access
    await undone(() => grant())
    expect(verdict()).toBe('ask')

    const { id: asked } = await world.access.ask(use())
    await undone(() => decideOn(asked, answer({ decision: 'deny' })))
    expect(verdict()).toBe('ask')
    await undone(() => decideOn(asked, answer()))
    expect(verdict()).toBe('ask')
    expect(world.access.revision).toBe(revision)
    expect((await pending()).map(({ id }) => id)).toEqual([asked])

    const { id } = await grant({ provider: 'other' })
    await undone(() => world.access.revoke(id, OWNER))
    await undone(() => world.access.limit(id, { models: ['none'] }, OWNER))
    expect(verdict({ provider: 'other' })).toBe('granted')
  })

  it('wakes nobody who waits', async () => {
    const { id } = await world.access.ask(use())
    const waiting = world.access.wait(id, 60_000, new AbortController().signal)
    await undone(() => decideOn(id, answer()))
    await decideOn(id, answer({ decision: 'deny' }))
    expect((await waiting).status).toBe('denied')
  })
})

it('tells the audit and the owner of a limit that was passed', async () => {
  const passed = await grant()
  await world.access.limitPassed(passed, 'tokens_per_day')
  expect(world.told).toEqual([`limit ${passed.id} tokens_per_day`])
  expect(await events()).toEqual(['provider.granted', 'provider.limit_passed'])
})
