import { expect, it, vi } from 'vitest'
import { createListPace } from './list-pace.ts'

it('the next list of an agent waits until what it has read is paid for, and nobody else does', async () => {
  vi.useFakeTimers()
  try {
    const pace = createListPace({ perSecond: 1_000, burst: 1_000 })
    const { signal } = new AbortController()
    const first = await pace.turn('a', signal)
    first?.read(3_000)
    first?.[Symbol.dispose]()
    const next = vi.fn()
    void pace.turn('a', signal).then(next)
    expect(await pace.turn('b', signal)).toBeDefined()
    await vi.advanceTimersByTimeAsync(1_900)
    expect(next).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(200)
    expect(next).toHaveBeenCalledOnce()
  } finally {
    vi.useRealTimers()
  }
})
