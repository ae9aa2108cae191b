import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { tenantsOf } from '../../../test/support/tenants.ts'
import type { AgentId } from '../../kernel/index.ts'
import type { Price, UsageRow } from './ports.ts'
import { createUsageStore } from './usage-store.ts'

const ROW: UsageRow = {
  ...{ day: '2030-01-02', agentId: 'agt_0000000000000001' as AgentId, provider: 'openai', model: 'gpt-4o' },
  ...{ keyId: 1, requests: 1, failed: 2, unreported: 3, inputTokens: 4, outputTokens: 5 },
  ...{ cacheReadTokens: 6, cacheWriteTokens: 7, microUsd: 8, unpriced: 9 },
  ...{ assumedTokens: 10, assumedMicroUsd: 11 },
}
const TWICE: UsageRow = {
  ...ROW,
  ...{ requests: 2, failed: 4, unreported: 6, inputTokens: 8, outputTokens: 10 },
  ...{ cacheReadTokens: 12, cacheWriteTokens: 14, microUsd: 16, unpriced: 18 },
  ...{ assumedTokens: 20, assumedMicroUsd: 22 },
}
const PRICE: Price = {
  provider: 'openai',
  model: 'gpt-*',
  input: 1,
  output: 2,
  cacheRead: null,
  cacheWrite: 3,
}

storeContract('the store of usage', { usage: createUsageStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('adds to what is there for the same day, agent, provider, model and key', async () => {
    const own = await tenant()
    await own.write((tx) => tx.usage.add([ROW, { ...ROW, keyId: 2 }, { ...ROW, day: '2030-01-01' }, ROW]))
    expect(await own.read((tx) => tx.usage.since('2030-01-02'))).toEqual([TWICE, { ...ROW, keyId: 2 }])
    expect(await own.read((tx) => tx.usage.since('2030-01-01'))).toHaveLength(3)
  })

  it('tells rows in the order of day, agent, provider, model and key, as bytes compare', async () => {
    const own = await tenant()
    const agents = ['agt_B', 'agt_a', 'agt_ä'] as AgentId[]
    const rows = [
      ...agents.map((agentId) => ({ ...ROW, agentId })),
      ...['B', 'a', 'é', '日', '𝄞'].map((model) => ({ ...ROW, day: '2030-01-03', model })),
      ...[2, 10].map((keyId) => ({ ...ROW, day: '2030-01-04', keyId })),
    ]
    await own.write((tx) => tx.usage.add(rows.toReversed()))
    expect(await own.read((tx) => tx.usage.since(''))).toEqual(rows)
  })

  it('adds all rows or none', async () => {
    const own = await tenant()
    const bad = { ...ROW, model: null as unknown as string }
    await expect(own.write((tx) => tx.usage.add([ROW, bad]))).rejects.toThrow()
    expect(await own.read((tx) => tx.usage.since(''))).toEqual([])
  })

  it('sums never past what a number holds exactly', async () => {
    const own = await tenant()
    const most = { ...ROW, inputTokens: Number.MAX_SAFE_INTEGER }
    for (let times = 0; times < 3; times += 1) await own.write((tx) => tx.usage.add([most]))
    expect(await own.read((tx) => tx.usage.since(''))).toMatchObject([
      { inputTokens: Number.MAX_SAFE_INTEGER, requests: 3 },
    ])
  })

  it('counts usage whatever a model is called', async () => {
    const own = await tenant()
    await own.write((tx) =>
      tx.usage.add([ROW, { ...ROW, model: 'a\0\ud800' }, { ...ROW, model: 'a\udfff\0' }]),
    )
    expect(await own.read((tx) => tx.usage.since(''))).toEqual([{ ...TWICE, model: 'a\ufffd\ufffd' }, ROW])
  })

  it('loses no sum of units that add at once', async () => {
    const own = await tenant()
    await Promise.all(Array.from({ length: 20 }, () => own.write((tx) => tx.usage.add([ROW]))))
    expect(await own.read((tx) => tx.usage.since(''))).toMatchObject([{ requests: 20, microUsd: 160 }])
  })

  it("keeps the owner's prices, the last one for each model", async () => {
    const own = await tenant()
    await own.write((tx) => tx.usage.setPrice({ ...PRICE, input: 9 }, 1))
    await own.write((tx) => tx.usage.setPrice(PRICE, 2))
    await own.write((tx) => tx.usage.setPrice({ ...PRICE, model: 'b' }, 2))
    expect(await own.read((tx) => tx.usage.prices())).toEqual([{ ...PRICE, model: 'b' }, PRICE])
    const parts = { ...PRICE, audioInput: 4, items: { image: 5 } }
    await own.write((tx) => tx.usage.setPrice(parts, 3))
    expect((await own.read((tx) => tx.usage.prices()))[1]).toEqual(parts)
    expect(await own.rows('SELECT set_at FROM prices WHERE tenant_id = ? ORDER BY model')).toEqual([
      { set_at: 2 },
      { set_at: 3 },
    ])
    await own.write((tx) => tx.usage.setPrice(PRICE, 4))
    await own.write((tx) => tx.usage.removePrice('openai', 'b'))
    await own.write((tx) => tx.usage.removePrice('openai', 'none'))
    expect(await own.read((tx) => tx.usage.prices())).toEqual([PRICE])
  })

  it('shows a tenant nothing of another, and adds to nothing of it', async () => {
    const [one, other] = [await tenant(), await tenant()]
    for (const own of [one, other]) {
      await own.write((tx) => tx.usage.add([ROW]))
      await own.write((tx) => tx.usage.setPrice(PRICE, 1))
    }
    await one.write((tx) => tx.usage.add([ROW]))
    await one.write((tx) => tx.usage.setPrice({ ...PRICE, input: 7 }, 2))
    expect(await one.read((tx) => tx.usage.since(''))).toEqual([TWICE])
    expect(await other.read((tx) => tx.usage.since(''))).toEqual([ROW])
    await one.write((tx) => tx.usage.removePrice('openai', 'gpt-*'))
    expect(await one.read((tx) => tx.usage.prices())).toEqual([])
    expect(await other.read((tx) => tx.usage.prices())).toEqual([PRICE])
  })
})
