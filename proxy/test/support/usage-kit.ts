import { afterEach, beforeEach } from 'vitest'
import { createAuditLog, createAuditStore } from '../../src/audit/index.ts'
import { type AgentId, DEFAULT_TENANT, type Storage, type Tx } from '../../src/kernel/index.ts'
import type { Admission, Limited, SpendingLimits, TokenUsage, Unpriced } from '../../src/llm/usage/ports.ts'
import { createUsage } from '../../src/llm/usage/usage.ts'
import { createUsageStore } from '../../src/llm/usage/usage-store.ts'
import type { EngineKit, TestDatabase } from './engines.ts'

const NOON = Date.UTC(2030, 0, 2, 12)

export const AGENT = 'agt_0000000000000001' as AgentId

export const UNLIMITED: SpendingLimits = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null }

export const SPENT: TokenUsage = { input: 100, output: 20, cacheRead: 40, cacheWrite: 0, toldMicroUsd: null }

export const defects: unknown[] = []

type Opened = ReturnType<typeof createUsage>

export const ask = (
  usage: Opened,
  limits: Partial<SpendingLimits> = {},
  tokens = 0,
  provider = 'openai',
  more: { readonly model?: string | null; readonly reportsCost?: boolean } = {},
) =>
  usage.reserveQuota({
    ...{ agentId: AGENT, provider, model: 'gpt-4o', reportsCost: false, ...more },
    ...{ limits: { ...UNLIMITED, ...limits }, estimate: { inputTokens: tokens, outputTokens: 0 } },
  })

export function admitted(answer: Admission | Limited | Unpriced): Admission {
  if ('limit' in answer) throw new Error(`limited by ${answer.limit}`)
  return answer
}

export const spend = (
  usage: Opened,
  entry: Partial<Parameters<Admission['settle']>[0]> = {},
  limits: Partial<SpendingLimits> = {},
) => admitted(ask(usage, limits)).settle({ model: 'gpt-4o', keyId: 1, failed: false, usage: SPENT, ...entry })

/** Before each test: usage over a store of this engine that fails or waits as the test says, and a clock that is moved by hand. */
export function useUsage(kit: EngineKit) {
  let db: TestDatabase
  let now = NOON
  let failWith: Error | null = null
  /** Held until then: what is written is under way. */
  let until: Promise<void> | null = null
  let added = 0
  let reads = 0

  beforeEach(async () => {
    db = await kit.fresh({ stores: { usage: createUsageStore, audit: createAuditStore } })
    now = NOON
    failWith = null
    until = null
    defects.length = 0
    added = 0
    reads = 0
  })
  afterEach(() => db[Symbol.asyncDispose]())

  const faulty = (tx: Tx): Tx =>
    new Proxy(tx, {
      get(target, key) {
        const found: unknown = Reflect.get(target, key, target)
        if (key !== 'usage') return typeof found === 'function' ? found.bind(target) : found
        const store = found as Tx['usage']
        const add: Tx['usage']['add'] = async (rows) => {
          await store.add(rows)
          await until
          added += 1
          if (failWith !== null) throw failWith
        }
        return { ...store, add }
      },
    })
  const storage: Storage = {
    transaction: (work, durability) => db.storage.transaction((tx) => work(faulty(tx)), durability),
    async read(work) {
      reads += 1
      return await db.storage.read(work)
    },
    tenant: DEFAULT_TENANT,
    flushed: () => db.storage.flushed(),
  }
  const stored = (day: string) => db.storage.read((tx) => tx.usage.since(day))

  async function open(flushMs = 60_000) {
    const clock = { now: () => now }
    const audit = createAuditLog({ storage, clock, auditKey: Buffer.alloc(32, 1), mayBegin: true })
    const usage = createUsage({
      ...{ audit, storage, clock, flushMs },
      nameOf: (agentId) => (agentId === AGENT ? 'demo' : 'other agent'),
      onDefect: (error) => void defects.push(error),
    })
    await db.storage.read(usage.load)
    return { usage, audit }
  }

  return {
    get added() {
      return added
    },
    get now() {
      return now
    },
    set now(to) {
      now = to
    },
    set failWith(to: Error | null) {
      failWith = to
    },
    set until(to: Promise<void> | null) {
      until = to
    },
    get reads() {
      return reads
    },
    open,
    stored,
  }
}
