import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createScrubberCache } from './scrubber-cache.ts'

describe('the cache of scrubbers', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('gives the same one for the same names and values, and another for any other', () => {
    const cache = createScrubberCache()
    const first = cache.of(new Map([['KEY', 'demo-value-1']]))
    expect(cache.of(new Map([['KEY', 'demo-value-1']]))).toBe(first)
    expect(cache.of(new Map([['KEY', 'demo-value-2']]))).not.toBe(first)
    expect(cache.of(new Map([['OTHER', 'demo-value-1']]))).not.toBe(first)
  })

  it('gives up what nobody asks for, and keeps few', () => {
    const cache = createScrubberCache(1_000)
    for (let index = 0; index < 100; index++) cache.of(new Map([['KEY', `demo-value-${index}`]]))
    expect(cache.size).toBe(32)
    vi.advanceTimersByTime(1_000)
    expect(cache.size).toBe(0)
  })
})
