import { describe, expect, it } from 'vitest'
import { sampleMachine } from '../../../test/support/machine-kit.ts'
import { parseSleepAfter } from '../../kernel/index.ts'
import { forecastSleep } from './sleep-ladder.ts'

const LADDER = { asleepAfterMs: null, pauses: true }

describe('the sleep ladder', () => {
  it('takes spans and never, and nothing else', () => {
    expect(['10s', '10m', '1h', '2d', 'never'].map(parseSleepAfter)).toEqual([
      10_000,
      600_000,
      3_600_000,
      172_800_000,
      null,
    ])
    for (const text of ['', '0m', '9s', '10', '10 m', '-1h', '1.5h', '1H', '999999d', 'Never', '10m '])
      expect(() => parseSleepAfter(text)).toThrow('Not a span')
  })

  it('says when, and because of what', () => {
    const machine = sampleMachine({ changedAt: 0 })
    const use = { activeAt: 100_000, activeWhy: 'message', calls: 0 } as const
    expect(forecastSleep(machine, use, 280_000, LADDER)).toEqual({
      at: 700_000,
      to: 'paused',
      because: 'a message came 3 min ago',
      memoryQueuePosition: null,
    })
    expect(forecastSleep({ ...machine, changedAt: 500_000 }, use, 500_000, LADDER).at).toBe(1_100_000)
    expect(forecastSleep(machine, { ...use, calls: 1 }, 280_000, LADDER).to).toBeNull()
    expect(forecastSleep(machine, use, 280_000, { ...LADDER, pauses: false })).toMatchObject({
      at: 700_000,
      to: 'asleep',
    })
    const paused = sampleMachine({ observed: 'paused', desired: 'paused', changedAt: 5 })
    expect(forecastSleep(paused, use, 280_000, LADDER).because).toBe(
      'it is paused, and sleeps when memory is short',
    )
    expect(forecastSleep(paused, use, 280_000, { ...LADDER, asleepAfterMs: 1_000 })).toMatchObject({
      at: 1_005,
      to: 'asleep',
    })
  })
})
