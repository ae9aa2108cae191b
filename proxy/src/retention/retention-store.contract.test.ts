import { expect, it } from 'vitest'
import {
  insertCard,
  insertMessage,
  insertRequest,
  insertVote,
  insertWake,
  names,
} from '../../test/support/content-rows.ts'
import { storeContract } from '../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../test/support/tenants.ts'
import type { Dropped, Place, RetentionStore } from './ports.ts'
import { createRetentionStore } from './retention-store.ts'

const RESULT = JSON.stringify({ exitCode: 3, stdout: 'out', stderr: 'err', requests: [{ host: 'a' }] })

const inStore = <T>(own: Tenant, work: (retention: RetentionStore) => Promise<T>): Promise<T> =>
  own.write((tx) => work(tx.retention))
const requests = (own: Tenant, where?: string) => names(own, 'request_id', 'executions', where)

/** `count` ended requests, and one after them all that is the newest. */
async function insertRequests(
  own: Tenant,
  count: number,
  row: Partial<Parameters<typeof insertRequest>[1]> = {},
) {
  for (let index = 1; index <= count; index += 1)
    await insertRequest(own, { request: `req_${index}`, ...row })
  await insertRequest(own, { request: 'req_newest', status: 'pending', finishedAt: null })
}

storeContract('what is kept of outputs', { retention: createRetentionStore }, (kit) => {
  const tenant = tenantsOf(kit)
  const insertOutputs = async (own: Tenant): Promise<void> => {
    const row = { outputBytes: 100, result: RESULT }
    await insertRequest(own, { ...row, request: 'req_a', finishedAt: 30 })
    await insertRequest(own, { ...row, request: 'req_b', finishedAt: 10 })
    await insertRequest(own, { ...row, request: 'req_c', finishedAt: 20, agent: 'agt_2' })
    await insertRequest(own, { ...row, request: 'req_d', finishedAt: 40 })
    await insertRequest(own, { ...row, request: 'req_none', finishedAt: 1, outputBytes: 0 })
    await insertRequest(own, { ...row, request: 'req_runs', finishedAt: null, status: 'running' })
  }
  const left = (own: Tenant) => requests(own, 'AND output_bytes > 0 AND finished_at IS NOT NULL')
  const drop = (own: Tenant, which: Parameters<RetentionStore['dropOutputs']>[0], limit = 9, bytes = 1_000) =>
    inStore(own, (retention) => retention.dropOutputs(which, limit, bytes))

  it('goes in the order in which it ended, of the agent whose output is oldest', async () => {
    const own = await tenant()
    await insertOutputs(own)
    expect(await drop(own, {}, 1)).toBe(1)
    expect(await left(own)).toEqual(['req_a', 'req_c', 'req_d'])
    expect(await drop(own, {})).toBe(1)
    expect(await left(own)).toEqual(['req_a', 'req_d'])
    expect([await drop(own, {}), await drop(own, {})]).toEqual([2, 0])
    expect(await requests(own, 'AND output_bytes > 0')).toEqual(['req_runs'])
  })

  it('goes of one agent alone, up to a time', async () => {
    const own = await tenant()
    await insertOutputs(own)
    const agentId = idOf(own, 'agt_1')
    expect(await drop(own, { agentId, endedBefore: 9 })).toBe(0)
    expect(await drop(own, { endedBefore: 9 })).toBe(0)
    expect(await drop(own, { agentId, endedBefore: 30 })).toBe(2)
    expect(await left(own)).toEqual(['req_c', 'req_d'])
    expect(await drop(own, { agentId: idOf(own, 'agt_3') })).toBe(0)
  })

  it('goes at least one at once, and otherwise no more than so many bytes', async () => {
    const own = await tenant()
    await insertOutputs(own)
    const agentId = idOf(own, 'agt_1')
    expect(await drop(own, { agentId }, 9, 5)).toBe(1)
    expect(await drop(own, { agentId }, 9, 200)).toBe(2)
  })

  it('leaves the rest of the result, and no result where that is no JSON', async () => {
    const own = await tenant()
    await insertRequest(own, { request: 'req_1', outputBytes: 9, result: RESULT })
    await insertRequest(own, { request: 'req_2', outputBytes: 9, result: 'no json' })
    await insertRequest(own, { request: 'req_3', outputBytes: 9, result: null })
    expect(await drop(own, {})).toBe(3)
    const rows = await own.rows('SELECT result FROM executions WHERE tenant_id = ? ORDER BY request_id')
    expect(rows.map(({ result }) => result && JSON.parse(String(result)))).toEqual([
      { ...JSON.parse(RESULT), stdout: '', stderr: '', notKept: true },
      null,
      null,
    ])
  })
})

storeContract('what is kept of requests', { retention: createRetentionStore }, (kit) => {
  const tenant = tenantsOf(kit)
  const drop = (
    own: Tenant,
    which: Parameters<RetentionStore['dropExecutions']>[0],
    after?: Place,
    limit = 50,
  ): Promise<Dropped> => inStore(own, (retention) => retention.dropExecutions(which, after, limit))
  const all = { endedBefore: 5, undecided: false }

  it('stays while a wake or a message is on its way, and goes when that is done', async () => {
    const own = await tenant()
    await insertRequests(own, 4)
    await insertWake(own, 'req_1')
    await insertMessage(own, 'card', { requestId: idOf(own, 'req_2') })
    for (const payload of [
      'no json',
      '[]',
      '7',
      { requestId: null },
      { requestId: 7 },
      { other: idOf(own, 'req_3') },
    ])
      await insertMessage(own, 'text', payload)
    for (const id of ['req_3', 'req_2']) {
      await insertCard(own, id)
      await insertVote(own, id)
    }
    expect(await drop(own, all)).toEqual({ dropped: 2, next: undefined })
    expect(await requests(own)).toEqual(['req_1', 'req_2', 'req_newest'])
    expect(await names(own, 'request_id', 'cards')).toEqual(['req_2'])
    expect(await names(own, 'request_id', 'approval_votes')).toEqual(['req_2'])
    await own.rows('DELETE FROM wakes WHERE tenant_id = ?')
    await own.rows('DELETE FROM outbox WHERE tenant_id = ?')
    expect(await drop(own, all)).toEqual({ dropped: 2, next: undefined })
    expect([await requests(own), await names(own, 'request_id', 'cards')]).toEqual([['req_newest'], []])
  })

  it('stays when it is the newest, although it has ended: its id is not given twice', async () => {
    const own = await tenant()
    await insertRequest(own, { request: 'req_1' })
    await insertRequest(own, { request: 'req_2' })
    expect(await drop(own, all)).toMatchObject({ dropped: 1 })
    expect(await requests(own)).toEqual(['req_2'])
  })

  it('stays when it waits, or ended later, or where a person decided and that is asked', async () => {
    const own = await tenant()
    await insertRequest(own, { request: 'req_1', finishedAt: null, status: 'pending' })
    await insertRequest(own, { request: 'req_2', finishedAt: 6 })
    await insertRequest(own, { request: 'req_3', finishedAt: 5, decision: 'once' })
    await insertRequests(own, 0)
    expect(await drop(own, { endedBefore: 5, undecided: true })).toMatchObject({ dropped: 0 })
    expect(await drop(own, all)).toMatchObject({ dropped: 1 })
    expect(await requests(own)).toEqual(['req_1', 'req_2', 'req_newest'])
  })

  it('goes of an agent in the order of the end, when it has no output and no person decided', async () => {
    const own = await tenant()
    await insertRequest(own, { request: 'req_decided', decision: 'deny' })
    await insertRequest(own, { request: 'req_output', outputBytes: 1 })
    await insertRequest(own, { request: 'req_other', agent: 'agt_2' })
    await insertRequest(own, { request: 'req_third', finishedAt: 4 })
    await insertRequest(own, { request: 'req_first', finishedAt: 2 })
    await insertRequest(own, { request: 'req_second', finishedAt: 3 })
    await insertRequests(own, 0)
    const which = { agentId: idOf(own, 'agt_1'), endedBefore: 5 }
    const first = await drop(own, which, undefined, 1)
    expect(first).toEqual({ dropped: 1, next: { finishedAt: 2, id: expect.any(Number) } })
    expect(await requests(own)).not.toContain('req_first')
    const second = await drop(own, which, first.next, 1)
    expect(second).toEqual({ dropped: 1, next: { finishedAt: 3, id: expect.any(Number) } })
    expect(await drop(own, which, second.next, 9)).toEqual({ dropped: 1, next: undefined })
    expect(await requests(own)).toEqual(['req_decided', 'req_newest', 'req_other', 'req_output'])
  })

  it.each<[string, (own: Tenant) => Parameters<RetentionStore['dropExecutions']>[0]]>([
    ['of all agents', () => all],
    ['of one agent', (own) => ({ agentId: idOf(own, 'agt_1'), endedBefore: 5 })],
  ])('is looked at in pieces: %s', async (_whose, which) => {
    const own = await tenant()
    const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)'
    await own.rows(`${numbers} INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id,
        consent, consent_hash, changes, expires_at, trusted, finished_at)
      SELECT ?, 'req_' || i || '_${own.id}', 's', 'c', 'success', 1, '${idOf(own, 'agt_1')}', '{}', 'x', '[]', 9, 1, 2 FROM n`)
    await own.rows(`INSERT INTO wakes (tenant_id, request_id, agent_id, next_at, created_at)
      SELECT tenant_id, request_id, agent_id, 9, 9 FROM executions WHERE tenant_id = ?`)
    await own.rows(`DELETE FROM wakes WHERE tenant_id = ? AND request_id = '${idOf(own, 'req_450')}'`)
    const dropped: number[] = []
    let place: Place | undefined
    do {
      const done = await drop(own, which(own), place)
      dropped.push(done.dropped)
      place = done.next
    } while (place !== undefined && dropped.length < 9)
    expect(dropped).toEqual([0, 0, 1, 0])
    expect(await requests(own, `AND request_id = '${idOf(own, 'req_450')}'`)).toEqual([])
  })

  it('ends the search where what comes after was made later', async () => {
    const own = await tenant()
    await insertRequests(own, 200, { createdAt: 6, finishedAt: 7 })
    expect(await drop(own, all)).toEqual({ dropped: 0, next: undefined })
    expect(await drop(own, { ...all, endedBefore: 6 })).toMatchObject({ dropped: 0, next: { finishedAt: 7 } })
  })

  it('goes on behind what was dropped, when no more was asked for', async () => {
    const own = await tenant()
    await insertRequests(own, 5)
    const first = await drop(own, all, undefined, 2)
    expect(first).toEqual({ dropped: 2, next: { finishedAt: 2, id: expect.any(Number) } })
    expect(await requests(own)).toEqual(['req_3', 'req_4', 'req_5', 'req_newest'])
    expect(await drop(own, all, first.next, 9)).toEqual({ dropped: 3, next: undefined })
  })

  it('is counted as it would go', async () => {
    const own = await tenant()
    await insertRequests(own, 2)
    await insertRequest(own, { request: 'req_output', outputBytes: 70, finishedAt: 3 })
    await insertRequest(own, { request: 'req_later', outputBytes: 80, finishedAt: 9 })
    await insertRequest(own, { request: 'req_sent', finishedAt: 3 })
    await insertRequest(own, { request: 'req_last', finishedAt: 3 })
    await insertWake(own, 'req_sent')
    const cutoffs = { outputs: 4, code: 4, executions: 5, usageDay: '2030-01-02' }
    const count = (afterId: number, limit: number) =>
      own.read((tx) => tx.retention.countNext(cutoffs, afterId, limit))
    const page = await count(0, 3)
    const counts = { outputs: 0, outputBytes: 0, executions: 2, waiting: 1, unsent: 0, young: 0 }
    expect(page).toEqual({ lastId: expect.any(Number), counts })
    const next = await count(page?.lastId ?? 0, 9)
    expect(next?.counts).toEqual({
      ...counts,
      outputs: 1,
      outputBytes: 70,
      executions: 1,
      waiting: 0,
      unsent: 2,
      young: 1,
    })
    expect(await count(next?.lastId ?? 0, 9)).toBeUndefined()
  })

  it('is nothing of another tenant', async () => {
    const [one, other] = [await tenant(), await tenant()]
    await insertRequests(other, 2, { outputBytes: 5, result: RESULT })
    await insertRequest(other, { request: 'req_plain' })
    await insertRequests(one, 2)
    // An id that names this tenant's request, as no id should.
    await other.rows(`INSERT INTO cards (tenant_id, token, request_id, chat_id, consent_hash, created_at)
      VALUES (?, 'token_${other.id}', '${idOf(one, 'req_1')}', '1', 'x', 1)`)
    // What refers to another tenant's request keeps nothing here.
    await insertMessage(other, 'card', { requestId: idOf(one, 'req_1') })
    const cutoffs = { outputs: 9, code: 9, executions: 9, usageDay: '9' }
    expect(await one.read((tx) => tx.retention.countNext(cutoffs, 0, 99))).toMatchObject({
      counts: { outputs: 0, executions: 2, waiting: 1 },
    })
    expect(await inStore(one, (retention) => retention.dropOutputs({}, 9, 999))).toBe(0)
    const theirs = { agentId: idOf(other, 'agt_1') }
    expect(await inStore(one, (retention) => retention.dropOutputs(theirs, 9, 999))).toBe(0)
    expect(await drop(one, { ...theirs, endedBefore: 9 })).toMatchObject({ dropped: 0 })
    expect(await drop(one, all)).toMatchObject({ dropped: 2 })
    expect(await requests(other, 'AND output_bytes > 0')).toEqual(['req_1', 'req_2'])
    expect(await names(other, 'token', 'cards')).toHaveLength(1)
  })
})
