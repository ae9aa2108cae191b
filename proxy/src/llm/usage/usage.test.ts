import { expect, it } from 'vitest'
import { describeEngines } from '../../../test/support/engines.ts'
import { AGENT, admitted, ask, defects, SPENT, spend, useUsage } from '../../../test/support/usage-kit.ts'
import { dearestCost, priced } from './prices.ts'

describeEngines('usage', (kit) => {
  const world = useUsage(kit)
  const { open, stored } = world

  it('add what was settled, and are on disk together', async () => {
    const { usage } = await open()
    spend(usage)
    spend(usage, { failed: true, usage: null })
    spend(usage, { usage: null })
    spend(usage, { model: 'gpt-unknown' })
    spend(usage, { keyId: 2, usage: { ...SPENT, toldMicroUsd: 7 } })
    expect(await stored('2030-01-02')).toEqual([])
    await usage.flush()
    expect(world.added).toBe(1)
    const row = { day: '2030-01-02', agentId: AGENT, provider: 'openai', inputTokens: 100, outputTokens: 20 }
    const counts = {
      failed: 0,
      unreported: 0,
      cacheReadTokens: 40,
      cacheWriteTokens: 0,
      unpriced: 0,
      requests: 1,
      ...{ assumedTokens: 0, assumedMicroUsd: 0 },
    }
    expect(await stored('2030-01-02')).toEqual([
      { ...row, ...counts, model: 'gpt-4o', keyId: 1, requests: 3, failed: 1, unreported: 1, microUsd: 400 },
      { ...row, ...counts, model: 'gpt-4o', keyId: 2, microUsd: 7 },
      { ...row, ...counts, model: 'gpt-unknown', keyId: 1, microUsd: 0, unpriced: 1 },
    ])
    await usage.flush()
    expect(world.added).toBe(1)
    spend(usage)
    await usage[Symbol.asyncDispose]()
    expect(await usage.report('agent', '2030-01-01')).toMatchObject([
      { key: 'demo', requests: 6, inputTokens: 400 },
    ])
  })

  it('reckon with the price of the model that was asked for where the answer names one without a price', async () => {
    const { usage } = await open()
    spend(usage, { model: 'gpt-unknown', askedModel: 'gpt-4o' })
    expect(await usage.report('model', '2030-01-02')).toMatchObject([{ microUsd: 400, unpriced: 0 }])
    spend(usage, { model: 'gpt-4o-mini', askedModel: 'gpt-4o' })
    expect((await usage.report('model', '2030-01-02'))[1]?.microUsd).not.toBe(400)
  })

  it('let nobody past a limit of money by an answer under a name without a price', async () => {
    const { usage } = await open()
    const limits = { microUsdPerDay: 400 }
    spend(usage, { model: 'gpt-unknown', askedModel: 'gpt-4o' }, limits)
    expect(ask(usage, limits)).toMatchObject({ limit: 'usd_per_day' })
  })

  it('count what was reserved where the price is gone, with figures or without', async () => {
    for (const entry of [{ usage: SPENT }, { usage: null, guess: { inputTokens: 9, outputTokens: 9 } }]) {
      const { usage } = await open()
      const limits = { microUsdPerDay: 2_500 }
      // A thousand tokens of gpt-4o are reserved: 2500 millionths.
      const place = admitted(ask(usage, limits, 1_000))
      place.settle({ model: 'gpt-unknown', askedModel: 'gpt-gone', keyId: 1, failed: false, ...entry })
      expect(ask(usage, limits, 0)).toMatchObject({ limit: 'usd_per_day' })
      expect(await usage.report('day', '2030-01-02')).toMatchObject([{ microUsd: 0 }])
    }
  })

  it('are written soon after the first that is not written', async () => {
    const { usage } = await open(1)
    spend(usage)
    await expect.poll(async () => (await stored('2030-01-02')).length).toBe(1)
  })

  it('report what is on disk and what is not yet, by agent, model and day', async () => {
    const { usage } = await open()
    spend(usage)
    await usage.flush()
    spend(usage, { model: 'gpt-4o-mini' })
    world.now += 86_400_000
    spend(usage, { model: '' })
    expect((await usage.report('day', '2030-01-01')).map(({ key, requests }) => [key, requests])).toEqual([
      ['2030-01-02', 2],
      ['2030-01-03', 1],
    ])
    expect((await usage.report('model', '2030-01-02')).map(({ key }) => key)).toEqual([
      ...['openai/gpt-4o', 'openai/gpt-4o-mini', 'openai/?'],
    ])
    expect(await usage.report('agent', '2030-01-03')).toMatchObject([{ key: 'demo', requests: 1 }])
    expect(usage.totals()).toEqual([
      { provider: 'openai', requests: 3, inputTokens: 300, outputTokens: 60, microUsd: 424 },
    ])
    await expect(usage.report('day', '2030-1-1')).rejects.toThrow('YYYY-MM-DD')
  })

  it('keep the sums when a write fails, tell it once, and write them with the next', async () => {
    const { usage } = await open()
    spend(usage)
    const failure = new Error('disk full')
    world.failWith = failure
    await usage.flush()
    await usage.flush()
    expect(defects).toEqual([failure])
    expect(await stored('2030-01-02')).toEqual([])
    spend(usage)
    world.failWith = null
    await usage[Symbol.asyncDispose]()
    expect(await stored('2030-01-02')).toMatchObject([{ requests: 2, inputTokens: 200 }])
  })

  it('count what is being written once, whether it comes to the disk or not', async () => {
    const { usage } = await open()
    for (const failure of [null, new Error('disk full')]) {
      const held = Promise.withResolvers<void>()
      world.until = held.promise
      world.failWith = failure
      spend(usage)
      const flushed = usage.flush()
      spend(usage)
      const again = usage.flush()
      const reported = usage.report('day', '2030-01-02')
      // Another day and back, while it is under way.
      world.now += 86_400_000
      ask(usage, { tokensPerDay: 1 })
      world.now -= 86_400_000
      const counted = failure === null ? 240 : 480
      expect(ask(usage, { tokensPerDay: counted + 10 }, 11)).toMatchObject({ left: 10 })
      held.resolve()
      await Promise.all([flushed, again])
      expect(await reported).toMatchObject([{ inputTokens: failure === null ? 200 : 400 }])
      expect(ask(usage, { tokensPerDay: counted + 10 }, 11)).toMatchObject({ left: 10 })
    }
    world.failWith = null
    await usage[Symbol.asyncDispose]()
    expect(await stored('2030-01-02')).toMatchObject([{ requests: 4, inputTokens: 400 }])
  })

  it('count a request once, whatever is called on it afterwards', async () => {
    const { usage } = await open()
    const one = admitted(ask(usage))
    const entry = { model: 'gpt-4o', keyId: 1, failed: false, usage: SPENT }
    one.settle(entry)
    one.settle(entry)
    one.release()
    expect(usage.totals()).toMatchObject([{ requests: 1 }])
  })

  it('name models in characters that show, and a thousand a day at most', async () => {
    const { usage } = await open()
    spend(usage, { model: `a\u202eb\0${'x'.repeat(500)}` })
    for (let n = 0; n < 1_200; n += 1) spend(usage, { model: `made-up-${n}` })
    await usage.flush()
    const names = (await stored('2030-01-02')).map(({ model }) => model)
    expect(names.length).toBe(1_001)
    expect(names).toContain('other')
    expect(names.find((name) => name.startsWith('a'))).toMatch(/^a⟨U\+202E⟩b⟨U\+0000⟩x{110}$/)
    expect(await usage.report('agent', '2030-01-02')).toMatchObject([{ requests: 1_201 }])
  })

  it('stay exact at sums that no vendor tells honestly', async () => {
    const { usage } = await open()
    const huge = { ...SPENT, input: Number.MAX_SAFE_INTEGER, output: Number.MAX_SAFE_INTEGER }
    for (let n = 0; n < 3; n += 1) {
      spend(usage, { usage: huge })
      spend(usage, { usage: huge })
      await usage.flush()
    }
    expect(await stored('2030-01-02')).toMatchObject([
      { requests: 6, inputTokens: Number.MAX_SAFE_INTEGER, microUsd: Number.MAX_SAFE_INTEGER },
    ])
    expect(ask(usage, { tokensPerDay: 1 })).toMatchObject({ limit: 'tokens_per_day' })
  })

  it("take the owner's price from then on, and tell the audit", async () => {
    const { usage, audit } = await open()
    const price = {
      provider: 'openai',
      model: 'gpt-*',
      input: 1_000_000,
      output: 0,
      cacheRead: null,
      cacheWrite: null,
    }
    await usage.setPrice(price, 'cli:0')
    spend(usage, { model: 'gpt-x' })
    expect(usage.totals()).toMatchObject([{ microUsd: 100 }])
    expect(usage.prices()[0]).toEqual({ ...price, own: true })
    await usage.removePrice('openai', 'gpt-*', 'cli:0')
    expect(usage.prices().some(({ own }) => own)).toBe(false)
    await expect(usage.removePrice('openai', 'gpt-*', 'cli:0')).rejects.toThrow('no own price')
    expect((await audit.newest(9)).map(({ event, data }) => [event, data])).toEqual([
      ['price.set', '{"model":"gpt-*","provider":"openai","removed":true}'],
      [
        'price.set',
        '{"cache_read":null,"cache_write":null,"input":1000000,"model":"gpt-*","output":0,"provider":"openai"}',
      ],
    ])
  })

  it("take the owner's prices of sound, images and pieces, before the built-in ones", async () => {
    const { usage, audit } = await open()
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
    await usage.setPrice(price, 'cli:0')
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
    expect((await audit.newest(1))[0]?.data).toContain('"items":{"image":7000,"web_search":5000}')
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
  ])('take no price like %j', async (wrong) => {
    const price = { provider: 'openai', model: 'm', input: 1, output: 1, cacheRead: null, cacheWrite: null }
    const { usage } = await open()
    await expect(usage.setPrice({ ...price, ...wrong }, 'cli:0')).rejects.toThrow()
  })
})
