import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../test/support/tenants.ts'
import { createStoredContent } from './content.ts'
import { createContentStore } from './content-store.ts'
import { createRetentionStore } from './retention-store.ts'

const NOW = 1_700_000_000_000
const DAY_MS = 24 * 3_600_000
const stores = { contents: createContentStore, retention: createRetentionStore }

storeContract('a full agent, of whose rows none can go', stores, (kit) => {
  const tenant = tenantsOf(kit)
  const requestOf = (own: Tenant, n: number | string): string => `'req_' || ${n} || '_${own.id}'`

  /** Ended rows of one agent; a wake of each is on its way. */
  async function fill(own: Tenant, rows: number): Promise<void> {
    await own.rows(`INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id, consent,
        consent_hash, changes, expires_at, trusted, finished_at)
      SELECT ?, ${requestOf(own, 'n')}, 's', 'c', 'success', ${NOW - 9 * DAY_MS}, '${idOf(own, 'agt_1')}', '{}', 'x' || n, '[]', 9, 1,
        ${NOW - 8 * DAY_MS}
      FROM (${kit.numbers(rows)}) AS numbers`)
    await own.rows(`INSERT INTO wakes (tenant_id, request_id, agent_id, next_at, created_at)
      SELECT tenant_id, request_id, agent_id, 9, 9 FROM executions WHERE tenant_id = ?`)
  }

  /** What one more request costs that is refused; what it dropped on its way is kept. */
  function requests(own: Tenant): () => Promise<void> {
    const content = createStoredContent({
      clock: { now: () => NOW },
      maxBytesPerAgent: 10_000,
      retainCodeMs: 0,
      events: { publish: async () => {} },
    })
    return () =>
      own.write((tx) =>
        expect(content.reserve(tx, idOf(own, 'agt_1'), [], 9)).rejects.toMatchObject({
          code: 'rate_limited',
        }),
      )
  }

  it('costs the same for each refused request, however many rows it has', async () => {
    const [few, many] = [await tenant(), await tenant()]
    await fill(few, 2_000)
    await fill(many, 20_000)
    const cost = await kit.countStatements(requests(many))
    expect(cost).toBe(await kit.countStatements(requests(few)))
    expect(cost).toBeGreaterThan(0)
  })

  it('finds the row that can go, in as many requests as it takes', async () => {
    const own = await tenant()
    await fill(own, 3_000)
    await own.rows(`DELETE FROM wakes WHERE tenant_id = ? AND request_id = ${requestOf(own, 2_500)}`)
    const request = requests(own)
    for (let asked = 0; asked < 20; asked += 1) await request()
    expect(
      await own.rows(
        `SELECT count(*) AS left_there FROM executions WHERE tenant_id = ? AND request_id = ${requestOf(own, 2_500)}`,
      ),
    ).toEqual([{ left_there: 0 }])
  })
})
