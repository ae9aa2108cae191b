const COUNT = new Intl.NumberFormat()
export const count = (value: number): string => COUNT.format(value)

/** Below a cent all digits are shown: tokens cost that little. */
const CENT = 10_000

/** Millionths of a US dollar. */
export const dollars = (micro: number): string =>
  `$${(micro / 1_000_000).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: micro > 0 && micro < CENT ? 6 : 2 })}`

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function bytes(value: number): string {
  let size = value
  let unit = 0
  while (size >= 1_024 && unit < UNITS.length - 1) {
    size /= 1_024
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`
}
