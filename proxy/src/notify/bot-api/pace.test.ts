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
    ['1001', 64],
    ['-1001', 20],
  ])('lets chat %s have at most %i messages in any minute', (chatId, most) => {
    let now = 0
    const pace = createPace(paceOf(chatId), () => now)
    const taken: number[] = []
    for (; now < 300_000; now += 50) while (pace.tryTake()) taken.push(now)
    for (const start of taken)
      expect(taken.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(most)
  })

  it('keeps a place of the burst for what must not wait, and spare ones only while nobody used any', () => {
    let now = 0
    const pace = createPace({ burst: 3, perSecond: 1 }, () => now)
    const take = (claim: 'reserve' | 'usual' | 'spare') => pace.tryTake(claim)
    expect([take('spare'), take('spare'), take('usual'), take('usual'), take('reserve')]).toEqual([
      ...[true, false, true, false, true],
    ])
    expect([pace.waitMs('reserve'), pace.waitMs('usual'), pace.waitMs('spare')]).toEqual([
      1_000, 2_000, 3_000,
    ])
    now += 1_000
    expect([take('usual'), take('reserve')]).toEqual([false, true])
    now += 2_999
    expect(take('spare')).toBe(false)
    now += 1
    expect([pace.waitMs('spare'), take('spare')]).toEqual([0, true])
  })

  it('has nothing to reserve where the burst is one', () => {
    const pace = createPace({ burst: 1, perSecond: 0.001 })
    expect([pace.tryTake('usual'), pace.tryTake('reserve')]).toEqual([true, false])
  })
})
