import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../../test/support/tenants.ts'
import type { ProviderAccessStore, ProviderAsk, ProviderGrant } from './ports.ts'
import { createProviderAccessStore } from './provider-access-store.ts'

const grantFor = (own: Tenant): Omit<ProviderGrant, 'id'> => ({
  agentId: idOf(own, 'agt_1'),
  provider: 'openai',
  groups: ['inference', 'models'],
  models: ['gpt-5*', 'o3'],
  paths: ['/chat'],
  limits: {
    requestsPerMinute: 60,
    tokensPerDay: null,
    microUsdPerDay: Number.MAX_SAFE_INTEGER,
    requests: null,
  },
  requestsUsed: 0,
  grantedBy: 'cli:0',
  grantedAt: 5,
  expiresAt: 9,
  endedAt: null,
  endedWhy: null,
})
const askFor = (own: Tenant, change: Partial<ProviderAsk> = {}): ProviderAsk => ({
  id: `ask_1_${own.id}`,
  agentId: idOf(own, 'agt_1'),
  provider: 'openai',
  model: null,
  group: 'inference',
  path: '/chat',
  status: 'pending',
  createdAt: 5,
  expiresAt: 9,
  decidedAt: null,
  decidedBy: null,
  decidedByName: null,
  ...{ remindedAt: null, againOf: null, supersededBy: null },
  ...change,
})
const DENIED = { status: 'denied', decidedAt: 7, decidedBy: 'telegram:1', decidedByName: 'Ann 👩‍🚀' } as const

const inStore = <T>(own: Tenant, work: (store: ProviderAccessStore) => Promise<T>): Promise<T> =>
  own.write((tx) => work(tx.providerAccess))

storeContract('the store of grants for providers', { providerAccess: createProviderAccessStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('gives back a grant as it was put and changed, until it is ended', async () => {
    const own = await tenant()
    const grant = grantFor(own)
    const stored = await inStore(own, (store) => store.insertGrant(grant))
    expect(stored).toEqual({ ...grant, id: expect.any(Number) })
    expect(await own.read((tx) => tx.providerAccess.activeGrants())).toEqual([stored])
    const change: Parameters<ProviderAccessStore['setGrant']>[1] = {
      groups: ['files'],
      models: null,
      paths: null,
      limits: { requestsPerMinute: null, tokensPerDay: 1, microUsdPerDay: null, requests: 5 },
    }
    await inStore(own, (store) => store.setGrant(stored.id, change))
    expect(await own.read((tx) => tx.providerAccess.activeGrants())).toEqual([{ ...stored, ...change }])
    await inStore(own, (store) => store.endGrant(stored.id, 8, 'expired'))
    await inStore(own, (store) => store.endGrant(stored.id, 9, 'revoked'))
    await inStore(own, (store) => store.setGrant(stored.id, { ...change, groups: ['other'] }))
    expect(await own.read((tx) => tx.providerAccess.activeGrants())).toEqual([])
    expect(
      await own.rows('SELECT groups, ended_at, ended_why FROM provider_grants WHERE tenant_id = ?'),
    ).toEqual([{ groups: '["files"]', ended_at: 8, ended_why: 'expired' }])
  })

  it('counts the requests of a grant that has a number of them, and gives the last of them once', async () => {
    const own = await tenant()
    const counted = { ...grantFor(own), limits: { ...grantFor(own).limits, requests: 3 } }
    const { id } = await inStore(own, (store) => store.insertGrant(counted))
    const { id: uncounted } = await inStore(own, (store) => store.insertGrant(grantFor(own)))
    const take = (of: number) => inStore(own, (store) => store.takeRequest(of))
    const taken = await Promise.all([1, 2, 3, 4, 5].map(() => take(id)))
    expect(taken.filter(Boolean)).toHaveLength(3)
    expect(await take(uncounted)).toBe(false)
    const standing = await own.read((tx) => tx.providerAccess.activeGrants())
    expect(standing.map(({ requestsUsed }) => requestsUsed)).toEqual([3, 0])
    await inStore(own, (store) =>
      store.setGrant(id, { ...counted, limits: { ...counted.limits, requests: 9 } }),
    )
    expect(await take(id)).toBe(true)
    await inStore(own, (store) => store.endGrant(id, 8, 'used'))
    expect(await take(id)).toBe(false)
  })

  it('gives no id twice, also when rows are gone, and tells grants in their order', async () => {
    const own = await tenant()
    const grant = grantFor(own)
    const first = await inStore(own, (store) => store.insertGrant(grant))
    await own.rows('DELETE FROM provider_grants WHERE tenant_id = ?')
    const later = [
      await inStore(own, (store) => store.insertGrant(grant)),
      await inStore(own, (store) => store.insertGrant({ ...grant, provider: 'a' })),
    ]
    expect(later[0]?.id).toBeGreaterThan(first.id)
    expect(await own.read((tx) => tx.providerAccess.activeGrants())).toEqual(later)
  })

  it('takes no grant for an agent that is none, nor for one of another tenant', async () => {
    const [own, other] = [await tenant(), await tenant()]
    for (const agentId of ['agt_none' as never, idOf(other, 'agt_1')]) {
      await expect(
        inStore(own, (store) => store.insertGrant({ ...grantFor(own), agentId })),
      ).rejects.toThrow()
      await expect(inStore(own, (store) => store.insertAsk(askFor(own, { agentId })))).rejects.toThrow()
    }
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const [one, other] = [await tenant(), await tenant()]
    const theirs = await inStore(other, (store) => store.insertGrant(grantFor(other)))
    expect(await one.read((tx) => tx.providerAccess.activeGrants())).toEqual([])
    await inStore(one, (store) => store.setGrant(theirs.id, { ...theirs, groups: ['organization'] }))
    await inStore(one, (store) => store.endGrant(theirs.id, 1, 'revoked'))
    expect(await other.read((tx) => tx.providerAccess.activeGrants())).toEqual([theirs])
  })
})

storeContract('the store of asks for providers', { providerAccess: createProviderAccessStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('settles an ask once', async () => {
    const own = await tenant()
    const ask = askFor(own)
    const duplicateOf = (change: Partial<ProviderAsk> = {}) =>
      own.read((tx) => tx.providerAccess.pendingDuplicate({ ...ask, ...change }))
    await inStore(own, (store) => store.insertAsk(ask))
    expect(await duplicateOf()).toEqual(ask)
    for (const change of [
      { model: 'gpt-5' },
      { group: 'files' },
      { provider: 'x' },
      { agentId: idOf(own, 'agt_2') },
    ] as const)
      expect(await duplicateOf(change)).toBeUndefined()
    await inStore(own, (store) => store.settleAsk({ ...ask, ...DENIED }))
    await inStore(own, (store) => store.settleAsk({ ...ask, ...DENIED, status: 'approved' }))
    expect(await own.read((tx) => tx.providerAccess.askById(ask.id))).toEqual({ ...ask, ...DENIED })
    expect(await duplicateOf()).toBeUndefined()
    expect(await own.read((tx) => tx.providerAccess.pendingAsks(null, 10))).toEqual([])
  })

  it('knows the newest denial of each agent and provider since a time', async () => {
    const own = await tenant()
    const [agt1, agt2] = [idOf(own, 'agt_1'), idOf(own, 'agt_2')]
    const asks: Partial<ProviderAsk>[] = [
      { ...DENIED, decidedAt: 7 },
      { ...DENIED, decidedAt: 9 },
      { ...DENIED, decidedAt: 8 },
      { ...DENIED, provider: 'a', decidedAt: 8 },
      { ...DENIED, agentId: agt2, decidedAt: 6 },
      { ...DENIED, provider: 'b', status: 'approved', decidedAt: 9 },
      { provider: 'c' },
    ]
    for (const [index, ask] of asks.entries())
      await inStore(own, (store) => store.insertAsk(askFor(own, { ...ask, id: `ask_${index}_${own.id}` })))
    const denials = async (since: number) =>
      (await own.read((tx) => tx.providerAccess.denials(since))).toSorted((a, b) =>
        `${a.agentId}${a.provider}` < `${b.agentId}${b.provider}` ? -1 : 1,
      )
    const of1 = [
      { agentId: agt1, provider: 'a', at: 8 },
      { agentId: agt1, provider: 'openai', at: 9 },
    ]
    expect(await denials(0)).toEqual([...of1, { agentId: agt2, provider: 'openai', at: 6 }])
    expect(await denials(8)).toEqual(of1)
    expect(await denials(9)).toEqual(of1.slice(1))
    expect(await denials(10)).toEqual([])
  })

  it('is settled whatever the person is called, and takes no model that no engine keeps', async () => {
    const own = await tenant()
    const ask = askFor(own)
    const unkept = { ...ask, model: 'gpt\ud800' }
    await expect(inStore(own, (store) => store.insertAsk(unkept))).rejects.toMatchObject({
      code: 'invalid_request',
    })
    await inStore(own, (store) => store.insertAsk(ask))
    await inStore(own, (store) => store.settleAsk({ ...ask, ...DENIED, decidedByName: 'Ann\0\ud800' }))
    expect(await own.read((tx) => tx.providerAccess.askById(ask.id))).toMatchObject({
      decidedByName: 'Ann\ufffd\ufffd',
    })
  })

  it('takes no second ask for what is asked already, of two units at once too', async () => {
    const own = await tenant()
    const asks = [askFor(own, { id: `ask_a_${own.id}` }), askFor(own, { id: `ask_b_${own.id}` })]
    const done = await Promise.allSettled(asks.map((ask) => inStore(own, (store) => store.insertAsk(ask))))
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await own.read((tx) => tx.providerAccess.pendingAsks(null, 10))).toHaveLength(1)
    await inStore(own, (store) => store.insertAsk(askFor(own, { id: `ask_c_${own.id}`, model: 'gpt-5' })))
    await inStore(own, (store) => store.insertAsk(askFor(own, { id: `ask_d_${own.id}`, group: 'files' })))
  })

  it('tells asks in the order of their time, then of their ids, and no more than were asked for', async () => {
    const own = await tenant()
    const asks = [
      askFor(own, { id: `ask_B_${own.id}`, model: 'a', createdAt: 4 }),
      askFor(own, { id: `ask_a_${own.id}`, model: 'b', createdAt: 4 }),
      askFor(own, { id: `ask_A_${own.id}`, model: 'c', createdAt: 5 }),
    ]
    for (const ask of asks.toReversed()) await inStore(own, (store) => store.insertAsk(ask))
    expect(await own.read((tx) => tx.providerAccess.pendingAsks(null, 10))).toEqual(asks)
    expect(await own.read((tx) => tx.providerAccess.pendingAsks(null, 2))).toEqual(asks.slice(0, 2))
  })

  it('tells of settled asks the newest first, of one agent too, and nothing that waits', async () => {
    const own = await tenant()
    const asks = [
      askFor(own, { id: `ask_a_${own.id}`, ...DENIED, decidedAt: 7 }),
      askFor(own, { id: `ask_b_${own.id}`, ...DENIED, status: 'approved', decidedAt: 9 }),
      askFor(own, { id: `ask_c_${own.id}`, ...DENIED, decidedAt: 8, agentId: idOf(own, 'agt_2') }),
      askFor(own, { id: `ask_d_${own.id}` }),
    ]
    for (const ask of asks) await inStore(own, (store) => store.insertAsk(ask))
    const [first, second, third] = asks
    const settled = (agent: string | null, limit: number) =>
      own.read((tx) => tx.providerAccess.settledAsks(agent === null ? null : idOf(own, agent), limit))
    expect(await settled(null, 10)).toEqual([second, third, first])
    expect(await settled(null, 2)).toEqual([second, third])
    expect(await settled('agt_1', 10)).toEqual([second, first])
  })

  it('finds two at most by the beginning of an id, and takes no character for a wildcard', async () => {
    const own = await tenant()
    const ids = ['ask_aa', 'ask_ab', 'ask_ac', 'ask_%b', 'ask_é'].map((id) => `${id}_${own.id}`)
    for (const [index, id] of ids.entries())
      await inStore(own, (store) => store.insertAsk(askFor(own, { id, model: String(index) })))
    const byPrefix = async (prefix: string) =>
      (await own.read((tx) => tx.providerAccess.asksByPrefix(prefix))).map(({ id }) => id)
    expect(await byPrefix('ask_a')).toEqual([ids[0], ids[1]])
    expect(await byPrefix('ask_ac')).toEqual([ids[2]])
    expect(await byPrefix('ask_%')).toEqual([ids[3]])
    expect(await byPrefix('ask_é')).toEqual([ids[4]])
    for (const none of ['ASK_aa', 'ask-aa', '%', 'ask_aaa', 'ask_aa%'])
      expect(await byPrefix(none)).toEqual([])
  })

  it('counts of an agent what is pending and not over', async () => {
    const own = await tenant()
    const asks = [{}, { model: 'a', expiresAt: 5 }, { model: 'b', expiresAt: 6 }, { model: 'c', ...DENIED }]
    for (const [index, change] of asks.entries())
      await inStore(own, (store) => store.insertAsk(askFor(own, { ...change, id: `ask_${index}_${own.id}` })))
    expect(await own.read((tx) => tx.providerAccess.countPending(idOf(own, 'agt_1'), 5))).toBe(2)
    expect(await own.read((tx) => tx.providerAccess.countPending(idOf(own, 'agt_2'), 5))).toBe(0)
  })

  it('shows a tenant nothing of another, and settles nothing of it', async () => {
    const [one, other] = [await tenant(), await tenant()]
    const theirs = askFor(other)
    await inStore(other, (store) => store.insertAsk(theirs))
    const found = await one.read(async ({ providerAccess }) => [
      await providerAccess.askById(theirs.id),
      await providerAccess.pendingDuplicate(theirs),
      ...(await providerAccess.asksByPrefix('ask_')),
      ...(await providerAccess.pendingAsks(null, 9)),
      ...(await providerAccess.settledAsks(null, 9)),
      (await providerAccess.countPending(theirs.agentId, 0)) || undefined,
    ])
    expect(found).toEqual([undefined, undefined, undefined])
    await inStore(one, (store) => store.settleAsk({ ...theirs, ...DENIED }))
    expect(await other.read((tx) => tx.providerAccess.askById(theirs.id))).toEqual(theirs)
    await inStore(other, (store) => store.settleAsk({ ...theirs, ...DENIED }))
    expect(await one.read((tx) => tx.providerAccess.denials(0))).toEqual([])
  })
})

storeContract(
  'what is asked of grants and asks for providers',
  { providerAccess: createProviderAccessStore },
  (kit) => {
    const tenant = tenantsOf(kit)

    it('is found through an index', async () => {
      const own = await tenant()
      const agentId = idOf(own, 'agt_1')
      const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)'
      for (const of of [own, await tenant()]) {
        await of.rows(`${numbers} INSERT INTO provider_asks (tenant_id, id, agent_id, provider, model, endpoint_group, path, status,
            created_at, expires_at, decided_at)
          SELECT ?, 'ask_' || i || '_${of.id}', '${idOf(of, 'agt_1')}', 'p' || (i % 9), 'm' || i, 'inference', '/',
            CASE WHEN i % 300 = 0 THEN 'pending' ELSE 'denied' END, i, 9, i FROM n`)
        await of.rows(`${numbers} INSERT INTO provider_grants (tenant_id, agent_id, provider, groups, granted_by, granted_at, ended_at)
          SELECT ?, '${idOf(of, 'agt_1')}', 'openai', '[]', 'cli:0', 1, CASE WHEN i % 300 = 0 THEN NULL ELSE i END FROM n`)
      }
      if (kit.engine === 'postgres') await kit.sql('ANALYZE')
      const questions: readonly [string, (store: ProviderAccessStore) => Promise<unknown>, used?: string][] =
        [
          ['by id', (store) => store.askById('ask_5')],
          ['by the beginning of an id', (store) => store.asksByPrefix('ask_77')],
          ['the duplicate', (store) => store.pendingDuplicate(askFor(own)), 'provider_asks_waiting_twin'],
          ['how many wait', (store) => store.countPending(agentId, 5), 'provider_asks_waiting_twin'],
          ['what waits', (store) => store.pendingAsks(null, 9), 'provider_asks_waiting_twin'],
          ['what is settled', (store) => store.settledAsks(null, 9), 'provider_asks_settled'],
          ['denials', (store) => store.denials(2_990), 'provider_asks_settled'],
          ['active grants', (store) => store.activeGrants(), 'provider_grants_standing'],
          ['the end of a grant', (store) => store.endGrant(7, 9, 'revoked')],
        ]
      // What waits and what is active is little, and has an index of its own.
      const few = ['provider_asks_waiting_twin', 'provider_grants_standing']
      for (const [what, ask, used] of questions) {
        await kit.expectIndexed(what, (tx) => ask(tx.providerAccess), few, used === undefined ? [] : [used])
      }
    })
  },
)
