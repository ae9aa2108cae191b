import { expect, test } from 'vitest'
import { createPoolSize } from './pool-size.ts'

function sizeOf(least: number) {
  let time = 0
  const size = createPoolSize(least, () => time)
  return {
    size,
    pass: (ms: number) => {
      time += ms
    },
    claim: (count: number) => {
      for (let n = 0; n < count; n += 1) size.claimed()
    },
  }
}

test('runs that come one by one want no more than what always waits', () => {
  const { size, pass, claim } = sizeOf(2)
  for (let n = 0; n < 50; n += 1) {
    claim(1)
    pass(2_000)
    expect([size.wanted, size.fewerInMs]).toEqual([2, undefined])
  }
})

test('a burst is remembered for a minute, and a larger one at once', () => {
  const { size, pass, claim } = sizeOf(2)
  claim(3)
  expect(size.wanted).toBe(3)
  pass(30_000)
  claim(5)
  expect([size.wanted, size.fewerInMs]).toEqual([5, 60_000])
  pass(59_999)
  expect([size.wanted, size.fewerInMs]).toEqual([5, 1])
  pass(1)
  expect([size.wanted, size.fewerInMs]).toEqual([2, undefined])
})

test('no number of runs makes it want more than four times what always waits, or any where none do', () => {
  const { size, pass, claim } = sizeOf(2)
  for (let n = 0; n < 1_000; n += 1) {
    claim(10)
    pass(10)
  }
  expect(size.wanted).toBe(8)
  const none = sizeOf(0)
  none.claim(100)
  expect([none.size.wanted, none.size.fewerInMs]).toEqual([0, undefined])
})
