import { InvalidArgumentError } from 'commander'
import { groupedDigits } from './text-layout.ts'

/**
 * US dollars as text and as whole millionths. Decimal digits are moved as digits: no amount passes through a binary
 * fraction on its way in.
 */
const AMOUNT = /^\$?([0-9]{1,9})(?:\.([0-9]{1,6}))?$/
const MICRO = 1_000_000
const MICRO_PER_CENT = 10_000

export function parseMicroUsd(text: string): number {
  const [, dollars, fraction = ''] = AMOUNT.exec(text) ?? []
  if (dollars === undefined) {
    throw new InvalidArgumentError('It takes dollars such as 2.50, with at most six decimals.')
  }
  return Number(dollars) * MICRO + Number(fraction.padEnd(6, '0'))
}

/** To the cent: `$1,234.56`. What is less than a cent, and not nothing, says so. */
export function formatUsd(microUsd: number): string {
  if (microUsd > 0 && microUsd < MICRO_PER_CENT) return '<$0.01'
  const cents = Math.floor((microUsd + MICRO_PER_CENT / 2) / MICRO_PER_CENT)
  return `$${groupedDigits(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, '0')}`
}

/** Every decimal that counts, and at least two: `$2.50`, `$0.075`. */
export function formatExactUsd(microUsd: number): string {
  const fraction = String(microUsd % MICRO)
    .padStart(6, '0')
    .replace(/0{1,4}$/, '')
  return `$${groupedDigits(Math.floor(microUsd / MICRO))}.${fraction}`
}
