import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { sampleAgent } from '../../../test/support/store-samples.ts'
import type { AgentId } from '../../kernel/index.ts'
import { createAgentStore } from './agent-store.ts'
import type { Agent } from './agents.ts'

storeContract('the store of agents', { agents: createAgentStore }, (kit) => {
  const add = (...agents: Agent[]): Promise<void> =>
    kit.mine.transaction(async (tx) => {
      for (const agent of agents) await tx.agents.insert(agent)
    })
  const byId = (id: AgentId) => kit.mine.read((tx) => tx.agents.byId(id))
  const previous = { sha256: `old-${'a'.repeat(60)}`, since: 1, until: Number.MAX_SAFE_INTEGER }
  const wake = { kind: 'webhook', target: 'https://x.example/é', sessionKey: null, sealedToken: 's' } as const

  it('gives back every field, by id, name, present token and the one before', async () => {
    const full = sampleAgent({ previous, cidrs: ['10.0.0.0/8', '::1/128'], tags: ['a', 'b'], wake })
    const bare = sampleAgent()
    await add(full, bare)
    await kit.mine.read(async ({ agents }) => {
      expect(await agents.byId(full.id)).toEqual(full)
      expect(await agents.byId(bare.id)).toEqual(bare)
      expect(await agents.byName(full.name)).toEqual(full)
      expect(await agents.byTokenHash(full.tokenSha256)).toEqual(full)
      expect(await agents.byTokenHash(previous.sha256)).toEqual(full)
      for (const hash of ['', '1', 'null', `${full.tokenSha256}x`])
        expect(await agents.byTokenHash(hash)).toBeUndefined()
      expect(await agents.byName(full.name.toUpperCase())).toBeUndefined()
    })
  })

  it('finds by name the active one, or else the newest', async () => {
    const name = 'again'
    const first = sampleAgent({ name, createdAt: 1, revokedAt: 9 })
    const second = sampleAgent({ name, createdAt: 2, revokedAt: 5 })
    const active = sampleAgent({ name, createdAt: 1 })
    const found = () => kit.mine.read((tx) => tx.agents.byName(name))
    await add(first, second, sampleAgent({ name, createdAt: 0, revokedAt: 5 }))
    expect(await found()).toEqual(second)
    await add(active)
    expect(await found()).toEqual(active)
    await kit.mine.transaction((tx) => tx.agents.revoke(active.id, 7))
    expect(await found()).toEqual(second)
  })

  it('has one active agent of a name, whoever of two comes first', async () => {
    const two = [sampleAgent({ name: 'twin' }), sampleAgent({ name: 'twin' })]
    const outcomes = await Promise.allSettled(two.map((agent) => add(agent)))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await kit.mine.read((tx) => tx.agents.list())).toHaveLength(1)
  })

  it('lists all, the oldest first and equal ones by id', async () => {
    const ids = ['agt_b', 'agt_a', 'agt_B', 'agt_c'].map((id) => `${id}${kit.me}` as AgentId)
    await add(...ids.map((id, at) => sampleAgent({ id, createdAt: at === 3 ? 1 : 5 })))
    const listed = await kit.mine.read((tx) => tx.agents.list())
    expect(listed.map(({ id }) => id)).toEqual([ids[3], ids[2], ids[1], ids[0]])
  })

  it('changes a token, what it is woken by, and tags, of that agent alone', async () => {
    const [agent, other] = [sampleAgent({ previous }), sampleAgent({ tags: ['other'] })]
    await add(agent, other)
    const later = { ...previous, sha256: agent.tokenSha256 }
    const tokenSha256 = `new-${'b'.repeat(60)}`
    await kit.mine.transaction(async ({ agents }) => {
      await agents.setToken(agent.id, tokenSha256, later)
      await agents.setWake(agent.id, wake)
      await agents.setTags(agent.id, ['x'])
    })
    expect(await byId(agent.id)).toEqual({ ...agent, tokenSha256, previous: later, wake, tags: ['x'] })
    await kit.mine.transaction(async ({ agents }) => {
      await agents.setToken(agent.id, tokenSha256, null)
      await agents.setWake(agent.id, null)
      expect(await agents.byTokenHash(agent.tokenSha256)).toBeUndefined()
    })
    expect(await byId(agent.id)).toEqual({ ...agent, tokenSha256, previous: null, tags: ['x'] })
    expect(await byId(other.id)).toEqual(other)
  })

  it('finds nobody by what is stored of a token before and cannot be read, and finds the others', async () => {
    const [broken, sound] = [
      sampleAgent({ previous: { ...previous, sha256: 'x' } }),
      sampleAgent({ previous }),
    ]
    await add(broken, sound)
    await kit.sql(`UPDATE agents SET previous_token = 'no json' WHERE id = '${broken.id}'`)
    expect(await kit.mine.read((tx) => tx.agents.byTokenHash(previous.sha256))).toEqual(sound)
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const agent = sampleAgent({ previous })
    await kit.theirs.transaction((tx) => tx.agents.insert(agent))
    await kit.mine.transaction(async ({ agents }) => {
      expect(await agents.byId(agent.id)).toBeUndefined()
      expect(await agents.byName(agent.name)).toBeUndefined()
      expect(await agents.byTokenHash(agent.tokenSha256)).toBeUndefined()
      expect(await agents.byTokenHash(previous.sha256)).toBeUndefined()
      expect(await agents.list()).toEqual([])
      await agents.revoke(agent.id, 1)
      await agents.setToken(agent.id, 'x', null)
      await agents.setWake(agent.id, wake)
      await agents.setTags(agent.id, ['x'])
      // Names are each tenant's own.
      await agents.insert(sampleAgent({ name: agent.name }))
    })
    expect(await kit.theirs.read((tx) => tx.agents.list())).toEqual([agent])
  })

  it('finds agents through an index', async () => {
    for (const tenant of [kit.me, kit.them]) {
      await kit.sql(`INSERT INTO agents (tenant_id, id, name, token_sha256, cidrs, tags, created_at, previous_token)
        SELECT '${tenant}', 'agt_${tenant}' || n, 'name' || n, '${tenant}' || n, '[]', '[]', n,
          CASE WHEN n % 500 = 0 THEN '{"sha256":"x"}' END
        FROM (${kit.numbers(4_000)}) AS numbers`)
    }
    await kit.sql('ANALYZE')
    await kit.expectIndexed('by id', ({ agents }) => agents.byId('agt_1' as AgentId))
    // Those with a token before are few.
    await kit.expectIndexed('by token', ({ agents }) => agents.byTokenHash('h'), ['agents_of_previous_token'])
  })
})
