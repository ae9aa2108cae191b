import { AppError } from './errors.ts'

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `10m`, `1h`, `never`: milliseconds, or null. Throws `invalid_request` for anything else, and for less than 10 seconds. */
export function parseSleepAfter(text: string): number | null {
  if (text === 'never') return null
  const [, count, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? []
  const ms = Number(count) * UNITS[unit as keyof typeof UNITS]
  if (!(ms >= 10_000)) throw new AppError('invalid_request', `Not a span like 10m, 1h or never: ${text}`)
  return ms
}
