import { describe, expect, it } from 'vitest'
import type { Price } from './ports.ts'
import { costOf, createPriceBook } from './prices.ts'

const price = (model: string, input: number, rest: Partial<Price> = {}): Price => ({
  ...{ provider: 'openai', model, input, output: 0, cacheRead: null, cacheWrite: null },
  ...rest,
})
const usage = { input: 1_000, output: 10, cacheRead: 600, cacheWrite: 100, toldMicroUsd: null }

describe('prices', () => {
  it.each([
    ['openai', 'gpt-4o', 2_500_000],
    ['openai', 'gpt-4o-2024-08-06', 2_500_000],
    ['openai', 'gpt-4o-2024-05-13', 5_000_000],
    ['anthropic', 'claude-sonnet-4-5-20250929', 3_000_000],
    ['anthropic', 'claude-sonnet-5-5', 2_000_000],
    ['anthropic', 'claude-haiku-5-5', 100_000],
    ['anthropic', 'claude-3-5-haiku-latest', 800_000],
    ['google', 'models/gemini-2.5-flash-preview-09-2025', 300_000],
    ['google', 'gemini-2.0-flash-001', 100_000],
    ['xai', 'grok-4-0709', 3_000_000],
    ['azure', 'gpt-4o-mini-2024-07-18', 150_000],
  ])('of %s know %s', (provider, model, input) => {
    expect(createPriceBook([]).find(provider, model)?.input).toBe(input)
  })

  it.each([
    ['openai', 'gpt-4o-audio-preview-of-tomorrow'],
    ['openai', 'gpt-7'],
    ['toString', 'gpt-4o'],
    ['__proto__', 'constructor'],
    ['openai', ''],
  ])('of %s do not guess %s', (provider, model) => {
    expect(createPriceBook([]).find(provider, model)).toBeNull()
  })

  it("put the owner's first, and of these the longest", () => {
    const book = createPriceBook([price('gpt-*', 1), price('gpt-4o*', 2), price('gpt-4o-mini', 3)])
    expect(book.find('openai', 'gpt-4o-mini')?.input).toBe(3)
    expect(book.find('openai', 'gpt-4o-2024-05-13')?.input).toBe(2)
    expect(book.find('openai', 'gpt-4.1')?.input).toBe(1)
    book.setOwn([])
    expect(book.find('openai', 'gpt-4o-mini')?.input).toBe(150_000)
    expect(
      createPriceBook([price('gpt-4o', 1)])
        .list()
        .filter(({ model }) => model === 'gpt-4o'),
    ).toEqual([{ ...price('gpt-4o', 1), own: true }])
  })

  it('make whole millionths, rounded up, with the cache at its own price', () => {
    const of = price('m', 2_000_000, { output: 10_000_000, cacheRead: 200_000, cacheWrite: 2_500_000 })
    expect(costOf(usage, of)).toBe(300 * 2 + 600 * 0.2 + 100 * 2.5 + 10 * 10)
    expect(costOf(usage, { ...of, cacheRead: null, cacheWrite: null })).toBe(1_000 * 2 + 100)
    expect(costOf({ ...usage, input: 1, output: 0, cacheRead: 0, cacheWrite: 0 }, price('m', 1))).toBe(1)
    expect(costOf({ ...usage, toldMicroUsd: 5 }, of)).toBe(5)
    expect(costOf(usage, null)).toBeNull()
  })

  it.each([
    [100_000, 1],
    [100_001, 5],
  ])('of Claude Haiku 5.5 depend on the whole prompt: %i tokens', (input, times) => {
    const of = createPriceBook([]).find('anthropic', 'claude-haiku-5-5')
    const plain = { input, output: 1_000, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
    const once = (input * 100_000 + 1_000 * 500_000) / 1_000_000
    expect(costOf(plain, of, 'claude-haiku-5-5', 'anthropic')).toBe(Math.ceil(once * times))
  })
})
