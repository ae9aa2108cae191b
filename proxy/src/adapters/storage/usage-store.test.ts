import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UsageRow } from '../../domain/usage/index.ts'
import type { AgentId } from '../../kernel/index.ts'
import { openDatabase } from './database.ts'
import { createUsageStore } from './usage-store.ts'

const row = (change: Partial<UsageRow> = {}): UsageRow => ({
  ...{
    day: '2030-01-02',
    agentId: 'agt_0000000000000001' as AgentId,
    provider: 'openai',
    model: 'gpt-4o',
    keyId: 1,
  },
  ...{
    requests: 1,
    failed: 2,
    untold: 3,
    inputTokens: 4,
    outputTokens: 5,
    cacheReadTokens: 6,
    cacheWriteTokens: 7,
  },
  ...{ microUsd: 8, unpriced: 9, assumedTokens: 10, assumedMicroUsd: 11 },
  ...change,
})

describe('the store of usage', () => {
  let dir: string
  let db: Database
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-usage-store-'))
    db = openDatabase(join(dir, 'proxy.db'))
  })
  afterEach(() => {
    db.close()
    rmSync(dir, { recursive: true })
  })

  it('adds to what is there for the same day, agent, provider, model and key', () => {
    const store = createUsageStore(db)
    store.add([row(), row({ keyId: 2 }), row({ day: '2030-01-01' })])
    store.add([row()])
    const twice = { requests: 2, failed: 4, untold: 6, inputTokens: 8, outputTokens: 10, cacheReadTokens: 12 }
    expect(store.since('2030-01-02')).toEqual([
      row({
        ...twice,
        cacheWriteTokens: 14,
        microUsd: 16,
        unpriced: 18,
        assumedTokens: 20,
        assumedMicroUsd: 22,
      }),
      row({ keyId: 2 }),
    ])
    expect(store.since('2030-01-01').length).toBe(3)
  })

  it('adds all rows or none, and never past what a number holds exactly', () => {
    const store = createUsageStore(db)
    expect(() => store.add([row(), row({ model: null as unknown as string })])).toThrow()
    expect(store.since('')).toEqual([])
    store.add([row({ inputTokens: Number.MAX_SAFE_INTEGER })])
    store.add([row({ inputTokens: Number.MAX_SAFE_INTEGER })])
    expect(store.since('')).toMatchObject([{ inputTokens: Number.MAX_SAFE_INTEGER, requests: 2 }])
  })

  it("keeps the owner's prices", () => {
    const store = createUsageStore(db)
    const price = { provider: 'openai', model: 'gpt-*', input: 1, output: 2, cacheRead: null, cacheWrite: 3 }
    store.setPrice({ ...price, input: 9 }, 1)
    store.setPrice(price, 2)
    store.setPrice({ ...price, model: 'b' }, 2)
    expect(store.prices()).toEqual([{ ...price, model: 'b' }, price])
    const parts = { ...price, audioInput: 4, items: { image: 5 } }
    store.setPrice(parts, 3)
    expect(store.prices()[1]).toEqual(parts)
    store.setPrice(price, 4)
    store.removePrice('openai', 'b')
    expect(store.prices()).toEqual([price])
  })
})
