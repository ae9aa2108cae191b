import { expect, it } from 'vitest'
import { createAllowance } from './allowance.ts'

it('gives a burst, then as many a second, and saves up no more than one burst', () => {
  let nowMs = 0
  const allowance = createAllowance(100, () => nowMs)
  const taken = (): number => {
    let count = 0
    while (allowance.take() === 0) count += 1
    return count
  }
  expect(taken()).toBe(100)
  expect(allowance.take()).toBe(10)
  nowMs += 10
  expect(taken()).toBe(1)
  nowMs += 500
  expect(taken()).toBe(50)
  nowMs += 3_600_000
  expect(taken()).toBe(100)
})
