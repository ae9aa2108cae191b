import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Actor } from '../../identity/index.ts'
import { AppError, DEFAULT_TENANT, type ErrorCode, type Json, type Tx } from '../../kernel/index.ts'
import { createRefusals, type Refusals } from './refusals.ts'

let rows: { actor: string; data: Json }[]
let refusals: Refusals
beforeEach(() => {
  vi.useFakeTimers()
  rows = []
  refusals = createRefusals({
    audit: {
      append: async (_tx, _event, actor, _id, data) => void rows.push({ actor, data }),
    },
    storage: {
      tenant: DEFAULT_TENANT,
      async transaction(work) {
        // As a database does: later, and after those that were asked before.
        await Promise.resolve()
        return await work({} as Tx)
      },
      read: () => Promise.reject(new Error('nothing is read')),
      flushed: async () => {},
    },
    log: { error: () => {} },
  })
})
afterEach(async () => {
  await refusals[Symbol.asyncDispose]()
  vi.useRealTimers()
})

/** All at once, as a flood comes. */
const refuse = async (actor: Actor, code: ErrorCode, times = 1): Promise<void> => {
  const all = Array.from({ length: times }, () => refusals.record(actor, new AppError(code, 'no'), 'http'))
  await Promise.all(all)
}
const row = (actor: string, code: ErrorCode, count: number) => ({
  actor,
  data: { code, surface: 'http', count },
})

test('a flood is one row at once and one with the count after the minute', async () => {
  await refuse('agent:a', 'rate_limited', 1_000)
  expect(rows).toEqual([row('agent:a', 'rate_limited', 1)])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(rows.slice(1)).toEqual([row('agent:a', 'rate_limited', 999)])
  await vi.advanceTimersByTimeAsync(600_000)
  await refuse('agent:a', 'rate_limited')
  expect(rows).toHaveLength(3)
})

test('what is wrong with one request is written each time', async () => {
  await refuse('agent:a', 'invalid_request', 3)
  expect(rows).toHaveLength(3)
})

test('a flood from many addresses is told in a bounded number of rows', async () => {
  const all = Array.from({ length: 10_000 }, (_, n) =>
    refuse(`address:10.0.${n >> 8}.${n & 255}`, 'unauthenticated'),
  )
  await Promise.all(all)
  expect(rows).toHaveLength(257)
  await refusals[Symbol.asyncDispose]()
  expect(rows.at(-1)).toEqual(row('address:others', 'unauthenticated', 10_000 - 257))
})
