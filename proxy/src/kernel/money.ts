/** Fixed point, against rounding errors that add up: amounts are whole millionths of a US dollar, never binary fractions. */
const MICRO = 1_000_000
const MICRO_PER_CENT = 10_000

const grouped = (digits: number): string => digits.toLocaleString('en-US')

/** To the cent: `$1,234.56`. What is less than a cent, and not nothing, says so. */
export function formatUsd(microUsd: number): string {
  if (microUsd > 0 && microUsd < MICRO_PER_CENT) return '<$0.01'
  const cents = Math.floor((microUsd + MICRO_PER_CENT / 2) / MICRO_PER_CENT)
  return `$${grouped(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, '0')}`
}

/** Every decimal that counts, and at least two: `$2.50`, `$0.075`. */
export function formatExactUsd(microUsd: number): string {
  const fraction = String(microUsd % MICRO)
    .padStart(6, '0')
    .replace(/0{1,4}$/, '')
  return `$${grouped(Math.floor(microUsd / MICRO))}.${fraction}`
}
