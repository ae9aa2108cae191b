import { expect, it } from 'vitest'
import { insertApproval, insertCard, insertMessage, names } from '../../test/support/content-rows.ts'
import { storeContract } from '../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../test/support/tenants.ts'
import type { RetentionStore } from './ports.ts'
import { createRetentionStore } from './retention-store.ts'

const inStore = <T>(own: Tenant, work: (retention: RetentionStore) => Promise<T>): Promise<T> =>
  own.write((tx) => work(tx.retention))

storeContract('what is kept of the rest', { retention: createRetentionStore }, (kit) => {
  const tenant = tenantsOf(kit)
  const dropEnded = (own: Tenant, before: number, limit = 50) =>
    inStore(own, (retention) => retention.dropEnded(before, limit))
  const insertAsk = (own: Tenant, ask: string, status: string, decidedAt: number | null) =>
    own.rows(`INSERT INTO provider_asks (tenant_id, id, agent_id, provider, model, endpoint_group, path, status, created_at,
        expires_at, decided_at)
      VALUES (?, '${idOf(own, ask)}', '${idOf(own, 'agt_1')}', 'openai', '${ask}', 'inference', '/', '${status}', 1, 2,
        ${decidedAt ?? 'NULL'})`)
  const insertGrant = (own: Tenant, provider: string, endedAt: number | null) =>
    own.rows(`INSERT INTO provider_grants (tenant_id, agent_id, provider, groups, granted_by, granted_at, ended_at)
      VALUES (?, '${idOf(own, 'agt_1')}', '${provider}', '[]', 'cli:0', 1, ${endedAt ?? 'NULL'})`)
  const insertUsage = (own: Tenant, day: string, keyId = 1) =>
    own.rows(`INSERT INTO usage_by_day (tenant_id, day, agent_id, provider, model, key_id, requests, failed, untold, input_tokens,
        output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, unpriced)
      VALUES (?, '${day}', 'a', 'openai', 'm', ${keyId}, 1, 0, 0, 0, 0, 0, 0, 0, 0)`)

  const insertMachineDay = (own: Tenant, day: string) =>
    own.rows(
      `INSERT INTO machine_days (tenant_id, day, machine_id, awake_ms, held_ms) VALUES (?, '${day}', 'm', 1, 1)`,
    )

  it('goes when it has ended: grants for code but the newest', async () => {
    const own = await tenant()
    for (const [code, endedAt] of [
      ['a', 5],
      ['b', 6],
      ['c', null],
      ['d', 5],
      ['e', 4],
    ] as const)
      await insertApproval(own, { code, endedAt })
    await insertApproval(own, { code: 'f', endedAt: 1 })
    expect(await dropEnded(own, 5, 1)).toBe(1)
    expect(await names(own, 'code_hash', 'approvals')).toEqual(['a', 'b', 'c', 'd', 'f'])
    expect(await dropEnded(own, 5)).toBe(2)
    expect(await dropEnded(own, 5)).toBe(0)
    expect(await names(own, 'code_hash', 'approvals')).toEqual(['b', 'c', 'f'])
  })

  it('goes when it has ended: grants for providers', async () => {
    const own = await tenant()
    for (const [provider, endedAt] of [
      ['a', 5],
      ['b', 6],
      ['c', null],
      ['d', 4],
    ] as const)
      await insertGrant(own, provider, endedAt)
    expect(await dropEnded(own, 5, 1)).toBe(1)
    expect(await names(own, 'provider', 'provider_grants')).toEqual(['a', 'b', 'c'])
    expect(await dropEnded(own, 5)).toBe(1)
    expect(await names(own, 'provider', 'provider_grants')).toEqual(['b', 'c'])
  })

  it('goes when it has ended: asks of which no message is on its way, and then their cards', async () => {
    const own = await tenant()
    for (const ask of ['ask_1', 'ask_2', 'ask_3', 'ask_4', 'ask_5']) {
      await insertAsk(own, ask, 'denied', 5)
      await insertCard(own, ask)
    }
    await insertAsk(own, 'ask_later', 'granted', 6)
    await insertAsk(own, 'ask_waits', 'pending', null)
    await insertCard(own, 'ask_waits')
    await insertCard(own, 'ask_gone', 6)
    await insertCard(own, 'askXgone')
    await insertCard(own, 'ASK_gone')
    await insertMessage(own, 'card', { requestId: idOf(own, 'ask_1') })
    await insertMessage(own, 'card-edit', { requestId: idOf(own, 'ask_2') })
    await insertMessage(own, 'provider_ask_settled', { askId: idOf(own, 'ask_3') })
    await insertMessage(own, 'CARD', { requestId: idOf(own, 'ask_4') })
    await insertMessage(own, 'text', { requestId: idOf(own, 'ask_5') })
    for (const payload of ['no json', '7', {}, { askId: null }]) await insertMessage(own, 'card', payload)
    expect(await dropEnded(own, 5)).toBe(4)
    expect(await names(own, 'id', 'provider_asks')).toEqual([
      'ask_1',
      'ask_2',
      'ask_3',
      'ask_later',
      'ask_waits',
    ])
    const cards = ['ASK_gone', 'askXgone', 'ask_1', 'ask_2', 'ask_3', 'ask_gone', 'ask_waits']
    expect(await names(own, 'request_id', 'cards')).toEqual(cards)
    await own.rows('DELETE FROM outbox WHERE tenant_id = ?')
    expect(await dropEnded(own, 6, 2)).toBe(4)
    expect(await dropEnded(own, 6)).toBe(4)
    expect(await names(own, 'id', 'provider_asks')).toEqual(['ask_waits'])
    expect(await names(own, 'request_id', 'cards')).toEqual(['ASK_gone', 'askXgone', 'ask_waits'])
  })

  it('goes when it has ended: calls of tools of which no message is on its way, and then their cards', async () => {
    const own = await tenant()
    await own.rows(`INSERT INTO apps (tenant_id, id, name, token_sha256, cidrs, scopes, tools, provider, limits, keeps_prompts, created_at)
      VALUES (?, '${idOf(own, 'app_1')}', 'a', 'x', '[]', '[]', '[]', 'p', '{}', 0, 1)`)
    const insertCall = (call: string, status: string, endedAt: number | null) =>
      own.rows(`INSERT INTO tool_calls (tenant_id, id, app_id, run_id, prompt_sha256, tool, input, effect, status, created_at,
          expires_at, ended_at)
        VALUES (?, '${idOf(own, call)}', '${idOf(own, 'app_1')}', 'run_1', 'x', 'WebFetch', '{}', '{}', '${status}', 1, 2,
          ${endedAt ?? 'NULL'})`)
    for (const call of ['call_1', 'call_2']) {
      await insertCall(call, 'denied', 5)
      await insertCard(own, call)
    }
    await insertCall('call_later', 'approved', 6)
    await insertCall('call_waits', 'pending', null)
    await insertCard(own, 'call_waits')
    await insertMessage(own, 'card', { requestId: idOf(own, 'call_1') })
    expect(await dropEnded(own, 5)).toBe(2)
    expect(await names(own, 'id', 'tool_calls')).toEqual(['call_1', 'call_later', 'call_waits'])
    expect(await names(own, 'request_id', 'cards')).toEqual(['call_1', 'call_waits'])
  })

  it('goes when its day is over: usage, so many rows at once', async () => {
    const own = await tenant()
    for (const day of ['2029-12-31', '2030-01-01', '2030-01-02', '2030-01-03']) await insertUsage(own, day)
    await insertUsage(own, '2030-01-01', 2)
    const cutoffs = { outputs: 0, code: 0, executions: 0, usageDay: '2030-01-02' }
    await insertApproval(own, { code: 'a' })
    await insertApproval(own, { code: 'b', endedAt: 5 })
    expect(await own.read((tx) => tx.retention.countOthers(cutoffs))).toEqual({ usageRows: 3, grants: 1 })
    const dropUsage = (limit: number) => inStore(own, (retention) => retention.dropUsage('2030-01-02', limit))
    expect(await dropUsage(1)).toBe(1)
    expect(await names(own, 'day', 'usage_by_day')).not.toContain('2029-12-31')
    expect([await dropUsage(1), await dropUsage(2), await dropUsage(2)]).toEqual([1, 1, 0])
    expect(await names(own, 'day', 'usage_by_day')).toEqual(['2030-01-02', '2030-01-03'])
    expect(await own.read((tx) => tx.retention.countOthers(cutoffs))).toEqual({ usageRows: 0, grants: 1 })
  })

  it('goes when its day is over: the time of machines, with usage', async () => {
    const own = await tenant()
    for (const day of ['2029-12-31', '2030-01-01', '2030-01-02']) await insertMachineDay(own, day)
    await insertUsage(own, '2030-01-01')
    const cutoffs = { outputs: 0, code: 0, executions: 0, usageDay: '2030-01-02' }
    expect((await own.read((tx) => tx.retention.countOthers(cutoffs))).usageRows).toBe(3)
    const dropUsage = (limit: number) => inStore(own, (retention) => retention.dropUsage('2030-01-02', limit))
    expect([await dropUsage(1), await dropUsage(9), await dropUsage(9)]).toEqual([2, 1, 0])
    expect(await names(own, 'day', 'machine_days')).toEqual(['2030-01-02'])
  })

  it('is nothing of another tenant', async () => {
    const [one, other] = [await tenant(), await tenant()]
    const left = async () => [
      await names(other, 'id', 'provider_asks'),
      await names(other, 'provider', 'provider_grants'),
      await names(other, 'request_id', 'cards'),
      await names(other, 'day', 'usage_by_day'),
      await names(other, 'day', 'machine_days'),
      await names(other, 'code_hash', 'approvals'),
    ]
    for (const [own, endedAt] of [
      [one, 5],
      [other, 4],
    ] as const) {
      await insertAsk(own, 'ask_1', 'denied', endedAt)
      await insertGrant(own, 'a', endedAt)
      await insertCard(own, `ask_${endedAt}`)
      await insertUsage(own, `2030-01-0${endedAt}`)
      await insertMachineDay(own, `2030-01-0${endedAt}`)
      for (const code of ['a', 'b']) await insertApproval(own, { code, endedAt })
    }
    await insertAsk(other, `ask_5_${one.id}`, 'pending', null)
    await other.rows(
      `UPDATE provider_asks SET id = '${idOf(one, 'ask_5')}' WHERE tenant_id = ? AND status = 'pending'`,
    )
    await insertMessage(other, 'card', { requestId: idOf(one, 'ask_1') })
    const before = await left()
    // So few that rows of the other, which ended before, would leave no room.
    expect(await dropEnded(one, 5, 1)).toBe(4)
    expect(await inStore(one, (retention) => retention.dropUsage('9', 1))).toBe(2)
    expect(await dropEnded(one, 5)).toBe(0)
    expect(await left()).toEqual(before)
  })
})

storeContract('the size of the database', { retention: createRetentionStore }, (kit) => {
  const tenant = tenantsOf(kit)
  const size = (own: Tenant) => own.read((tx) => tx.retention.size())

  it('is told, and what is free goes back to the disk in pieces where the engine does not do it itself', async () => {
    const own = await tenant()
    const before = await size(own)
    const bytes = 4_000_000
    for (let part = 0; part < 4; part += 1) {
      await own.rows(
        `INSERT INTO code (tenant_id, hash, text, created_at) VALUES (?, 'c${part}', '${'x'.repeat(bytes / 4)}', 1)`,
      )
    }
    const full = await size(own)
    // PostgreSQL compresses such a text.
    if (kit.engine === 'sqlite') expect(full.used - before.used).toBeGreaterThan(bytes)
    expect(full.used).toBeGreaterThan(0)
    await own.rows('DELETE FROM code WHERE tenant_id = ?')
    const shrink = (pages: number) => own.storage.transaction((tx) => tx.retention.shrink(pages), 'grouped')
    if (kit.engine === 'postgres') {
      expect(await shrink(100)).toBe(false)
      expect((await size(own)).free).toBe(0)
      return
    }
    const { free } = await size(own)
    expect(free).toBeGreaterThan(bytes)
    expect(await shrink(100)).toBe(true)
    expect((await size(own)).free).toBe(free - 100 * 4_096)
    let pieces = 1
    while ((await shrink(100)) && pieces < 99) pieces += 1
    expect(pieces).toBe(Math.ceil(free / 4_096 / 100) - 1)
    expect(await size(own)).toMatchObject({ free: 0 })
    expect(await shrink(100)).toBe(false)
  })
})
