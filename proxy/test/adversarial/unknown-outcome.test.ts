/** A commit whose answer is lost may have been made: what is tried again stands once, whichever it was. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuditLog, createAuditLog, createAuditStore } from '../../src/audit/index.ts'
import { createEgressSessions, type EgressPolicy, type EgressSession } from '../../src/egress/index.ts'
import { type AgentId, DEFAULT_TENANT, type Storage } from '../../src/kernel/index.ts'
import { createUsage, createUsageStore } from '../../src/llm/usage/index.ts'
import { type OpenStorage, openStorage, type StoreFactories } from '../../src/storage/index.ts'
import { engineKits, type TestDatabase } from '../support/engines.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { type PostgresRelay, relayTo } from '../support/postgres-relay.ts'

const NOON = Date.UTC(2030, 0, 2, 12)
const DAY = '2030-01-02'
const AGENT = 'agt_0000000000000001' as AgentId
const clock = { now: () => NOON }
const stores = { usage: createUsageStore, audit: createAuditStore } as Partial<StoreFactories>

describe.skipIf(withoutPostgres() !== undefined)('a commit whose answer is lost on PostgreSQL', () => {
  let db: TestDatabase
  let relay: PostgresRelay
  let opened: OpenStorage
  let storage: Storage
  let audit: AuditLog
  /** From the end of a unit's work on. */
  let atCommit: PostgresRelay['fault']
  const defects: unknown[] = []

  beforeEach(async () => {
    defects.length = 0
    db = await engineKits.postgres.fresh({ stores })
    relay = await relayTo(db.where)
    opened = await openStorage({
      database: { url: relay.url, connections: 2 },
      stores: stores as StoreFactories,
      onDefect: () => {},
      unitTimeoutMs: 300,
    })
    const whole = opened.forTenant(DEFAULT_TENANT)
    storage = {
      ...whole,
      transaction: (work, durability) =>
        whole.transaction(async (tx) => {
          const result = await work(tx)
          relay.fault = atCommit
          return result
        }, durability),
    }
    atCommit = 'none'
    audit = createAuditLog({ storage, clock, auditKey: Buffer.alloc(32, 1) })
  })
  afterEach(async () => {
    await opened[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })

  const open = async () => {
    const usage = createUsage({
      ...{ audit, storage, clock, flushMs: 60_000, nameOf: () => 'demo' },
      onDefect: (error) => void defects.push(error),
    })
    await storage.read(usage.load)
    return usage
  }
  type Usage = Awaited<ReturnType<typeof open>>
  const spend = (usage: Usage, tokensPerDay: number | null = null) => {
    const admission = usage.reserveQuota({
      ...{ agentId: AGENT, provider: 'openai', model: 'm', reportsCost: false },
      limits: { requestsPerMinute: null, tokensPerDay, microUsdPerDay: null },
      estimate: { inputTokens: 100, outputTokens: 0 },
    })
    if ('limit' in admission) return admission
    const tokens = { input: 100, output: 0, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
    admission.settle({ model: 'm', keyId: 1, failed: false, usage: tokens })
    return undefined
  }
  const comeBack = (): void => {
    atCommit = 'none'
    relay.fault = 'none'
  }
  const storedRequests = async (): Promise<number> =>
    (await db.storage.read((tx) => tx.usage.since(DAY))).reduce((sum, row) => sum + row.requests, 0)

  it('counts usage once, on disk, in reports and in the limits of the day', async () => {
    const usage = await open()
    spend(usage)
    atCommit = 'gone'
    await usage.flush()
    expect(defects).toEqual([expect.objectContaining({ message: expect.stringContaining('did not answer') })])
    comeBack()
    spend(usage)
    expect(await usage.report('day', DAY)).toMatchObject([{ requests: 2, inputTokens: 200 }])
    await usage.flush()
    expect(await storedRequests()).toBe(2)
    expect(await usage.report('day', DAY)).toMatchObject([{ requests: 2, inputTokens: 200 }])
    expect(spend(usage, 300)).toBeUndefined()
    expect(spend(usage, 300)).toMatchObject({ limit: 'tokens_per_day', left: 0 })
    await usage.flush()
    expect(await storedRequests()).toBe(3)
  })

  it('writes what was not made after all', async () => {
    const usage = await open()
    spend(usage)
    atCommit = 'commit-lost'
    await usage.flush()
    expect(await storedRequests()).toBe(0)
    comeBack()
    expect(await usage.report('day', DAY)).toMatchObject([{ requests: 1 }])
    await usage.flush()
    expect(await storedRequests()).toBe(1)
  })

  it('tells the audit once of each request of a run', async () => {
    const sessions = createEgressSessions({ audit, storage, onDefect: (error) => void defects.push(error) })
    const session = sessions.begin('req_1', {} as EgressPolicy)
    const record = (path: string): Parameters<EgressSession['record']>[0] => ({
      ...{ method: 'GET', origin: 'https://api.example.com', path, status: 200, requestBytes: 1 },
      ...{ responseBytes: 2, secrets: [], refused: null, rejected: [] },
    })
    atCommit = 'gone'
    session.record(record('/a'))
    await expect.poll(() => defects.length, { timeout: 30_000 }).toBe(1)
    comeBack()
    session.record(record('/b'))
    session.end()
    await session.written()
    const rows = await Array.fromAsync(audit.export())
    expect(rows.map(({ data }) => JSON.parse(data).path)).toEqual(['/a', '/b'])
    expect(await audit.verify()).toMatchObject({ ok: true, rows: 2 })
    expect(defects).toHaveLength(1)
  })
})
