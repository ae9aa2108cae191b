import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SandboxContainer } from './docker-container.ts'
import { createWarmPool } from './warm-pool.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const NEVER = new AbortController().signal

/** Containers that are ready as soon as they are launched. */
function poolOf(size: number) {
  const made: { name: string; alive: boolean; close(): void }[] = []
  const removed: string[] = []
  const pool = createWarmPool({
    size,
    onFailure: () => {},
    async launch() {
      const { promise, resolve } = Promise.withResolvers<void>()
      const container = {
        name: `c${made.length}`,
        alive: true,
        whenClosed: promise,
        async remove() {
          container.alive = false
          removed.push(container.name)
        },
        close() {
          container.alive = false
          resolve()
        },
      }
      made.push(container)
      return container as unknown as SandboxContainer
    },
  })
  pool.fill()
  return { pool, made, removed, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) }
}

test('a place is filled when the run has its outcome, and not before; a long run is not waited for', async () => {
  const { pool, made, pass } = poolOf(2)
  await pass(1)
  expect(made).toHaveLength(2)
  pool.take()
  pool.fill()
  await pass(100)
  expect(made).toHaveLength(2)
  pool.ended()
  await pass(30)
  expect([made.length, pool.warm]).toEqual([3, 2])
  await pass(5_000)
  pool.take()
  await pass(249)
  expect(made).toHaveLength(3)
  await pass(2)
  expect([made.length, pool.warm]).toEqual([4, 2])
})

test('one that is given back waits again, first come first served; one that died, or whose pool was closed, does not', async () => {
  const { pool, made, removed, pass } = poolOf(1)
  await pass(1)
  const taken = pool.take() as SandboxContainer
  expect(pool.take()).toBeUndefined()
  const waiting = pool.claim(NEVER)
  pool.giveBack(taken)
  expect(await waiting).toBe(taken)
  await pass(1_000)
  const dying = pool.take() as SandboxContainer
  made.find(({ name }) => name === dying.name)?.close()
  pool.giveBack(dying)
  await pass(1_000)
  const late = pool.take() as SandboxContainer
  await pool.close()
  pool.giveBack(late)
  expect(removed).toEqual(expect.arrayContaining([dying.name, late.name]))
  expect([pool.warm, pool.take()]).toEqual([0, undefined])
})

test('a burst is answered with more that wait, which go when it is long past', async () => {
  const { pool, removed, pass } = poolOf(2)
  await pass(1)
  for (let n = 0; n < 5; n += 1) void pool.claim(NEVER)
  await pass(2_000)
  expect(pool.warm).toBe(5)
  await pass(61_000)
  expect([pool.warm, removed.length]).toEqual([2, 3])
  await pool.close()
  expect(pool.warm).toBe(0)
})
