import { expect, it } from 'vitest'
import { describeEngines } from '../../../test/support/engines.ts'
import { AGENT, admitted, ask, SPENT, spend, UNLIMITED, useUsage } from '../../../test/support/usage-kit.ts'
import type { SpendingLimits } from './ports.ts'

describeEngines('usage', (kit) => {
  const world = useUsage(kit)
  const { open, stored } = world

  it('hold requests a minute, and tell the owner of the first refusal in it alone', async () => {
    const { usage } = await open()
    const limits = { requestsPerMinute: 2 }
    const first = admitted(ask(usage, limits))
    admitted(ask(usage, limits))
    world.now += 10_000
    const limited = {
      ...{ limit: 'requests_per_minute', why: 'used_up', retryAfterSeconds: 51, needed: 1, left: 0, most: 2 },
    }
    expect(ask(usage, limits)).toEqual({ ...limited, first: true })
    expect(ask(usage, limits)).toEqual({ ...limited, first: false })
    admitted(ask(usage, limits, 0, 'anthropic'))
    first.release()
    admitted(ask(usage, limits))
    world.now += 61_000
    admitted(ask(usage, limits))
    admitted(ask(usage, limits))
    expect(ask(usage, limits)).toMatchObject({ first: true })
  })

  it('hold tokens a day until midnight UTC, over a restart too', async () => {
    const limits = { tokensPerDay: 200 }
    const before = (await open()).usage
    spend(before, {}, limits)
    spend(before, {}, limits)
    await before[Symbol.asyncDispose]()
    const { usage } = await open()
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
    world.now = Date.UTC(2030, 0, 2, 23, 59, 59, 999)
    expect(ask(usage, limits)).toEqual({ ...limited, retryAfterSeconds: 1, first: false })
    world.now += 1
    spend(usage, {}, limits)
    spend(usage, {}, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day', first: true })
  })

  it('hold them over a clock that is set back and forth', async () => {
    const { usage } = await open()
    const limits = { tokensPerDay: 200 }
    spend(usage, {}, limits)
    spend(usage, {}, limits)
    world.now -= 86_400_000
    admitted(ask(usage, limits)).release()
    world.now += 86_400_000
    expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day' })
  })

  it('read nothing for a request, not even over midnight', async () => {
    const { usage } = await open()
    const limits = { tokensPerDay: 200 }
    for (let day = 0; day < 3; day += 1) {
      spend(usage, {}, limits)
      spend(usage, {}, limits)
      expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day' })
      await usage.flush()
      world.now += 86_400_000
    }
    expect(world.reads).toBe(0)
    expect(world.added).toBe(3)
  })

  it('let nobody past a limit of a day that is not known, and hold it once the disk has told', async () => {
    const limits = { tokensPerDay: 200 }
    const before = (await open()).usage
    spend(before, {}, limits)
    await before[Symbol.asyncDispose]()
    world.now += 30 * 86_400_000
    const { usage } = await open()
    spend(usage, {}, limits)
    world.now -= 30 * 86_400_000
    const failing = expect.objectContaining({ code: 'storage_unavailable', retryAfterSeconds: 1 })
    expect(() => ask(usage, limits)).toThrow(failing)
    // What is not limited by the day passes, and counts.
    spend(usage, {}, { requestsPerMinute: 9 })
    await expect.poll(() => tryTo(() => ask(usage, limits))).toMatchObject({ limit: 'tokens_per_day' })
    expect(world.reads).toBe(1)
    expect(await usage.report('day', '2030-01-02')).toMatchObject([{ requests: 2 }, { requests: 1 }])
  })
  const tryTo = (work: () => unknown): unknown => {
    try {
      return work()
    } catch (error) {
      return error
    }
  }

  it('hold money a day, by price and by what the vendor told', async () => {
    const { usage } = await open()
    const limits = { microUsdPerDay: 500 }
    spend(usage, {}, limits)
    spend(usage, { model: 'gpt-unknown', usage: { ...SPENT, toldMicroUsd: 100 } }, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'usd_per_day', first: true })
  })

  it('do not let many requests at once pass a limit together', async () => {
    const { usage } = await open()
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

  it('count what will have been used where the answer did not tell, in the limits alone', async () => {
    const { usage } = await open()
    const limits = { tokensPerDay: 100 }
    const guess = { inputTokens: 60, outputTokens: 50 }
    spend(usage, { usage: null, failed: true, guess }, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'tokens_per_day' })
    const money = { microUsdPerDay: 100 }
    expect(ask(usage, money)).toMatchObject({ limit: 'usd_per_day' })
    await usage.flush()
    expect(await stored('2030-01-02')).toMatchObject([{ inputTokens: 0, outputTokens: 0, microUsd: 0 }])
    expect(usage.totals()).toMatchObject([{ inputTokens: 0, outputTokens: 0 }])
  })

  it('take nothing out of the limits for an answer that told, whatever was guessed', async () => {
    const { usage } = await open()
    spend(usage, { guess: { inputTokens: 1_000_000, outputTokens: 0 } })
    expect(ask(usage, { tokensPerDay: 1_000 })).not.toHaveProperty('limit')
  })

  it('refuse a model without a price where money is limited', async () => {
    const { usage } = await open()
    const limits = { microUsdPerDay: 100 }
    for (const model of ['gpt-unknown', null]) {
      expect(ask(usage, limits, 10, 'openai', { model })).toEqual({ limit: 'no_price' })
      expect(ask(usage, {}, 10, 'openai', { model })).not.toHaveProperty('limit')
      // Its price is told afterwards: as much is held as the dearest model costs.
      expect(ask(usage, limits, 10, 'openrouter', { model, reportsCost: true })).toMatchObject({
        needed: 1_500,
      })
      admitted(
        ask(usage, { microUsdPerDay: 1_500 }, 10, 'openrouter', { model, reportsCost: true }),
      ).release()
      // A list of models uses no tokens.
      admitted(ask(usage, limits, 0, 'openai', { model })).release()
    }
  })

  it('let nothing out that does not fit, alone or beside others, and say why', async () => {
    const { usage } = await open()
    const limits = { tokensPerDay: 100 }
    expect(ask(usage, limits, 101)).toMatchObject({ why: 'too_large', needed: 101, left: 100, most: 100 })
    const one = admitted(ask(usage, limits, 60))
    expect(ask(usage, limits, 41)).toMatchObject({ why: 'under_way', left: 40, retryAfterSeconds: 2 })
    admitted(ask(usage, limits, 40)).release()
    one.settle({ model: 'gpt-4o', keyId: 1, failed: true, usage: null, guess: 'reservation' })
    expect(ask(usage, limits, 41)).toMatchObject({ why: 'too_large', left: 40, retryAfterSeconds: 43_200 })
    admitted(ask(usage, limits, 40))
  })

  it('give a request that does not say its length what there is room for, of tokens and of money', async () => {
    const { usage } = await open()
    const open10 = (limits: Partial<SpendingLimits>, uncapped = 2) =>
      usage.reserveQuota({
        ...{ agentId: AGENT, provider: 'openai', model: 'gpt-4o', reportsCost: false },
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

  it('hold what was counted without figures over a restart', async () => {
    const before = (await open()).usage
    const limits = { tokensPerDay: 100, microUsdPerDay: 10_000 }
    admitted(ask(before, limits, 90)).settle({
      ...{ model: 'gpt-4o', keyId: 1, failed: true, usage: null, guess: 'reservation' },
    })
    await before[Symbol.asyncDispose]()
    const { usage } = await open()
    expect(ask(usage, limits, 11)).toMatchObject({ limit: 'tokens_per_day', left: 10 })
    expect(ask(usage, { microUsdPerDay: 250 }, 11)).toMatchObject({ limit: 'usd_per_day', left: 25 })
    expect(await usage.report('day', '2030-01-02')).toMatchObject([{ inputTokens: 0, microUsd: 0 }])
  })

  it('hold money for the dearest of the models that a request names, at the dearest rate of its input', async () => {
    const { usage } = await open()
    const needed = (models: readonly (string | null)[], provider = 'openai', inputTokens = 1_000) =>
      usage.reserveQuota({
        ...{ agentId: AGENT, provider, model: models[0] ?? null, moreModels: models },
        ...{ reportsCost: provider === 'openrouter', limits: { ...UNLIMITED, microUsdPerDay: 1 } },
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
})
