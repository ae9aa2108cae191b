import { expect, test } from 'vitest'
import { formatExactUsd, formatUsd } from '../kernel/index.ts'
import { parseMicroUsd } from './money.ts'

test('reads dollars digit by digit, where binary fractions would be off', () => {
  expect(
    ['2.50', '10', '0.075', '$1.1', '0.000001', '4.35', '999999999.999999', '0'].map(parseMicroUsd),
  ).toEqual([2_500_000, 10_000_000, 75_000, 1_100_000, 1, 4_350_000, 999_999_999_999_999, 0])
  for (let cents = 0; cents < 2_000; cents += 1) {
    const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
    expect(parseMicroUsd(text)).toBe(cents * 10_000)
    expect(formatExactUsd(parseMicroUsd(text))).toBe(`$${text}`)
  }
})

test.each(['', '.5', '5.', '-1', '1e3', '1,000', '0.0000001', '1_0', ' 1', '٣', '1234567890', 'NaN', '0x10'])(
  'refuses %j as an amount',
  (text) => {
    expect(() => parseMicroUsd(text)).toThrow('dollars such as 2.50')
  },
)

test('shows money to the cent, and does not round what was spent to nothing', () => {
  expect([0, 1, 9_999, 10_000, 14_999, 15_000, 1_230_000, 1_234_567_890_000].map(formatUsd)).toEqual([
    '$0.00',
    '<$0.01',
    '<$0.01',
    '$0.01',
    '$0.01',
    '$0.02',
    '$1.23',
    '$1,234,567.89',
  ])
  expect([2_500_000, 75_000, 1, 0, 1_100_000_000].map(formatExactUsd)).toEqual([
    '$2.50',
    '$0.075',
    '$0.000001',
    '$0.00',
    '$1,100.00',
  ])
})
