import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AppError, type ErrorCode, type Json } from '../../kernel/index.ts'
import { createRefusals, type Refusals } from './refusals.ts'

let rows: { actor: string; data: Json }[]
let refusals: Refusals
beforeEach(() => {
  vi.useFakeTimers()
  rows = []
  refusals = createRefusals({
    audit: {
      append: (_event, actor, _id, data) => void rows.push({ actor, data }),
    },
    transactor: {
      inTransaction: true,
      transact: (work) => work(),
      afterCommit: (work) => work(),
      flushed: async () => {},
    },
    log: { error: () => {} },
  })
})
afterEach(() => {
  refusals[Symbol.dispose]()
  vi.useRealTimers()
})

const refuse = (actor: string, code: ErrorCode, times = 1): void => {
  for (let n = 0; n < times; n++) refusals.record(actor, new AppError(code, 'no'), 'http')
}
const row = (actor: string, code: ErrorCode, count: number) => ({
  actor,
  data: { code, surface: 'http', count },
})

test('a flood is one row at once and one with the count after the minute', () => {
  refuse('agent:a', 'rate_limited', 1_000)
  expect(rows).toEqual([row('agent:a', 'rate_limited', 1)])
  vi.advanceTimersByTime(60_000)
  expect(rows.slice(1)).toEqual([row('agent:a', 'rate_limited', 999)])
  vi.advanceTimersByTime(600_000)
  refuse('agent:a', 'rate_limited')
  expect(rows).toHaveLength(3)
})

test('what is wrong with one request is written each time', () => {
  refuse('agent:a', 'invalid_request', 3)
  expect(rows).toHaveLength(3)
})

test('a flood from many addresses is told in a bounded number of rows', () => {
  for (let n = 0; n < 10_000; n++) refuse(`address:10.0.${n >> 8}.${n & 255}`, 'unauthenticated')
  expect(rows).toHaveLength(257)
  refusals[Symbol.dispose]()
  expect(rows.at(-1)).toEqual(row('address:others', 'unauthenticated', 10_000 - 257))
})
