import { describe, expect, it } from 'vitest'
import { createPace, paceOf } from './pace.ts'

describe('the pace', () => {
  it('gives the burst at once and then one place at a time', () => {
    let now = 0
    const pace = createPace({ burst: 3, perSecond: 1 }, () => now)
    expect([pace.tryTake(), pace.tryTake(), pace.tryTake(), pace.tryTake()]).toEqual([
      true,
      true,
      true,
      false,
    ])
    now += 999
    expect(pace.tryTake()).toBe(false)
    now += 1
    expect([pace.tryTake(), pace.tryTake()]).toEqual([true, false])
  })

  it.each([
    ['1001', 63],
    ['-1001', 20],
  ])('lets chat %s have at most %i messages in any minute', (chatId, most) => {
    let now = 0
    const pace = createPace(paceOf(chatId), () => now)
    const taken: number[] = []
    for (; now < 300_000; now += 50) while (pace.tryTake()) taken.push(now)
    for (const start of taken)
      expect(taken.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(most)
  })

  it('gives a spare place only out of the whole burst', () => {
    let now = 0
    const pace = createPace({ burst: 3, perSecond: 1 }, () => now)
    expect([pace.tryTakeSpare(), pace.tryTakeSpare()]).toEqual([true, false])
    expect([pace.tryTake(), pace.tryTake(), pace.tryTake()]).toEqual([true, true, false])
    now += 2_999
    expect(pace.tryTakeSpare()).toBe(false)
    now += 1
    expect(pace.tryTakeSpare()).toBe(true)
  })

  it('stops waiting when it is told to', async () => {
    const pace = createPace({ burst: 1, perSecond: 0.001 })
    await pace.take(AbortSignal.timeout(1_000))
    await expect(pace.take(AbortSignal.timeout(20))).rejects.toThrow()
  })
})
