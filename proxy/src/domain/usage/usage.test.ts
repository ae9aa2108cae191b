import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createAuditStore,
  createMetaStore,
  createTransactor,
  createUsageStore,
  openDatabase,
} from '../../adapters/storage/index.ts'
import type { AgentId } from '../../kernel/index.ts'
import { createAuditLog } from '../audit/index.ts'
import type { Admission, Limited, SpendingLimits, TokenUsage, Unpriced, UsageRepository } from './ports.ts'
import { dearestCost, priced } from './prices.ts'
import { createUsage } from './usage.ts'

const NOON = Date.UTC(2030, 0, 2, 12)
const AGENT = 'agt_0000000000000001' as AgentId
const UNLIMITED: SpendingLimits = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null }
const SPENT: TokenUsage = { input: 100, output: 20, cacheRead: 40, cacheWrite: 0, toldMicroUsd: null }

describe('the books', () => {
  let dir: string
  let db: Database
  let now = NOON
  let failWith: Error | null = null
  const defects: unknown[] = []
  let added = 0

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-usage-'))
    db = openDatabase(join(dir, 'proxy.db'))
    now = NOON
    failWith = null
    defects.length = 0
    added = 0
  })
  afterEach(() => {
    db.close()
    rmSync(dir, { recursive: true })
  })

  function open(flushMs = 60_000) {
    const store = createUsageStore(db)
    const repository: UsageRepository = {
      ...store,
      add(rows) {
        store.add(rows)
        added += 1
        if (failWith !== null) throw failWith
      },
    }
    const clock = { now: () => now }
    const audit = createAuditLog({
      ...{ repository: createAuditStore(db, createMetaStore(db)), clock },
      auditKey: Buffer.alloc(32, 1),
    })
    const usage = createUsage({
      ...{ repository, audit, transactor: createTransactor(db), clock, flushMs },
      nameOf: (agentId) => (agentId === AGENT ? 'demo' : 'other agent'),
      onDefect: (error) => void defects.push(error),
    })
    return { usage, audit, repository }
  }

  type Opened = ReturnType<typeof open>['usage']
  const ask = (
    usage: Opened,
    limits: Partial<SpendingLimits> = {},
    tokens = 0,
    provider = 'openai',
    more: { readonly model?: string | null; readonly tellsCost?: boolean } = {},
  ) =>
    usage.admit({
      ...{ agentId: AGENT, provider, model: 'gpt-4o', tellsCost: false, ...more },
      ...{ limits: { ...UNLIMITED, ...limits }, estimate: { inputTokens: tokens, outputTokens: 0 } },
    })
  function admitted(answer: Admission | Limited | Unpriced): Admission {
    if ('limit' in answer) throw new Error(`limited by ${answer.limit}`)
    return answer
  }
  const spend = (
    usage: Opened,
    entry: Partial<Parameters<Admission['settle']>[0]> = {},
    limits: Partial<SpendingLimits> = {},
  ) =>
    admitted(ask(usage, limits)).settle({ model: 'gpt-4o', keyId: 1, failed: false, usage: SPENT, ...entry })

  it('add what was settled, and are on disk together', () => {
    const { usage, repository } = open()
    spend(usage)
    spend(usage, { failed: true, usage: null })
    spend(usage, { usage: null })
    spend(usage, { model: 'gpt-unknown' })
    spend(usage, { keyId: 2, usage: { ...SPENT, toldMicroUsd: 7 } })
    expect(repository.since('2030-01-02')).toEqual([])
    usage.flush()
    expect(added).toBe(1)
    const row = { day: '2030-01-02', agentId: AGENT, provider: 'openai', inputTokens: 100, outputTokens: 20 }
    const counts = {
      failed: 0,
      untold: 0,
      cacheReadTokens: 40,
      cacheWriteTokens: 0,
      unpriced: 0,
      requests: 1,
      ...{ assumedTokens: 0, assumedMicroUsd: 0 },
    }
    expect(repository.since('2030-01-02')).toEqual([
      { ...row, ...counts, model: 'gpt-4o', keyId: 1, requests: 3, failed: 1, untold: 1, microUsd: 400 },
      { ...row, ...counts, model: 'gpt-4o', keyId: 2, microUsd: 7 },
      { ...row, ...counts, model: 'gpt-unknown', keyId: 1, microUsd: 0, unpriced: 1 },
    ])
    usage.flush()
    expect(added).toBe(1)
    spend(usage)
    usage[Symbol.dispose]()
    expect(usage.report('agent', '2030-01-01')).toMatchObject([
      { key: 'demo', requests: 6, inputTokens: 400 },
    ])
  })

  it('reckon with the price of the model that was asked for where the answer names one without a price', () => {
    const { usage } = open()
    spend(usage, { model: 'gpt-unknown', askedModel: 'gpt-4o' })
    expect(usage.report('model', '2030-01-02')).toMatchObject([{ microUsd: 400, unpriced: 0 }])
    spend(usage, { model: 'gpt-4o-mini', askedModel: 'gpt-4o' })
    expect(usage.report('model', '2030-01-02')[1]?.microUsd).not.toBe(400)
  })

  it('let nobody past a limit of money by an answer under a name without a price', () => {
    const { usage } = open()
    const limits = { microUsdPerDay: 400 }
    spend(usage, { model: 'gpt-unknown', askedModel: 'gpt-4o' }, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'usd_per_day' })
  })

  it('count what was reserved where the price is gone, with figures or without', () => {
    for (const entry of [{ usage: SPENT }, { usage: null, guess: { inputTokens: 9, outputTokens: 9 } }]) {
      const { usage } = open()
      const limits = { microUsdPerDay: 2_500 }
      // A thousand tokens of gpt-4o are reserved: 2500 millionths.
      const place = admitted(ask(usage, limits, 1_000))
      place.settle({ model: 'gpt-unknown', askedModel: 'gpt-gone', keyId: 1, failed: false, ...entry })
      expect(ask(usage, limits, 0)).toMatchObject({ limit: 'usd_per_day' })
      expect(usage.report('day', '2030-01-02')).toMatchObject([{ microUsd: 0 }])
    }
  })

  it('are written soon after the first that is not written', async () => {
    const { usage, repository } = open(1)
    spend(usage)
    await expect.poll(() => repository.since('2030-01-02').length).toBe(1)
  })

  it('report what is on disk and what is not yet, by agent, model and day', () => {
    const { usage } = open()
    spend(usage)
    usage.flush()
    spend(usage, { model: 'gpt-4o-mini' })
    now += 86_400_000
    spend(usage, { model: '' })
    expect(usage.report('day', '2030-01-01').map(({ key, requests }) => [key, requests])).toEqual([
      ['2030-01-02', 2],
      ['2030-01-03', 1],
    ])
    expect(usage.report('model', '2030-01-02').map(({ key }) => key)).toEqual([
      ...['openai/gpt-4o', 'openai/gpt-4o-mini', 'openai/?'],
    ])
    expect(usage.report('agent', '2030-01-03')).toMatchObject([{ key: 'demo', requests: 1 }])
    expect(usage.totals()).toEqual([
      { provider: 'openai', requests: 3, inputTokens: 300, outputTokens: 60, microUsd: 424 },
    ])
    expect(() => usage.report('day', '2030-1-1')).toThrow('YYYY-MM-DD')
  })

  it('keep the sums when a write fails, tell it once, and write them with the next', () => {
    const { usage, repository } = open()
    spend(usage)
    failWith = new Error('disk full')
    usage.flush()
    usage.flush()
    expect(defects).toEqual([failWith])
    expect(repository.since('2030-01-02')).toEqual([])
    spend(usage)
    failWith = null
    usage[Symbol.dispose]()
    expect(repository.since('2030-01-02')).toMatchObject([{ requests: 2, inputTokens: 200 }])
  })

  it('hold requests a minute, and tell the owner of the first refusal in it alone', () => {
    const { usage } = open()
    const limits = { requestsPerMinute: 2 }
    const first = admitted(ask(usage, limits))
    admitted(ask(usage, limits))
    now += 10_000
    const limited = {
      ...{ limit: 'requests_per_minute', why: 'used_up', retryAfterSeconds: 51, needed: 1, left: 0, most: 2 },
    }
    expect(ask(usage, limits)).toEqual({ ...limited, first: true })
    expect(ask(usage, limits)).toEqual({ ...limited, first: false })
    admitted(ask(usage, limits, 0, 'anthropic'))
    first.release()
    admitted(ask(usage, limits))
    now += 61_000
    admitted(ask(usage, limits))
    admitted(ask(usage, limits))
    expect(ask(usage, limits)).toMatchObject({ first: true })
  })

  it('hold tokens a day until midnight UTC, over a restart too', () => {
    const limits = { tokensPerDay: 200 }
    const before = open().usage
    spend(before, {}, limits)
    spend(before, {}, limits)
    before[Symbol.dispose]()
    const { usage } = open()
    const limited = {
      ...{
        limit: 'tokens_per_day',
        why: 'used_up',
        retryAfterSeconds: 43_200,
        needed: 0,
        left: 0,
        most: 200,
      },
    }
    expect(ask(usage, limits)).toEqual({ ...limited, first: true })
    expect(ask(usage, limits)).toEqual({ ...limited, first: false })
    expect(ask(usage, { tokensPerDay: 241 })).not.toHaveProperty('limit')
    now = Date.UTC(2030, 0, 2, 23, 59, 59, 999)
    expect(ask(usage, limits)).toEqual({ ...limited, retryAfterSeconds: 1, first: false })
    now += 1
    spend(usage, {}, limits)
    spend(usage, {}, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day', first: true })
  })

  it('hold them over a clock that is set back and forth', () => {
    const { usage } = open()
    const limits = { tokensPerDay: 200 }
    spend(usage, {}, limits)
    spend(usage, {}, limits)
    now -= 86_400_000
    admitted(ask(usage, limits)).release()
    now += 86_400_000
    expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day' })
  })

  it('hold money a day, by price and by what the vendor told', () => {
    const { usage } = open()
    const limits = { microUsdPerDay: 500 }
    spend(usage, {}, limits)
    spend(usage, { model: 'gpt-unknown', usage: { ...SPENT, toldMicroUsd: 100 } }, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'usd_per_day', first: true })
  })

  it('do not let many requests at once pass a limit together', () => {
    const { usage } = open()
    for (const [limits, tokens] of [
      [{ tokensPerDay: 100 }, 60],
      [{ microUsdPerDay: 100 }, 25],
    ] as const) {
      const one = admitted(ask(usage, limits, tokens))
      expect(ask(usage, limits, tokens)).toMatchObject({ first: false, retryAfterSeconds: 2 })
      one.release()
      one.release()
      admitted(ask(usage, limits, tokens)).release()
    }
  })

  it('count what will have been used where the answer did not tell, in the limits alone', () => {
    const { usage, repository } = open()
    const limits = { tokensPerDay: 100 }
    const guess = { inputTokens: 60, outputTokens: 50 }
    spend(usage, { usage: null, failed: true, guess }, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day' })
    const money = { microUsdPerDay: 100 }
    expect(ask(usage, money)).toMatchObject({ limit: 'usd_per_day' })
    usage.flush()
    expect(repository.since('2030-01-02')).toMatchObject([{ inputTokens: 0, outputTokens: 0, microUsd: 0 }])
    expect(usage.totals()).toMatchObject([{ inputTokens: 0, outputTokens: 0 }])
  })

  it('take nothing out of the limits for an answer that told, whatever was guessed', () => {
    const { usage } = open()
    spend(usage, { guess: { inputTokens: 1_000_000, outputTokens: 0 } })
    expect(ask(usage, { tokensPerDay: 1_000 })).not.toHaveProperty('limit')
  })

  it('refuse a model without a price where money is limited', () => {
    const { usage } = open()
    const limits = { microUsdPerDay: 100 }
    for (const model of ['gpt-unknown', null]) {
      expect(ask(usage, limits, 10, 'openai', { model })).toEqual({ limit: 'no_price' })
      expect(ask(usage, {}, 10, 'openai', { model })).not.toHaveProperty('limit')
      // Its price is told afterwards: as much is held as the dearest model costs.
      expect(ask(usage, limits, 10, 'openrouter', { model, tellsCost: true })).toMatchObject({
        needed: 1_500,
      })
      admitted(ask(usage, { microUsdPerDay: 1_500 }, 10, 'openrouter', { model, tellsCost: true })).release()
      // A list of models uses no tokens.
      admitted(ask(usage, limits, 0, 'openai', { model })).release()
    }
  })

  it('let nothing out that does not fit, alone or beside others, and say why', () => {
    const { usage } = open()
    const limits = { tokensPerDay: 100 }
    expect(ask(usage, limits, 101)).toMatchObject({ why: 'too_large', needed: 101, left: 100, most: 100 })
    const one = admitted(ask(usage, limits, 60))
    expect(ask(usage, limits, 41)).toMatchObject({ why: 'under_way', left: 40, retryAfterSeconds: 2 })
    admitted(ask(usage, limits, 40)).release()
    one.settle({ model: 'gpt-4o', keyId: 1, failed: true, usage: null, guess: 'reservation' })
    expect(ask(usage, limits, 41)).toMatchObject({ why: 'too_large', left: 40, retryAfterSeconds: 43_200 })
    admitted(ask(usage, limits, 40))
  })

  it('give a request that does not say its length what there is room for, of tokens and of money', () => {
    const { usage } = open()
    const open10 = (limits: Partial<SpendingLimits>, uncapped = 2) =>
      usage.admit({
        ...{ agentId: AGENT, provider: 'openai', model: 'gpt-4o', tellsCost: false },
        limits: { ...UNLIMITED, ...limits },
        estimate: { inputTokens: 100, outputTokens: 20_000 * uncapped, uncapped },
      })
    const capOf = (answer: ReturnType<typeof open10>): number | null => {
      const place = admitted(answer)
      place.release()
      return place.cap
    }
    expect(capOf(open10({}))).toBeNull()
    expect(capOf(open10({ tokensPerDay: 40_100 }))).toBeNull()
    expect(capOf(open10({ tokensPerDay: 40_099 }))).toBe(19_999)
    expect(capOf(open10({ tokensPerDay: 132 }))).toBe(16)
    expect(open10({ tokensPerDay: 131 })).toMatchObject({ why: 'too_large', needed: 40_100 })
    // 250 for the input, 10 a token.
    expect(capOf(open10({ microUsdPerDay: 1_250 }))).toBe(50)
    expect(capOf(open10({ microUsdPerDay: 1_250, tokensPerDay: 150 }))).toBe(25)
    expect(open10({ microUsdPerDay: 300 })).toMatchObject({ limit: 'usd_per_day', why: 'too_large' })
  })

  it('hold what was counted without figures over a restart', () => {
    const before = open().usage
    const limits = { tokensPerDay: 100, microUsdPerDay: 10_000 }
    admitted(ask(before, limits, 90)).settle({
      ...{ model: 'gpt-4o', keyId: 1, failed: true, usage: null, guess: 'reservation' },
    })
    before[Symbol.dispose]()
    const { usage } = open()
    expect(ask(usage, limits, 11)).toMatchObject({ limit: 'tokens_per_day', left: 10 })
    expect(ask(usage, { microUsdPerDay: 250 }, 11)).toMatchObject({ limit: 'usd_per_day', left: 25 })
    expect(usage.report('day', '2030-01-02')).toMatchObject([{ inputTokens: 0, microUsd: 0 }])
  })

  it('hold money for the dearest of the models that a request names, at the dearest rate of its input', () => {
    const { usage } = open()
    const needed = (models: readonly (string | null)[], provider = 'openai', inputTokens = 1_000) =>
      usage.admit({
        ...{ agentId: AGENT, provider, model: models[0] ?? null, moreModels: models },
        ...{ tellsCost: provider === 'openrouter', limits: { ...UNLIMITED, microUsdPerDay: 1 } },
        estimate: { inputTokens, outputTokens: 0 },
      })
    expect(needed(['gpt-4o-mini'])).toMatchObject({ needed: 150 })
    expect(needed(['gpt-4o-mini', 'gpt-4o'])).toMatchObject({ needed: 2_500 })
    expect(needed(['gpt-4o-mini', 'gpt-unknown'])).toEqual({ limit: 'no_price' })
    // Written to a cache, and above the border of a long context.
    expect(needed(['claude-sonnet-4-5'], 'anthropic')).toMatchObject({ needed: 3_750 })
    expect(needed(['claude-sonnet-4-5'], 'anthropic', 300_000)).toMatchObject({ needed: 2_250_000 })
    expect(needed(['anthropic/claude-sonnet-4.5:nitro'], 'openrouter')).toMatchObject({ needed: 3_750 })
    expect(needed(['nobody/knows'], 'openrouter')).toMatchObject({ needed: 150_000 })
  })

  it('count a request once, whatever is called on it afterwards', () => {
    const { usage } = open()
    const one = admitted(ask(usage))
    const entry = { model: 'gpt-4o', keyId: 1, failed: false, usage: SPENT }
    one.settle(entry)
    one.settle(entry)
    one.release()
    expect(usage.totals()).toMatchObject([{ requests: 1 }])
  })

  it('name models in characters that show, and a thousand a day at most', () => {
    const { usage, repository } = open()
    spend(usage, { model: `a\u202eb\0${'x'.repeat(500)}` })
    for (let n = 0; n < 1_200; n += 1) spend(usage, { model: `made-up-${n}` })
    usage.flush()
    const names = repository.since('2030-01-02').map(({ model }) => model)
    expect(names.length).toBe(1_001)
    expect(names).toContain('other')
    expect(names.find((name) => name.startsWith('a'))).toMatch(/^a⟨U\+202E⟩b⟨U\+0000⟩x{110}$/)
    expect(usage.report('agent', '2030-01-02')).toMatchObject([{ requests: 1_201 }])
  })

  it('stay exact at sums that no vendor tells honestly', () => {
    const { usage, repository } = open()
    const huge = { ...SPENT, input: Number.MAX_SAFE_INTEGER, output: Number.MAX_SAFE_INTEGER }
    for (let n = 0; n < 3; n += 1) {
      spend(usage, { usage: huge })
      spend(usage, { usage: huge })
      usage.flush()
    }
    expect(repository.since('2030-01-02')).toMatchObject([
      { requests: 6, inputTokens: Number.MAX_SAFE_INTEGER, microUsd: Number.MAX_SAFE_INTEGER },
    ])
    expect(ask(usage, { tokensPerDay: 1 })).toMatchObject({ limit: 'tokens_per_day' })
  })

  it("take the owner's price from then on, and tell the audit", () => {
    const { usage, audit } = open()
    const price = {
      provider: 'openai',
      model: 'gpt-*',
      input: 1_000_000,
      output: 0,
      cacheRead: null,
      cacheWrite: null,
    }
    usage.setPrice(price, 'cli:0')
    spend(usage, { model: 'gpt-x' })
    expect(usage.totals()).toMatchObject([{ microUsd: 100 }])
    expect(usage.prices()[0]).toEqual({ ...price, own: true })
    usage.removePrice('openai', 'gpt-*', 'cli:0')
    expect(usage.prices().some(({ own }) => own)).toBe(false)
    expect(() => usage.removePrice('openai', 'gpt-*', 'cli:0')).toThrow('no own price')
    expect(audit.newest(9).map(({ event, data }) => [event, data])).toEqual([
      ['price.set', '{"model":"gpt-*","provider":"openai","removed":true}'],
      [
        'price.set',
        '{"cache_read":null,"cache_write":null,"input":1000000,"model":"gpt-*","output":0,"provider":"openai"}',
      ],
    ])
  })

  it("take the owner's prices of sound, images and pieces, before the built-in ones", () => {
    const { usage, audit } = open()
    const price = {
      ...{
        provider: 'openai',
        model: 'm',
        input: 1_000_000,
        output: 2_000_000,
        cacheRead: null,
        cacheWrite: null,
      },
      ...{ audioInput: 10_000_000, audioOutput: 20_000_000, imageInput: 3_000_000, imageOutput: 40_000_000 },
      items: { web_search: 5_000, image: 7_000 },
    }
    usage.setPrice(price, 'cli:0')
    expect(usage.prices()[0]).toEqual({ ...price, own: true })
    const told = { input: 100, output: 100, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
    const cost = (extras: object) => priced({ ...told, extras }, price, 'openai', 'm')
    expect(cost({ audioInput: 100, audioOutput: 100 })).toEqual({ microUsd: 3_000, isWhole: true })
    expect(cost({ imageInput: 100, imageOutput: 100 })).toEqual({ microUsd: 4_300, isWhole: true })
    // An image has no built-in price, a web search has another.
    expect(cost({ items: { web_search: 2, image: 1 } })).toEqual({ microUsd: 300 + 17_000, isWhole: true })
    // What the owner does not name keeps its own, and what has none stays unpriced.
    expect(cost({ items: { file_search: 1 } })).toEqual({ microUsd: 300 + 2_500, isWhole: true })
    expect(cost({ items: { page: 1 } }).isWhole).toBe(false)
    // Under a limit the dearest that an answer may be made of is held.
    expect(dearestCost(price, 'm', { input: 0, output: 1_000_000 })).toBe(40_000_000)
    expect(audit.newest(1)[0]?.data).toContain('"items":{"image":7000,"web_search":5000}')
  })

  it.each<object>([
    { audioInput: -1 },
    { imageOutput: 0.5 },
    { items: { image: -1 } },
    { items: { other: 1 } },
    { items: { nothing_known: 1 } },
    { items: { toString: 1 } },
    { input: -1 },
    { input: 0.5 },
    { output: 1e300 },
    { cacheRead: -1 },
    { model: '' },
    { model: 'a*b' },
    { model: 'a\u202e' },
    { provider: 'X' },
  ])('take no price like %j', (wrong) => {
    const price = { provider: 'openai', model: 'm', input: 1, output: 1, cacheRead: null, cacheWrite: null }
    expect(() => open().usage.setPrice({ ...price, ...wrong }, 'cli:0')).toThrow()
  })
})
