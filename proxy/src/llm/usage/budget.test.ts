import { expect, it } from 'vitest'
import { describeEngines } from '../../../test/support/engines.ts'
import { admitted, SPENT, UNLIMITED, useUsage } from '../../../test/support/usage-kit.ts'
import type { AppId } from '../../kernel/index.ts'
import { createBudget } from './budget.ts'
import type { Budget, BudgetLimits, SpendingLimits, Usage } from './ports.ts'

const APP = 'app_0000000000000001' as AppId
const FREE: BudgetLimits = { microUsd: null, tokens: null, requests: null }

interface Asked {
  readonly budget: Budget
  readonly limits?: Partial<SpendingLimits>
  readonly input?: number
  readonly output?: number
  readonly isLowered?: boolean
}

const ask = (usage: Usage, { budget, limits = {}, input = 0, output = 0, isLowered = false }: Asked) =>
  usage.reserveQuota({
    ...{ agentId: APP, provider: 'openai', model: 'gpt-4o', reportsCost: false, budget },
    limits: { ...UNLIMITED, ...limits },
    estimate: {
      ...{ inputTokens: input, outputTokens: output },
      ...(isLowered && { uncapped: 1, shortest: Math.min(output, 100) }),
    },
  })

const SETTLED = { model: 'gpt-4o', keyId: 1, failed: false } as const

describeEngines('a budget', (kit) => {
  const world = useUsage(kit)

  it('is no day’s: what was used stays used', async () => {
    const { usage } = await world.open()
    const budget = createBudget({ ...FREE, tokens: 200 })
    admitted(ask(usage, { budget, input: 100 })).settle({ ...SETTLED, usage: SPENT })
    world.now += 3 * 86_400_000
    expect(ask(usage, { budget, input: 100 })).toMatchObject({
      limit: 'budget_tokens',
      why: 'too_large',
      left: 80,
    })
    admitted(ask(usage, { budget, input: 80 })).settle({ ...SETTLED, usage: SPENT })
    expect(ask(usage, { budget })).toMatchObject({ limit: 'budget_tokens', why: 'used_up' })
    expect(budget.sums).toMatchObject({
      requests: 2,
      underWay: 0,
      inputTokens: 200,
      outputTokens: 40,
      cacheReadTokens: 80,
    })
  })

  it('counts what is under way with the most that it may use, and gives the rest back', async () => {
    const { usage } = await world.open()
    const budget = createBudget({ ...FREE, microUsd: 10_000 })
    const first = admitted(ask(usage, { budget, output: 900 }))
    expect(ask(usage, { budget, output: 900 })).toMatchObject({
      limit: 'budget_usd',
      why: 'under_way',
      needed: 9_000,
    })
    const freed = usage.roomFreed({ agentId: APP, provider: 'openai' })
    first.settle({ ...SETTLED, usage: SPENT })
    await freed
    admitted(ask(usage, { budget, output: 900 })).release()
    expect(budget.sums).toMatchObject({ requests: 1, underWay: 0, microUsd: 400 })
  })

  it('counts all that was held for an answer without figures, and says that it is assumed', async () => {
    const { usage } = await world.open()
    const budget = createBudget({ ...FREE, microUsd: 10_000 })
    admitted(ask(usage, { budget, output: 900 })).settle({ ...SETTLED, usage: null, guess: 'reservation' })
    expect(budget.sums).toMatchObject({ microUsd: 0, assumedMicroUsd: 9_000, outputTokens: 0 })
    expect(ask(usage, { budget, output: 200 })).toMatchObject({ limit: 'budget_usd', why: 'too_large' })
  })

  it('counts requests that went out, and none that did not', async () => {
    const { usage } = await world.open()
    const budget = createBudget({ ...FREE, requests: 2 })
    admitted(ask(usage, { budget })).release()
    admitted(ask(usage, { budget })).settle({ ...SETTLED, usage: SPENT })
    admitted(ask(usage, { budget }))
    expect(ask(usage, { budget })).toMatchObject({ limit: 'budget_requests', why: 'used_up', most: 2 })
  })

  it('lowers a maximum to the smaller of its own room and its caller’s, and no further than is of use', async () => {
    const { usage } = await world.open()
    const budget = createBudget({ ...FREE, tokens: 1_000 })
    const limits = { tokensPerDay: 700 }
    const one = admitted(ask(usage, { budget, limits, input: 100, output: 5_000, isLowered: true }))
    expect(one.cap).toBe(600)
    expect(ask(usage, { budget, limits, input: 100, output: 5_000, isLowered: true })).toMatchObject({
      ...{ limit: 'tokens_per_day', why: 'under_way', needed: 200 },
    })
    one.settle({ ...SETTLED, usage: { ...SPENT, input: 400, output: 100 } })
    expect(admitted(ask(usage, { budget, limits, input: 100, output: 5_000, isLowered: true })).cap).toBe(100)
    const another = createBudget({ ...FREE, tokens: 150 })
    expect(ask(usage, { budget: another, input: 100, output: 5_000, isLowered: true })).toMatchObject({
      ...{ limit: 'budget_tokens', why: 'too_large', needed: 200 },
    })
  })

  it('knows of no price where one is wanting', async () => {
    const { usage } = await world.open()
    const unpriced = {
      agentId: APP,
      provider: 'openai',
      model: 'unheard-of',
      reportsCost: false,
      limits: UNLIMITED,
    }
    const estimate = { inputTokens: 1, outputTokens: 1 }
    const limited = createBudget({ ...FREE, microUsd: 1_000_000 })
    expect(usage.reserveQuota({ ...unpriced, estimate, budget: limited })).toEqual({ limit: 'no_price' })
    const budget = createBudget(FREE)
    const settled = { ...SETTLED, model: 'unheard-of' }
    admitted(usage.reserveQuota({ ...unpriced, estimate, budget })).settle({ ...settled, usage: SPENT })
    admitted(usage.reserveQuota({ ...unpriced, estimate, budget })).settle({
      ...settled,
      usage: null,
      guess: estimate,
    })
    expect(budget.sums).toMatchObject({ unpriced: 2, requests: 2 })
  })

  it('stands beside the limits of an app, which hold over a restart as those of agents do', async () => {
    const limits = { tokensPerDay: 200 }
    const before = (await world.open()).usage
    for (const budget of [createBudget(FREE), createBudget(FREE)]) {
      admitted(ask(before, { budget, limits })).settle({ ...SETTLED, usage: SPENT })
    }
    await before[Symbol.asyncDispose]()
    expect(await world.stored('2030-01-02')).toMatchObject([
      { agentId: APP, inputTokens: 200, outputTokens: 40 },
    ])
    const { usage } = await world.open()
    expect(ask(usage, { budget: createBudget(FREE), limits })).toMatchObject({
      limit: 'tokens_per_day',
      why: 'used_up',
    })
  })

  it('is at rest once all is over', async () => {
    const { usage } = await world.open()
    const budget = createBudget(FREE)
    const [one, other] = [admitted(ask(usage, { budget })), admitted(ask(usage, { budget }))]
    let isIdle = false
    const idle = budget.idle().then(() => {
      isIdle = true
    })
    one.settle({ ...SETTLED, usage: SPENT })
    await Promise.resolve()
    expect([isIdle, budget.sums.underWay]).toEqual([false, 1])
    other.release()
    await idle
    expect(budget.sums.requests).toBe(1)
  })
})
