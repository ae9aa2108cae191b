import { expect, it, vi } from 'vitest'
import { createListPace } from './list-pace.ts'

it('the next list of an agent waits until what it has read is paid for, and nobody else does', async () => {
  vi.useFakeTimers()
  try {
    const pace = createListPace(() => false, { perSecond: 1_000, burst: 1_000 })
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

it('agents of one tenant wait for what the others of it have read where there are other tenants, who do not', async () => {
  const pace = { perSecond: 1, burst: 1_000 }
  const [many, few] = [createListPace(() => true, pace), createListPace(() => true, pace)]
  const { signal } = new AbortController()
  for (let agent = 0; agent < 5; agent++) (await many.turn(`agent-${agent}`, signal))?.read(1_000)
  const gone = new AbortController()
  const waits = many.turn('late', gone.signal)
  expect(await few.turn('one', signal)).toBeDefined()
  gone.abort()
  await expect(waits).rejects.toThrow()
})
