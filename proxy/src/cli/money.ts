import { InvalidArgumentError } from 'commander'

/**
 * US dollars that a person writes, as whole millionths. Decimal digits are moved as digits: no amount passes through a binary
 * fraction on its way in.
 */
const AMOUNT = /^\$?([0-9]{1,9})(?:\.([0-9]{1,6}))?$/
const MICRO = 1_000_000

export function parseMicroUsd(text: string): number {
  const [, dollars, fraction = ''] = AMOUNT.exec(text) ?? []
  if (dollars === undefined) {
    throw new InvalidArgumentError('It takes dollars such as 2.50, with at most six decimals.')
  }
  return Number(dollars) * MICRO + Number(fraction.padEnd(6, '0'))
}
